from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk
from streamlit.testing.v1 import AppTest

from tests.pages.judged import FOUR, HALF, PRINTED, SIX, TWIN
from tests.pages.oracle import (
    CLASSES,
    VEHICLES_FIRST,
    Answers,
    RunFiles,
    accuracy_words,
    calibration_error,
    reliability,
    wilson,
)
from tests.pages.sheets import csv_of, numbers, says, table_with
from tests.pages.shown import Downloads, charts_of, metrics_of, open_page

pytestmark = pytest.mark.usefixtures("judged")

WATCHED = "Validation pictures by epoch"
"""What the page calls the choice of the watched images."""


def drawn(app: AppTest, key: str = "matrix") -> np.ndarray:
    """Returns the numbers of a matrix as drawn, rows true; not a number where none stands."""
    chart = charts_of(app)[key]
    assert chart["layout"]["xaxis"]["title"]["text"] == "Predicted class"
    assert chart["layout"]["yaxis"]["title"]["text"] == "True class"
    return np.array(chart["data"][0]["z"], float)


def words(answers: Answers) -> str:
    return accuracy_words(int(answers.is_right.sum()), len(answers.labels))


@pytest.mark.parametrize("run_id", [FOUR, SIX])
def test_the_headline_is_computed_anew_from_the_stored_answers(judged: Path, run_id: str) -> None:
    run = RunFiles(judged / run_id)
    answers = run.test()
    ece = calibration_error(answers.calibrated(run.temperature))
    mirrored = run.evaluation["accuracy_mirrored"]
    wanted = [words(answers), f"{answers.top5:.1%}", f"{mirrored:.1%}", f"{ece:.1%}"]
    assert len(set(wanted)) == 4
    assert list(metrics_of(open_page("results", run=run_id)).values()) == wanted


def test_the_calibration_error_of_a_run_without_temperature_is_that_as_trained(
    judged: Path,
) -> None:
    shown = metrics_of(open_page("results", run=PRINTED))
    answers = RunFiles(judged / PRINTED).test()
    assert list(shown.values())[3] == f"{calibration_error(answers):.1%}"


def test_a_run_on_its_way_shows_its_last_epoch_and_its_best(judged: Path) -> None:
    run = RunFiles(judged / HALF)
    best = max(run.column("monitored_accuracy"))
    last = run.epoch(2)
    shown = list(metrics_of(open_page("results", run=HALF)).values())
    assert shown == [words(last), f"{last.top5:.1%}", f"{best:.1%}"]


def test_the_newest_finished_run_is_shown_first(judged: Path) -> None:
    assert np.array_equal(drawn(open_page("results")), RunFiles(judged / SIX).test().matrix)


@pytest.mark.parametrize("run_id", [FOUR, TWIN, SIX, PRINTED])
def test_the_matrix_is_that_of_the_run_in_the_address(judged: Path, run_id: str) -> None:
    app = open_page("results", run=run_id)
    assert np.array_equal(drawn(app), RunFiles(judged / run_id).test().matrix)
    assert app.query_params["run"] in (run_id, [run_id])


def test_choosing_another_run_changes_matrix_headline_and_address(judged: Path) -> None:
    app = open_page("results", run=SIX)
    app.selectbox(key="results_run").set_value(TWIN).run()
    answers = RunFiles(judged / TWIN).test()
    assert np.array_equal(drawn(app), answers.matrix)
    assert next(iter(metrics_of(app).values())) == words(answers)
    assert app.query_params["run"] in (TWIN, [TWIN])


@pytest.mark.parametrize("epoch", [1, 3, 6])
def test_the_slider_shows_the_epoch_that_it_names(judged: Path, epoch: int) -> None:
    app = open_page("results", run=FOUR, split=WATCHED, epoch=str(epoch))
    answers = RunFiles(judged / FOUR).epoch(epoch)
    assert app.slider(key="epoch").value == epoch
    assert np.array_equal(drawn(app), answers.matrix)
    assert says(app, f"epoch {epoch},", "5,000 validation")


