from __future__ import annotations

import dataclasses
import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from cifar_core import services
from cifar_core.charts.network import blocks, drawing_width, in_words, network_svg
from cifar_core.jobs.lock import Lock, try_lock
from cifar_core.networks import NETWORKS, Network
from cifar_core.networks.description import ascii_printout, load_description
from cifar_core.networks.layers import ACTIVATIONS, LayerSettings
from cifar_core.recipes import recipe
from cifar_core.runs import timing
from cifar_core.runs.reading import Run
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.kit.theme import RIGHT_SIGN, WRONG_SIGN
from cifar_core.ui.networks.activations import fixed_words
from cifar_core.ui.networks.comparison import compare
from cifar_core.ui.networks.layer_table import layer_table, milliseconds_words
from tests.pages.shown import PATIENCE_SECONDS, html_of, new_page, open_page
from tools.fabricate import Fake, add_network, fabricate


def opened(network: str | None = None, **address: str) -> AppTest:
    return open_page("networks", **({"network": network} if network else {}), **address)


SHIPPED = [name for name in NETWORKS if (PROJECT_DIR / "models" / name).is_dir()]
NARROW = PROJECT_DIR / "tests" / "inference" / "data" / "narrow.tflite"


@pytest.fixture
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The shipped models and the shipped sample: what everybody has."""
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "no-data"))


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shipped CNN-7 that never was: its layers, a few filters wide, untrained."""
    models = tmp_path / "came-with-the-lab"
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(models))
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "no-data"))
    st.cache_resource.clear()
    add_network(fabricate(models, Fake(run_id="cnn7", network="cnn7")), NARROW)


@pytest.mark.parametrize(
    ("network", "parameters"),
    [("CNN-4", "1,250,858"), ("CNN-6", "2,395,434"), ("CNN-7", "1,973,944")],
)
def test_a_link_opens_a_network_with_its_totals(network: str, parameters: str) -> None:
    app = opened(network)
    assert app.segmented_control(key="networks_network").value == network
    assert app.metric[0].value == parameters


def test_side_by_side_shows_both_and_their_ratio() -> None:
    app = opened("Side by side")
    assert [heading.value for heading in app.header] == ["CNN-4", "CNN-6"]
    said = " ".join(element.value for element in app.text)
    assert "CNN-6 has 1.9 times the parameters of CNN-4 and needs 2.0 times its arithmetic" in said


def test_the_reference_beside_another_is_marked() -> None:
    app = opened("Side by side", right="cnn7")
    assert [heading.value for heading in app.header] == ["CNN-4", "CNN-7, the reference"]


def test_an_unknown_network_in_the_address_opens_the_first() -> None:
    assert opened("<b>x").segmented_control(key="networks_network").value == "CNN-4"


def test_the_code_is_there_to_copy() -> None:
    code = opened("CNN-6", part="Keras code").code[0]
    assert "def build(" in code.value
    assert "(32, 32, 3), classes: int = 10" in code.value


@pytest.mark.parametrize(
    ("network", "names"),
    [("CNN-4", ["cnn4"]), ("CNN-7", ["cnn7"]), ("Side by side", ["cnn4", "cnn6"])],
)
def test_each_network_is_printed_as_keras_and_as_ascii(network: str, names: list[str]) -> None:
    shown = [element.value.strip() for element in opened(network, part="Print-out").code]
    wanted = []
    for name in names:
        description = load_description(name)
        wanted += [description.keras_summary.strip(), ascii_printout(description).strip()]
    assert shown == wanted


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_is_explained_and_adds_up(name: str) -> None:
    description = load_description(name)
    table = layer_table(description)
    assert table["what it does"].str.len().min() > 0
    assert table["parameters"].sum() == description.parameters
    assert table["multiply-adds"].sum() == description.macs


def test_the_last_layer_is_said_to_give_probabilities() -> None:
    row = load_description("cnn4").layers[-1]
    assert row.explanation == ACTIVATIONS["softmax"].explanation
    relu = dataclasses.replace(row, settings=LayerSettings(activation="relu"))
    assert relu.explanation == ACTIVATIONS["relu"].explanation


