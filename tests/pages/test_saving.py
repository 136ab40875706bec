"""What can be taken along from the pages: each download is opened and compared."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn import metrics as sk

from cifar_core import services
from cifar_core.analysis.results import Kind
from cifar_core.charts.theme import DARK, LIGHT
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.sample import load_sample
from cifar_core.evaluation.published import published
from cifar_core.networks.description import load_description
from cifar_core.runs.folder import State
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.dataset.tutorial_figure import draw_figure
from cifar_core.ui.kit.tables import plain
from tests.pages.shown import Downloads, charts_of, new_page, open_page
from tools.fabricate import Fake, fabricate

VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "overview": ("overview", {}),
    "counts": ("dataset", {"part": "Classes"}),
    "map": ("dataset", {"part": "Map"}),
    "image": ("picture", {"split": "test"}),
    **{view: ("results", {"view": view}) for view in ("Confusions", "Classes", "Confidence")},
    **{look: ("compare", {"look": look}) for look in ("Learning", "Mistakes", "Tutorial")},
    **{drawer: ("train", {"run": "four"}) for drawer in ("matrix", "pictures", "curves", "rate")},
}


@pytest.fixture(autouse=True)
def _lab(runs_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two runs of one's own, the shipped networks, and the sample."""
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "no-data"))
    fabricate(runs_dir, Fake(run_id="four", accuracy=0.6, created_at=2.0))
    fabricate(runs_dir, Fake(run_id="six", network="cnn6", seed=2, accuracy=0.7, created_at=1.0))


def settings_of_charts(view: str, chosen: str) -> list[dict[str, Any]]:
    """Returns the camera's settings of every chart of a view, PNG or SVG chosen."""
    name, address = VIEWS[view]
    app = new_page(name, **address)
    app.session_state[f"panel_open_{view}"] = True
    app.run()
    assert not app.exception
    app.segmented_control(key="chart_format").set_value(chosen).run()
    charts = app.get("plotly_chart")
    assert charts
    return [json.loads(chart.proto.config)["toImageButtonOptions"] for chart in charts]


def table(data: bytes) -> pd.DataFrame:
    assert data.startswith(b"\xef\xbb\xbf")
    return pd.read_csv(io.BytesIO(data), encoding="utf-8-sig")