def test_moving_the_slider_shows_another_epoch(judged: Path) -> None:
    app = open_page("results", run=FOUR, split=WATCHED)
    assert np.array_equal(drawn(app), RunFiles(judged / FOUR).epoch(6).matrix)
    app.slider(key="epoch").set_value(5).run()
    assert np.array_equal(drawn(app), RunFiles(judged / FOUR).epoch(5).matrix)


def test_a_run_that_watched_the_test_images_shows_these_by_epoch(judged: Path) -> None:
    app = open_page("results", run=PRINTED, split="Test pictures by epoch", epoch="2")
    assert np.array_equal(drawn(app), RunFiles(judged / PRINTED).epoch(2).matrix)


@pytest.mark.parametrize(("start", "first"), [(6, 1), (2, 2)])
def test_played_epochs_come_one_after_another(judged: Path, start: int, first: int) -> None:
    run = RunFiles(judged / FOUR)
    app = open_page("results", run=FOUR, split=WATCHED, epoch=str(start))
    app.button(key="play").click().run()
    for epoch in range(first, 6):
        answers = run.epoch(epoch)
        assert np.array_equal(drawn(app, "chart 0"), answers.matrix)
        assert words(answers) in metrics_of(app).values()
        app.run()
    assert app.slider(key="epoch").value == 6
    assert np.array_equal(drawn(app), run.epoch(6).matrix)


@pytest.mark.parametrize(("cells", "axis"), [("% of true", 1), ("% of predicted", 0)])
def test_the_matrix_in_percent_sums_to_a_hundred(judged: Path, cells: str, axis: int) -> None:
    counts = RunFiles(judged / FOUR).test().matrix
    shares = drawn(open_page("results", run=FOUR, cells=cells))
    assert np.allclose(shares, 100 * counts / counts.sum(axis=axis, keepdims=True), atol=0.006)
    assert np.allclose(shares.sum(axis=axis), 100, atol=0.06)
    assert not np.allclose(shares.sum(axis=1 - axis), 100, atol=0.06)


def test_without_right_answers_the_diagonal_is_empty_and_the_rest_as_before(judged: Path) -> None:
    chart = charts_of(open_page("results", run=FOUR, diagonal="false"))["matrix"]["data"][0]
    counts = RunFiles(judged / FOUR).test().matrix.astype(float)
    np.fill_diagonal(counts, np.nan)
    assert np.array_equal(np.array(chart["z"], float), counts, equal_nan=True)
    assert chart["zmax"] == np.nanmax(counts)


def test_the_other_order_moves_rows_columns_and_clicks_together(judged: Path) -> None:
    chart = charts_of(open_page("results", run=FOUR, order="vehicles | animals"))["matrix"]["data"]
    counts = RunFiles(judged / FOUR).test().matrix
    assert chart[0]["x"] == chart[0]["y"] == [CLASSES[label] for label in VEHICLES_FIRST]
    assert np.array_equal(chart[0]["z"], counts[np.ix_(VEHICLES_FIRST, VEHICLES_FIRST)])
    for x, y, (true, guess) in zip(
        chart[1]["x"], chart[1]["y"], chart[1]["customdata"], strict=True
    ):
        assert (y, x) == (CLASSES[true], CLASSES[guess])


@pytest.mark.parametrize("order", ["dataset", "vehicles | animals"])
def test_the_chosen_cell_is_framed_at_its_row_and_column(order: str) -> None:
    app = open_page("results", run=FOUR, order=order, true="truck", predicted="bird")
    chart = charts_of(app)["matrix"]
    (frame,) = [shape for shape in chart["layout"]["shapes"] if shape["type"] == "rect"]
    row, column = chart["data"][0]["y"].index("truck"), chart["data"][0]["x"].index("bird")
    assert (frame["y0"], frame["y1"]) == (row - 0.5, row + 0.5)
    assert (frame["x0"], frame["x1"]) == (column - 0.5, column + 0.5)