def test_the_two_scalings_of_the_reference_are_told_apart() -> None:
    rows = [row for row in load_description("cnn7").layers if row.kind == "Rescaling"]
    words = ["Colours 0–255 become 0–1", "Multiplies all numbers by one"]
    assert [row.explanation for row in rows] == words


@pytest.mark.parametrize("name", NETWORKS)
def test_the_drawing_is_sound_svg_with_a_block_for_each_shaping_layer(name: str) -> None:
    description = load_description(name)
    root = ET.fromstring(network_svg(description, dark=True))
    kinds = ("Conv2D", "MaxPooling2D", "GlobalMaxPooling2D", "Dense")
    shaping = [row for row in description.layers if row.kind in kinds]
    assert len(blocks(description)) == len(shaping) + 1
    assert root.get("width") == str(drawing_width(description))
    words = "".join(root.itertext())
    assert "32 × 32 × 3" in words
    assert "truck" in words


def test_two_drawings_of_one_width_have_one_scale() -> None:
    widths = {
        ET.fromstring(network_svg(load_description(name), least_width=1400)).get("viewBox")
        for name in NETWORKS
    }
    assert widths == {"0 0 1400 292"}


def test_a_hostile_name_stays_text_in_the_drawing() -> None:
    description = dataclasses.replace(load_description("cnn4"), title='<script>"&')
    root = ET.fromstring(network_svg(description))
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert in_words(description).startswith('<script>"&: picture 32 × 32 × 3')


def test_a_network_beside_itself_has_no_differences() -> None:
    description = load_description("cnn6")
    assert {pair.sign for pair in compare(description, description)} == {"="}


def test_the_third_block_is_what_cnn6_alone_has() -> None:
    pairs = compare(load_description("cnn4"), load_description("cnn6"))
    extra = [pair for pair in pairs if pair.sign == "+"]
    assert [pair.right.split(",")[0] for pair in extra] == [
        *["Conv2D 128 filters 3×3"] * 2,
        "MaxPooling2D 2×2",
    ]
    assert {pair.left for pair in extra} == {""}
    assert sum(pair.left_parameters or 0 for pair in pairs) == 1_250_858
    assert sum(pair.right_parameters or 0 for pair in pairs) == 2_395_434


def test_layers_of_different_kinds_never_stand_in_one_line() -> None:
    pairs = compare(load_description("cnn4"), load_description("cnn7"))
    both = [(pair.left.split()[0], pair.right.split()[0]) for pair in pairs if pair.sign != "+"]
    assert len(both) == 5
    assert all(left == right for left, right in both)
    assert (pairs[-1].sign, pairs[-1].left) == ("=", "Dense 10 units, softmax")
    assert sum(pair.left_parameters or 0 for pair in pairs) == 1_250_858
    assert sum(pair.right_parameters or 0 for pair in pairs) == 1_973_944


def test_a_time_that_rounds_to_nothing_is_said_to_be_small() -> None:
    assert milliseconds_words(0.0123) == "0.012 ms"
    assert milliseconds_words(0.0004) == "below 0.001 ms"


@pytest.mark.parametrize("part", ["Filters", "Activations", "Step by step"])
def test_a_network_that_is_not_trained_yet_says_what_to_do(part: str) -> None:
    assert "There is no trained CNN-4 yet" in html_of(opened("CNN-4", part=part))


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("network", SHIPPED)
def test_the_layers_come_with_measured_times_their_machine_and_method(network: str) -> None:
    app = opened(NETWORKS[network].title)
    shown = html_of(app)
    assert shown.count('<td class="lab-time">') == len(load_description(network).layers)
    assert " ms<span" in shown
    (words,) = (item.value for item in app.caption if item.value.startswith("Times:"))
    assert re.search(r"processor time on .+ \(as shipped\), \d+ \w+ \d{4}, LiteRT", words)


