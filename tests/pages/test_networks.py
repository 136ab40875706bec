from __future__ import annotations

import dataclasses
import xml.etree.ElementTree as ET

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.charts.network import blocks, drawing_width, in_words, network_svg
from cifar_core.networks import NETWORKS
from cifar_core.networks.description import load_description
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.network_sections import compare, layer_table, what_it_does

PAGE = str(PROJECT_DIR / "pages" / "networks.py")


def opened(network: str | None = None) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60)
    if network is not None:
        app.query_params["network"] = network
    app.run()
    assert not app.exception
    return app


@pytest.mark.parametrize(
    ("network", "parameters"), [("CNN-4", "1,250,858"), ("CNN-6", "2,395,434")]
)
def test_a_link_opens_a_network_with_its_totals(network: str, parameters: str) -> None:
    app = opened(network)
    assert [heading.value for heading in app.subheader] == [network]
    assert app.metric[0].value == parameters


def test_side_by_side_shows_both_and_their_ratio() -> None:
    app = opened("Side by side")
    assert [heading.value for heading in app.subheader] == ["CNN-4", "CNN-6"]
    said = " ".join(element.value for element in app.text)
    assert "CNN-6 has 1.9 times the parameters of CNN-4 and needs 2.0 times its arithmetic" in said


def test_an_unknown_network_in_the_address_opens_the_first() -> None:
    assert [heading.value for heading in opened("<b>x").subheader] == ["CNN-4"]


def test_the_print_out_and_the_code_are_there_to_copy() -> None:
    shown = [element.value for element in opened("CNN-6").code]
    assert "OPERATION           DATA DIMENSIONS" in shown[0]
    assert "def build() -> keras.Sequential:" in shown[1]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_is_explained_and_adds_up(name: str) -> None:
    description = load_description(name)
    table = layer_table(description)
    assert table["what it does"].str.len().min() > 0
    assert table["parameters"].sum() == description.parameters
    assert table["multiply-adds"].sum() == description.macs


def test_the_last_layer_is_said_to_give_probabilities() -> None:
    row = load_description("cnn4").rows[-1]
    assert what_it_does(row) == "Scores become probabilities"
    assert what_it_does(dataclasses.replace(row, details="relu")) == "Negative numbers become 0"


@pytest.mark.parametrize("name", NETWORKS)
def test_the_drawing_is_sound_svg_with_a_block_for_each_shaping_layer(name: str) -> None:
    description = load_description(name)
    root = ET.fromstring(network_svg(description, dark=True))
    shaping = [row for row in description.rows if row.kind in ("Conv2D", "MaxPooling2D", "Dense")]
    assert len(blocks(description)) == len(shaping) + 1
    assert root.get("width") == str(drawing_width(description))
    words = "".join(root.itertext())
    assert "32 × 32 × 3" in words
    assert "truck" in words


def test_two_drawings_of_one_width_have_one_scale() -> None:
    widths = {
        ET.fromstring(network_svg(load_description(name), least_width=1200)).get("viewBox")
        for name in NETWORKS
    }
    assert widths == {"0 0 1200 292"}


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


def test_the_page_opens_through_the_app() -> None:
    app = AppTest.from_file(str(PROJECT_DIR / "app.py"), default_timeout=60).run()
    app.switch_page("pages/networks.py").run()
    assert not app.exception
    assert app.title[0].value == "Networks"
