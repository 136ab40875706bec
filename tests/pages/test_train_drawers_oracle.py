"""What the drawers below a run on Train show, held against the run's files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.runs.folder import RunFolder
from tests.pages.oracle import CLASSES, RunFiles, images
from tests.pages.oracle_images import csv_of, galleries_of
from tests.pages.oracle_runs import best_of, last_answers, make_runs
from tests.pages.shown import Downloads, charts_of, new_page, tables_of

pytestmark = pytest.mark.data

RUNS = ("first", "third")
"""One watches held-out training images, the other the test images; their epochs differ too."""


@pytest.fixture
def runs(runs_dir: Path) -> dict[str, RunFiles]:
    return make_runs(runs_dir)


def open_drawer(run_id: str, name: str) -> AppTest:
    app = new_page("train", run=run_id)
    app.session_state[f"panel_open_{name}"] = True
    app.run()
    assert not app.exception
    return app


def first_places(files: RunFiles) -> list[int]:
    """Returns the place of the first monitored image of each class."""
    labels = last_answers(files).labels
    return [int(np.flatnonzero(labels == label)[0]) for label in range(10)]


def course(files: RunFiles) -> np.ndarray:
    """Returns the probability of each first image's true class, (epochs, 10)."""
    places = first_places(files)
    epochs = range(1, len(files.metrics) + 1)
    return np.array([files.epoch(epoch).shares[places, range(10)] for epoch in epochs])


@pytest.mark.parametrize("run_id", RUNS)
def test_the_matrix_is_scikit_learns_after_the_last_epoch(
    runs: dict[str, RunFiles], run_id: str
) -> None:
    cells = charts_of(open_drawer(run_id, "matrix"))[f"panel_matrix_{run_id}"]["data"][0]
    assert list(cells["x"]) == list(cells["y"]) == list(CLASSES)
    assert np.array_equal(np.array(cells["z"], float), last_answers(runs[run_id]).matrix)


@pytest.mark.parametrize("run_id", RUNS)
def test_the_ten_images_are_the_first_of_each_class_as_last_predicted(
    runs: dict[str, RunFiles], run_id: str
) -> None:
    answers, places = last_answers(runs[run_id]), first_places(runs[run_id])
    (gallery,) = galleries_of(open_drawer(run_id, "pictures"))
    split = answers.split
    wanted = [(split, int(index)) for index in answers.indices[places]]
    assert [cell.links for cell in gallery] == [[link] for link in wanted]
    assert [cell.lines[0] for cell in gallery] == list(CLASSES)
    guesses = [CLASSES[guess] for guess in answers.guesses[places]]
    assert [cell.lines[1].split()[-1] for cell in gallery] == guesses
    shown = [float(cell.lines[2].split("%")[0]) for cell in gallery]
    confidence = 100 * answers.shares[places].max(axis=1)
    assert shown == pytest.approx(confidence.tolist(), abs=0.51)
    for cell, index in zip(gallery, answers.indices[places], strict=True):
        step = cell.images[0].shape[0] // 32
        assert np.array_equal(cell.images[0][::step, ::step], images(split)[index])


@pytest.mark.parametrize("run_id", RUNS)
def test_the_heat_map_has_a_row_an_image_and_a_column_an_epoch(
    runs: dict[str, RunFiles], run_id: str
) -> None:
    files = runs[run_id]
    cells = charts_of(open_drawer(run_id, "pictures"))[f"panel_pictures_{run_id}"]["data"][0]
    assert list(cells["x"]) == [round(epoch) for epoch in files.column("epoch")]
    assert list(cells["y"]) == list(CLASSES)
    assert np.array(cells["z"], float) == pytest.approx(100 * course(files).T, abs=0.051)


@pytest.mark.parametrize("run_id", RUNS)
def test_the_csv_of_the_images_is_the_heat_map(
    runs: dict[str, RunFiles], run_id: str, downloads: Downloads
) -> None:
    files = runs[run_id]
    open_drawer(run_id, "pictures")
    saved = csv_of(downloads.by_key("panel_pictures_csv"))
    assert list(saved["Epoch"]) == files.column("epoch")
    assert saved[list(CLASSES)].to_numpy() == pytest.approx(course(files), rel=1e-5)