@pytest.mark.parametrize("address", [{}, {"split": WATCHED, "epoch": "3"}])
def test_the_matrix_as_a_table_and_as_csv_holds_the_counts(
    judged: Path, downloads: Downloads, address: dict[str, str]
) -> None:
    run = RunFiles(judged / FOUR)
    app = open_page("results", run=FOUR, cells="% of true", diagonal="false", **address)
    counts = (run.epoch(3) if address else run.test()).matrix
    table = table_with(app, "taken for cat")
    assert table["shows"].tolist() == list(CLASSES)
    for sheet in (table, csv_of(downloads, "matrix_csv")):
        shown = [numbers(sheet, f"taken for {name}") for name in CLASSES]
        assert np.array_equal(np.transpose(shown), counts)
    assert ("test" if not address else "validation-epoch-3") in downloads.names["matrix_csv"]


def saved(downloads: Downloads, **address: str) -> Any:
    open_page("results", **address)
    return json.loads(downloads.by_key("figures_json"))


@pytest.mark.parametrize("address", [{}, {"split": WATCHED, "epoch": "2"}])
def test_the_saved_figures_are_those_of_the_answers_shown(
    judged: Path, downloads: Downloads, address: dict[str, str]
) -> None:
    run = RunFiles(judged / FOUR)
    answers = run.epoch(2) if address else run.test()
    whole = saved(downloads, run=FOUR, **address)
    shown = whole["shown"]
    assert (whole["run"], whole["device"]) == (FOUR, "machine A")
    assert whole["evaluation"] == run.evaluation
    assert whole["recipe"] == run.recipe
    assert (shown["split"], shown["epoch"]) == (("validation", 2) if address else ("test", 6))
    assert (shown["right"], shown["pictures"]) == (answers.is_right.sum(), len(answers.labels))
    assert shown["accuracy"] == pytest.approx(answers.accuracy, abs=1e-9)
    assert shown["interval"] == pytest.approx(
        wilson(int(answers.is_right.sum()), len(answers.labels)), abs=1e-9
    )
    assert shown["top5"] == pytest.approx(answers.top5, abs=1e-9)
    assert shown["confusion_matrix"] == answers.matrix.tolist()


def test_the_saved_classes_are_those_of_scikit_learn(judged: Path, downloads: Downloads) -> None:
    answers = RunFiles(judged / TWIN).test()
    rows = {row["class"]: row for row in saved(downloads, run=TWIN)["shown"]["classes"]}
    report = sk.precision_recall_fscore_support(answers.labels, answers.guesses)
    for label, name in enumerate(CLASSES):
        area = sk.average_precision_score(answers.labels == label, answers.shares[:, label])
        row = rows[name]
        shown = [row[key] for key in ("precision", "recall", "F1", "support", "average_precision")]
        assert shown == pytest.approx([*(part[label] for part in report), area], abs=1e-9)


def test_the_saved_confidence_is_as_trained_and_with_the_temperature(
    judged: Path, downloads: Downloads
) -> None:
    run = RunFiles(judged / FOUR)
    shown = saved(downloads, run=FOUR)["shown"]
    assert shown["temperature"] == run.temperature
    answers = run.test()
    for kind, wanted in zip(
        shown["confidence"], (answers, answers.calibrated(run.temperature)), strict=True
    ):
        assert kind["calibration_error"] == pytest.approx(calibration_error(wanted), abs=1e-6)
        rows = [row for row in kind["reliability"] if row["count"]]
        found = [(row["count"], row["confidence"], row["accuracy"]) for row in rows]
        assert np.allclose(found, reliability(wanted), atol=1e-6)
    early = saved(downloads, run=FOUR, split=WATCHED, epoch="2")["shown"]
    assert early["temperature"] is None
    assert len(early["confidence"]) == 1