@pytest.mark.parametrize("chosen", ["PNG", "SVG"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_chart_is_saved_in_the_chosen_format(view: str, chosen: str) -> None:
    saved = settings_of_charts(view, chosen)
    assert {options["format"] for options in saved} == {chosen.lower()}
    for options in saved:
        assert options["filename"]
        assert "None" not in options["filename"]


def test_a_saved_chart_keeps_the_ground_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    for dark, colours in ((False, LIGHT), (True, DARK)):
        monkeypatch.setattr("cifar_core.ui.results.panels.is_dark", lambda dark=dark: dark)
        (chart,) = charts_of(open_page("results", view="Classes")).values()
        assert chart["layout"]["paper_bgcolor"] == colours.background


@pytest.mark.parametrize("view", VIEWS)
def test_no_file_is_named_none(view: str, downloads: Downloads) -> None:
    name, address = VIEWS[view]
    app = new_page(name, **address)
    app.session_state[f"panel_open_{view}"] = True
    app.run()
    assert not [name for name in downloads if "none" in name.lower()]


def test_the_classification_report_is_saved_in_shares(downloads: Downloads) -> None:
    open_page("results", run="four", view="Classes")
    saved = table(downloads.by_key("classes"))
    answers = services.read_test_predictions(services.read_run("four"))
    wanted = sk.precision_recall_fscore_support(answers.labels, answers.probabilities.argmax(1))
    assert saved["class"].tolist()[:10] == list(CIFAR10.class_names)
    saved = saved[:10]
    for column, values in zip(("precision", "recall", "F1"), wanted[:3], strict=True):
        assert np.allclose(saved[column], values, rtol=1e-5)


def test_precision_against_recall_is_saved_as_scikit_learn_has_it(downloads: Downloads) -> None:
    open_page("results", run="four", view="Classes")
    saved = table(downloads.by_key("precision_csv"))
    answers = services.read_test_predictions(services.read_run("four"))
    assert saved["class"].unique().tolist() == list(CIFAR10.class_names)
    for label, name in ((0, "airplane"), (3, "cat")):
        truth, shares = answers.labels == label, answers.probabilities[:, label]
        points = saved[saved["class"] == name][["recall", "precision", "threshold"]].to_numpy(float)
        for recall, precision, threshold in points[5:-5:10]:
            # The last digit of the threshold is rounded: it may lie on either side of an image.
            found = [shares >= threshold * (1 + change) for change in (-1e-5, 1e-5)]
            recalls = [sk.recall_score(truth, each) for each in found]
            precisions = [sk.precision_score(truth, each) for each in found]
            assert min(recalls) - 1e-5 <= recall <= max(recalls) + 1e-5
            assert min(precisions) - 1e-5 <= precision <= max(precisions) + 1e-5


def test_the_matrix_is_saved_in_the_order_that_is_shown(downloads: Downloads) -> None:
    open_page("results", run="four", order="vehicles | animals")
    saved = table(downloads.by_key("matrix_csv"))
    answers = services.read_test_predictions(services.read_run("four"))
    wanted = sk.confusion_matrix(answers.labels, answers.probabilities.argmax(1))
    assert saved["shows"].tolist()[:4] == ["airplane", "automobile", "ship", "truck"]
    assert saved["taken for truck"][2] == wanted[8, 9]
    assert saved["taken for ship"][4] == wanted[2, 8]


def test_the_matrix_of_a_training_is_saved(downloads: Downloads) -> None:
    app = new_page("train", run="four")
    app.session_state["panel_open_matrix"] = True
    app.run()
    saved = table(downloads.by_key("panel_matrix_csv"))
    answers = services.read_predictions(services.read_run("four"))
    wanted = sk.confusion_matrix(answers.labels, answers.probabilities.argmax(1))
    assert np.array_equal(saved.iloc[:, 1:], wanted)


def test_the_learning_rate_is_saved(downloads: Downloads) -> None:
    app = new_page("train", run="four")
    app.session_state["panel_open_rate"] = True
    app.run()
    saved = table(downloads.by_key("panel_rate_csv"))
    rows = services.read_metrics("four")
    assert np.allclose(saved["epoch"], [row.epoch for row in rows])
    assert np.allclose(saved["learning rate"], [row.learning_rate for row in rows], rtol=1e-5)


def test_the_figures_of_every_epoch_are_saved_in_shares(downloads: Downloads) -> None:
    app = new_page("train", run="four")
    app.session_state["panel_open_figures"] = True
    app.run()
    saved = table(downloads.by_key("panel_csv"))
    rows = [row for row in services.read_metrics("four") if row.kind == "epoch"][::-1]
    assert np.allclose(saved["Training accuracy"], [row.accuracy for row in rows], rtol=1e-5)
    monitored = [float(row.monitored_accuracy or 0) for row in rows]
    assert np.allclose(saved["Validation accuracy"], monitored, rtol=1e-5)


def test_the_still_curves_are_those_of_the_run(downloads: Downloads) -> None:
    app = new_page("train", run="four")
    app.session_state["panel_open_curves"] = True
    app.run()
    charts = charts_of(app)
    rows = [row for row in services.read_metrics("four") if row.kind == "epoch"]
    accuracy, loss = (charts[f"panel_{name}_still_four"]["data"] for name in ("accuracy", "loss"))
    assert np.allclose(accuracy[0]["y"], [100 * row.accuracy for row in rows], atol=1e-4)
    assert np.allclose(accuracy[1]["y"], [100 * (row.monitored_accuracy or 0) for row in rows])
    assert np.allclose(loss[0]["y"], [row.loss for row in rows], atol=1e-4)
    assert np.allclose(loss[1]["y"], [row.monitored_loss or 0 for row in rows], atol=1e-4)


def test_the_map_is_saved_with_the_split_of_every_point(downloads: Downloads) -> None:
    kinds: dict[str, Kind] = {"t-SNE": "tsne", "PCA": "pca"}
    for layout, kind in kinds.items():
        app = open_page("dataset", part="Map", layout=layout)
        saved = table(downloads.by_key("csv_map"))
        located = services.read_places()
        assert np.allclose(saved[["x", "y"]], located.places.plane(kind), rtol=1e-4)
        sample = load_sample()
        of_test = saved["split"] == "test"
        assert sorted(saved["index"][of_test]) == sample.test.indices.tolist()
        assert sorted(saved["index"][~of_test]) == sample.train.indices.tolist()
        chart = charts_of(app)["map"]
        hollow = [
            symbol >= 100 for trace in chart["data"][:10] for symbol in trace["marker"]["symbol"]
        ]
        words = [text for trace in chart["data"][:10] for text in trace["text"]]
        assert hollow == [", train " in text for text in words]
        assert 0 < sum(hollow) < len(hollow)


def test_layers_side_by_side_are_saved(downloads: Downloads) -> None:
    open_page("networks", network="Side by side")
    saved = table(downloads.by_key("csv_pair"))
    for name in ("cnn4", "cnn6"):
        described = load_description(name)
        assert saved[f"{described.title} parameters"].sum() == described.parameters
        convolutions = saved[described.title].fillna("").str.startswith("Conv2D").sum()
        assert convolutions == sum(row.kind == "Conv2D" for row in described.layers)
    assert set(saved["difference"]) == {"same", "differs", "only one has it"}


def test_the_comparison_is_saved_in_shares_and_seconds(downloads: Downloads) -> None:
    open_page("compare", runs="four,six")
    saved = table(downloads.by_key("comparison_csv")).set_index("run")
    for run_id, name in (("four", "CNN-4"), ("six", "CNN-6")):
        run = services.read_run(run_id)
        figures = services.read_evaluation(run)
        assert figures is not None
        assert saved["test accuracy"][name] == pytest.approx(figures.accuracy, rel=1e-5)
        assert saved["test accuracy low"][name] < figures.accuracy
        assert saved["test accuracy high"][name] > figures.accuracy
        times = [row.epoch_seconds or 0 for row in services.read_metrics(run_id)]
        assert saved["seconds per epoch"][name] == pytest.approx(np.median(times), rel=1e-5)
    tutorial = published("cnn6").accuracy.value
    assert saved["test accuracy"]["Tutorial CNN-6"] == pytest.approx(tutorial)


def test_the_tutorials_figure_is_saved_with_its_pixels(downloads: Downloads) -> None:
    open_page("dataset", seed="7")
    train = load_sample().train
    places = draw_figure(train, 7)
    svg = ET.fromstring(downloads.by_key("figure_svg"))
    images = [element.attrib for element in svg if element.tag.endswith("image")]
    with Image.open(io.BytesIO(downloads.by_key("figure_png"))) as opened:
        pixels = np.asarray(opened)
    assert len(images) == 10
    for place, known in zip(places, images, strict=True):
        x, y = (round(2 * float(known[name])) for name in ("x", "y"))
        shown = pixels[y : y + 256 : 8, x : x + 256 : 8]
        assert np.array_equal(shown, train.images[place])
    words = " ".join(element.text or "" for element in svg)
    for name, index in zip(CIFAR10.class_names, train.indices[places], strict=True):
        assert f"{name} {index}, batch" in words


@pytest.mark.parametrize(
    ("part", "layer", "tiles"),
    [("Filters", "all", 32), ("Activations", "1", 32), ("Activations", "all", 4 * 6 + 1 + 2 + 20)],
)
def test_filters_and_activations_are_saved(
    part: str, layer: str, tiles: int, downloads: Downloads
) -> None:
    open_page("networks", network="CNN-4", part=part, layer=layer)
    svg = ET.fromstring(downloads.by_key("inside_svg"))
    assert len([element for element in svg if element.tag.endswith("image")]) == tiles
    with Image.open(io.BytesIO(downloads.by_key("inside_png"))) as opened:
        assert opened.size[0] == 2 * float(svg.attrib["width"])
        assert len(opened.convert("RGB").getcolors(1_000_000) or ()) > 50


def test_the_drawing_of_a_network_is_saved(downloads: Downloads) -> None:
    open_page("networks", network="CNN-6")
    svg = ET.fromstring(downloads.by_key("drawing_cnn6_svg"))
    words = [element.text for element in svg if element.tag.endswith("text")]
    assert words.count("convolution") == 6
    with Image.open(io.BytesIO(downloads.by_key("drawing_cnn6_png"))) as opened:
        assert opened.size == (2 * float(svg.attrib["width"]), 2 * float(svg.attrib["height"]))


def test_a_time_sorts_as_a_time_and_an_epoch_as_a_number(runs_dir: Path) -> None:
    seconds = {"a": 840.0, "b": 4980.0, "c": 400_000.0, "d": 9.0}
    for run_id, length in seconds.items():
        folder = fabricate(
            runs_dir, Fake(run_id=run_id, name=run_id, done=2, epochs=12, state=State.STOPPED)
        )
        status = json.loads(folder.status_path.read_bytes())
        folder.status_path.write_text(json.dumps(status | {"running_seconds": length}))
    runs = next(item.value for item in open_page("train").dataframe if "Training" in item.value)
    own = runs[runs["Run"].isin(seconds)].sort_values("Training")
    assert own["Run"].tolist() == ["d", "a", "b", "c"]
    assert set(own["Epoch"]) == {2}
    assert runs["Accuracy"].max() < 1


def test_training_curves_are_drawn_when_asked_for() -> None:
    for measure, field, factor in (("Accuracy", "accuracy", 100), ("Loss", "loss", 1)):
        plain, asked = (
            charts_of(open_page("compare", runs="four,six", measure=measure, training=training))
            for training in ("false", "true")
        )
        lines = {trace["name"]: trace for trace in asked["learning_curves"]["data"]}
        rows = [row for row in services.read_metrics("four") if row.kind == "epoch"]
        wanted = [factor * getattr(row, field) for row in rows]
        assert np.allclose(lines["CNN-4, train"]["y"], wanted, atol=1e-4)
        assert "CNN-4, train" not in {t["name"] for t in plain["learning_curves"]["data"]}


def test_the_minutes_of_the_training_curves_are_those_of_the_run() -> None:
    page = open_page("compare", runs="four,six", against="Minutes", training="true")
    lines = {trace["name"]: trace for trace in charts_of(page)["learning_curves"]["data"]}
    assert lines["CNN-6, train"]["x"] == lines["CNN-6, validation"]["x"]
    rows = [row for row in services.read_metrics("six") if row.kind == "epoch"]
    assert lines["CNN-6, train"]["x"][0] == pytest.approx(rows[0].seconds / 60, abs=1e-3)


def test_a_csv_holds_no_noise(downloads: Downloads) -> None:
    open_page("results", run="four")
    key = next(key for key in downloads.names if key.startswith("csv-four"))
    rows = list(csv.reader(io.StringIO(downloads.by_key(key).decode("utf-8-sig"))))
    shares = [cell for row in rows[1:] for cell in row[4:]]
    assert shares
    assert max(map(len, shares)) <= len("0.12345") + 4  # an exponent at most


SIGNED = "*b* [x](y)_1"


def test_a_select_box_shows_a_name_as_it_was_typed(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="signed", name=SIGNED))
    for name, address, key in (
        ("dataset", {"part": "Augmentation"}, "recipe"),
        ("results", {}, "results_run"),
    ):
        options = open_page(name, **address).selectbox(key=key).options
        assert [option for option in options if SIGNED in option]
        assert not [option for option in options if "\\" in option]


def test_a_segmented_control_reads_no_markdown_in_a_name(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="signed", name=SIGNED, created_at=9.0))
    app = open_page("compare", runs="signed,six", look="Mistakes")
    assert app.segmented_control(key="side").options[0] == plain(SIGNED)


def test_the_runs_of_one_name_can_be_told_apart_where_they_are_chosen(runs_dir: Path) -> None:
    for run_id in ("twin-a", "twin-b"):
        fabricate(runs_dir, Fake(run_id=run_id, name="twin", seed=7))
    results, compare, report = (open_page(name) for name in ("results", "compare", "report"))
    for options in (
        results.selectbox(key="results_run").options,
        compare.multiselect(key="compare_runs").options,
        report.multiselect(key="report_runs").options,
    ):
        twins = [option for option in options if option.startswith("twin ·")]
        assert sorted(option.rpartition("(")[2] for option in twins) == ["twin-a)", "twin-b)"]