@pytest.mark.parametrize("run_id", RUNS)
def test_the_figures_of_every_epoch_are_those_of_metrics_jsonl(
    runs: dict[str, RunFiles], run_id: str, downloads: Downloads
) -> None:
    files = runs[run_id]
    app = open_drawer(run_id, "figures")
    table, saved = list(tables_of(app).values())[-1], csv_of(downloads.by_key("panel_csv"))
    split = files.recipe["monitored_split"].capitalize()
    (speed,) = [name for name in table if str(name).endswith("per second")]
    columns = {
        "Training loss": "loss",
        f"{split} loss": "monitored_loss",
        "Learning rate": "learning_rate",
        speed: "images_per_second",
        "Seconds": "epoch_seconds",
    }
    for shown in (table, saved):
        assert list(shown["Epoch"]) == files.column("epoch")[::-1]
        for name, key in columns.items():
            assert list(shown[name]) == pytest.approx(files.column(key)[::-1], rel=1e-5), name
        for name, key in (("Training", "accuracy"), (split, "monitored_accuracy")):
            shares = shown[f"{name} accuracy"]
            assert list(shares) == pytest.approx(files.column(key)[::-1], rel=1e-5), name


def test_the_accuracies_of_metrics_jsonl_are_those_of_the_predictions(
    runs: dict[str, RunFiles],
) -> None:
    for files in runs.values():
        counted = [files.epoch(epoch + 1).accuracy for epoch in range(len(files.metrics))]
        assert counted == pytest.approx(files.column("monitored_accuracy"), abs=1e-12)


@pytest.mark.parametrize("run_id", RUNS)
def test_the_learning_rate_is_that_of_metrics_jsonl(runs: dict[str, RunFiles], run_id: str) -> None:
    line = charts_of(open_drawer(run_id, "rate"))[f"panel_rate_{run_id}"]["data"][0]
    assert list(line["x"]) == runs[run_id].column("epoch")
    assert list(line["y"]) == pytest.approx(runs[run_id].column("learning_rate"), abs=1e-5)


@pytest.mark.parametrize("run_id", RUNS)
def test_the_csv_of_the_learning_rate_is_metrics_jsonl(
    runs: dict[str, RunFiles], run_id: str, downloads: Downloads
) -> None:
    open_drawer(run_id, "rate")
    saved = csv_of(downloads.by_key("panel_rate_csv"))
    for name, key in (("epoch", "epoch"), ("learning rate", "learning_rate")):
        assert list(saved[name]) == pytest.approx(runs[run_id].column(key), rel=1e-5)


@pytest.mark.parametrize("run_id", RUNS)
def test_the_csv_of_the_matrix_is_scikit_learns(
    runs: dict[str, RunFiles], run_id: str, downloads: Downloads
) -> None:
    open_drawer(run_id, "matrix")
    saved = csv_of(downloads.by_key("panel_matrix_csv"))
    assert list(saved.iloc[:, 0]) == list(CLASSES)
    assert [name.split()[-1] for name in saved.columns[1:]] == list(CLASSES)
    assert np.array_equal(saved.iloc[:, 1:], last_answers(runs[run_id]).matrix)


@pytest.mark.parametrize("run_id", RUNS)
@pytest.mark.parametrize("value", ["accuracy", "loss"])
def test_the_curves_to_save_are_metrics_jsonl(
    runs: dict[str, RunFiles], run_id: str, value: str
) -> None:
    files = runs[run_id]
    charts = charts_of(open_drawer(run_id, "curves"))
    lines = {trace["name"]: trace for trace in charts[f"panel_{value}_still_{run_id}"]["data"]}
    scale = 100 if value == "accuracy" else 1
    monitored = files.recipe["monitored_split"]
    wanted = {"training, train": value, f"{monitored}, {monitored}": f"monitored_{value}"}
    for name, key in wanted.items():
        line, column = lines.pop(name), np.array(files.column(key))
        assert list(line["x"]) == files.column("epoch")
        assert list(line["y"]) == pytest.approx((scale * column).tolist(), abs=1e-4)
    assert {tuple(mark["x"]) for mark in lines.values()} <= {(best_of(files)[0],)}
    assert len(lines) == (value == "accuracy")


@pytest.mark.parametrize("run_id", RUNS)
def test_the_log_is_the_runs_own_its_end_shown_and_all_of_it_saved(
    runs: dict[str, RunFiles], run_id: str, downloads: Downloads
) -> None:
    app = open_drawer(run_id, "log")
    whole = RunFolder(runs[run_id].path).log_path.read_text()
    shown = app.code[0].value.splitlines()
    assert 1 < len(shown) < 100
    assert shown == whole.splitlines()[-len(shown) :]
    assert downloads.by_key("panel_log").decode() == whole