@pytest.mark.usefixtures("shipped")
def test_a_click_starts_to_measure_and_the_page_says_so(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process itself is tests/runs/test_timing.py's."""
    (runs_dir / timing.FOLDER).mkdir(parents=True)
    locks: list[Lock | None] = []

    def start(run: Run) -> None:
        locks.append(try_lock(runs_dir / timing.FOLDER / f"{run.id}.lock"))

    monkeypatch.setattr(services, "start_timing", start)
    app = opened("CNN-4")
    app.button(key="measure_cnn4").click().run()
    assert not app.exception
    assert any(item.value.startswith("Measuring") for item in app.caption)
    (lock,) = locks
    assert lock is not None
    lock.release()


@pytest.mark.usefixtures("shipped")
def test_a_visitor_of_a_read_only_lab_is_offered_no_measuring(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIFAR_LAB_READONLY", "1")
    assert "measure_cnn4" not in [button.key for button in opened("CNN-4").button]


@pytest.mark.usefixtures("shipped")
def test_every_filter_of_the_first_layer_is_shown() -> None:
    assert html_of(opened("CNN-6", part="Filters")).count("lab-squares") >= 32


@pytest.mark.usefixtures("shipped")
def test_all_steps_are_shown_from_the_picture_to_the_answer() -> None:
    shown = html_of(opened("CNN-4", part="Activations"))
    for words in ("picture", "1 convolution", "6 max pooling", "10 softmax"):
        assert f"<strong>{words}</strong>" in shown


@pytest.mark.usefixtures("shipped")
def test_a_link_restores_network_layer_and_picture() -> None:
    app = opened("CNN-6", part="Activations", layer="8", picture="3")
    assert app.selectbox[0].value == "8"
    assert app.number_input(key="picture").value == 3
    assert "128 channels of 8 × 8 numbers." in " ".join(text.value for text in app.text)
    assert html_of(app).count('role="listitem"') == 128


@pytest.mark.usefixtures("shipped")
def test_the_sample_is_said_to_be_one_and_another_picture_is_refused_in_sentences() -> None:
    app = opened("CNN-4", part="Activations", picture="2")
    assert any("shipped sample" in caption.value for caption in app.caption)
    assert "not in the shipped sample" in html_of(app)


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    ("network", "layer"), [("CNN-4", "1"), ("CNN-4", "5"), ("CNN-6", "1"), ("CNN-6", "8")]
)
def test_a_worked_convolution_says_that_it_is_the_networks_number(network: str, layer: str) -> None:
    address = {"layer": layer, "filter": "3", "row": "0", "column": "7"}
    app = opened(network, part="Step by step", **address)
    shown = html_of(app)
    assert f"{RIGHT_SIGN} The network itself computed" in shown
    assert WRONG_SIGN not in shown
    assert {name: app.query_params[name] for name in address} == address


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("layer", ["3", "6"])
def test_a_worked_pooling_says_that_it_is_the_networks_number(layer: str) -> None:
    shown = html_of(opened("CNN-4", part="Step by step", work="Pooling", layer=layer))
    assert "the same. Difference: 0." in shown
    assert shown.count("lab-largest") >= 1


@pytest.mark.usefixtures("shipped")
def test_the_softmax_is_worked_out_with_and_without_the_temperature() -> None:
    app = opened("CNN-4", part="Step by step", work="Softmax")
    assert f"{RIGHT_SIGN} The network itself computed" in html_of(app)
    app.toggle[0].set_value(True).run()
    assert not app.exception
    figures = services.read_evaluation(services.read_run("cnn4"))
    assert figures is not None
    assert f"÷ {figures.temperature:.3f}" in html_of(app)
    assert "itself computed" not in html_of(app)


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize("value", ["-1", "99999", "²", "<b>", ""])
def test_a_place_in_the_address_that_is_none_becomes_one(value: str) -> None:
    app = opened("CNN-4", part="Step by step", layer=value, row=value, filter=value)
    assert "The network itself computed" in html_of(app)


@pytest.mark.usefixtures("shipped")
def test_an_own_picture_is_looked_at_and_what_is_none_is_refused() -> None:
    app = opened("CNN-4", part="Activations", **{"from": "Your picture"})
    assert "No picture yet." in html_of(app)
    app.file_uploader[0].upload("note.png", b"no picture", "image/png").run()
    assert "is not a picture the lab can read" in html_of(app)
    buffer = io.BytesIO()
    Image.new("RGB", (70, 50), "red").save(buffer, "PNG")
    app.file_uploader[0].upload("red.png", buffer.getvalue(), "image/png").run()
    assert not app.exception
    assert "<strong>10 softmax</strong>" in html_of(app)


@pytest.mark.usefixtures("reference")
def test_filters_that_learnt_nothing_are_said_to_be_fixed() -> None:
    app = opened("CNN-7", part="Filters")
    assert html_of(app).count('class="lab-squares"') == 8
    said = " ".join(text.value for text in app.text)
    assert "8 filters of 2 × 2 pixels" in said
    assert "These were not learnt: they are what patches of the pictures are made of" in said


@pytest.mark.parametrize(("recipe_name", "words"), [("best", "patches"), ("tutorial", "at random")])
def test_how_fixed_filters_came_about_depends_on_the_recipe(recipe_name: str, words: str) -> None:
    assert words in fixed_words(load_description("cnn7"), recipe(recipe_name, "cnn7"))
    assert fixed_words(load_description("cnn4"), recipe(recipe_name, "cnn4")) == ""


@pytest.mark.usefixtures("reference")
def test_every_step_of_the_reference_is_named() -> None:
    shown = html_of(opened("CNN-7", part="Activations"))
    names = ("1 convolution", "2 GELU", "5 scale", "6 shift", "24 largest of all", "26 softmax")
    for words in names:
        assert f"<strong>{words}</strong>" in shown


@pytest.mark.usefixtures("reference")
def test_a_convolution_without_relu_is_worked_out_with_the_gelu_behind_it() -> None:
    app = opened("CNN-7", part="Step by step", layer="1", filter="3", row="30", column="0")
    shown = html_of(app)
    assert shown.count(f"{RIGHT_SIGN} The network itself computed") == 2
    assert WRONG_SIGN not in shown
    said = " ".join(caption.value for caption in app.caption)
    assert "Not worked out here, but shown on Activations: GELU, scale, shift, largest" in said
    assert "ReLU" not in said


@pytest.mark.usefixtures("reference")
@pytest.mark.parametrize("layer", ["3", "8", "24"])
def test_every_step_of_the_reference_in_the_address_is_answered(layer: str) -> None:
    for part in ("Step by step", "Activations"):
        app = opened("CNN-7", part=part, layer=layer)
        assert WRONG_SIGN not in html_of(app).replace(f"{WRONG_SIGN} It shows", "")


@pytest.mark.usefixtures("reference")
def test_the_layers_of_the_reference_stand_without_times_until_they_are_measured() -> None:
    app = opened("CNN-7")
    assert '<td class="lab-time">' not in html_of(app)
    assert "measure_cnn7" in [button.key for button in app.button]


def test_of_more_than_two_networks_two_are_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    def page() -> None:
        import streamlit as st

        from cifar_core.ui.networks.comparison import pair_of

        st.text(" ".join(pair_of(["cnn4", "cnn6", "third"])))

    third = Network("third", "Third", "Another one.")
    monkeypatch.setattr("cifar_core.ui.networks.comparison.NETWORKS", {**NETWORKS, "third": third})
    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS)
    app.query_params["right"] = "third"
    app.run()
    assert not app.exception
    assert app.text[0].value == "cnn4 third"
    app.selectbox[0].set_value("third").run()
    assert app.text[0].value == "third cnn6"


def test_the_page_opens_through_the_app() -> None:
    app = new_page("app").run()
    app.switch_page("pages/networks.py").run()
    assert not app.exception
    assert app.title[0].value == "Networks"
