from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from tests.pages.judged import FOUR, HALF, PRINTED, SIX, TWIN
from tests.pages.oracle import (
    CLASSES,
    Answers,
    RunFiles,
    calibration_error,
    coverage,
    reliability,
)
from tests.pages.sheets import AVERAGE_PRECISION, csv_of, numbers, says, table_with
from tests.pages.shown import Downloads, charts_of, metrics_of, open_page, words_of

pytestmark = pytest.mark.usefixtures("judged")

EARLY = {"split": "Validation pictures by epoch", "epoch": "2"}
REPORT = ("precision", "recall", "F1", "support", AVERAGE_PRECISION)


def report_of(answers: Answers) -> np.ndarray:
    """Returns precision, recall, F1, support and average precision of each class (10, 5)."""
    areas = [
        sk.average_precision_score(answers.labels == label, answers.shares[:, label])
        for label in range(10)
    ]
    figures = sk.precision_recall_fscore_support(answers.labels, answers.guesses)
    return np.transpose([*figures, areas])


def axes_of(chart: dict[str, Any]) -> tuple[str, str]:
    """Returns the titles of both axes in small letters."""
    layout = chart["layout"]
    return layout["xaxis"]["title"]["text"].casefold(), layout["yaxis"]["title"]["text"].casefold()


@pytest.mark.parametrize(("run_id", "address"), [(FOUR, {}), (FOUR, EARLY), (SIX, {})])
def test_the_report_and_its_csv_are_those_of_scikit_learn(
    judged: Path, downloads: Downloads, run_id: str, address: dict[str, str]
) -> None:
    run = RunFiles(judged / run_id)
    wanted = report_of(run.epoch(2) if address else run.test())
    app = open_page("results", run=run_id, view="Classes", **address)
    for sheet in (table_with(app, *REPORT), csv_of(downloads, "classes")):
        classes = sheet[sheet["class"].isin(CLASSES)]
        assert classes["class"].tolist() == list(CLASSES)
        shown = np.transpose([numbers(classes, name) for name in REPORT])
        assert np.allclose(shown, wanted, rtol=1e-5)


def test_the_pairs_most_often_confused_stand_in_their_order(judged: Path) -> None:
    counts = RunFiles(judged / FOUR).test().matrix
    cells = [(counts[t, p], t, p) for t in range(10) for p in range(10) if t != p]
    app = open_page("results", run=FOUR, view="Classes")
    texts = [item.value for item in app.text if " of 1,000 " in item.value]
    assert len(texts) == 8
    for text, (count, true, guess) in zip(texts, sorted(cells, reverse=True)[:8], strict=True):
        assert text.startswith(f"{count} of 1,000 {CLASSES[true]}")
        assert f"for {CLASSES[guess]}" in text
        assert f"{count / 1000:.1%}" in text


@pytest.mark.parametrize("address", [{}, EARLY])
def test_the_precision_recall_curves_are_those_of_scikit_learn(
    judged: Path, address: dict[str, str]
) -> None:
    run = RunFiles(judged / FOUR)
    answers = run.epoch(2) if address else run.test()
    chart = charts_of(open_page("results", run=FOUR, view="Classes", **address))["precision"]
    x, y = axes_of(chart)
    assert "recall" in x
    assert "precision" in y
    assert [line["name"] for line in chart["data"]] == list(CLASSES)
    for label, line in enumerate(chart["data"]):
        precision, recall, thresholds = sk.precision_recall_curve(
            answers.labels == label, answers.shares[:, label]
        )
        known = pd.DataFrame(
            {"x": 100 * recall[:-1], "y": 100 * precision[:-1], "at": 100 * thresholds}
        )
        points = list(zip(line["x"], line["y"], line["customdata"], strict=True))
        assert len(points) > 30
        for point in points:
            assert np.abs(known.to_numpy() - point).max(axis=1).min() < 0.051
        assert (points[0][0], points[-1][0]) == pytest.approx(
            (known["x"].min(), known["x"].max()), abs=0.01
        )


def test_the_highlighted_class_stands_out_with_its_average_precision(judged: Path) -> None:
    app = open_page("results", run=TWIN, view="Classes", class_="ship")
    lines = charts_of(app)["precision"]["data"]
    assert [line["name"] for line in lines if line["opacity"] == 1] == ["ship"]
    assert lines[-1]["name"] == "ship"  # on top
    answers = RunFiles(judged / TWIN).test()
    wanted = sk.average_precision_score(answers.labels == 8, answers.shares[:, 8])
    assert says(app, "ship", f"{wanted:.1%}")


def kinds_of(run: RunFiles) -> list[Answers]:
    """Returns the test answers as trained and with the temperature, as the charts draw them."""
    return [run.test(), run.test().calibrated(run.temperature)]


@pytest.mark.parametrize("run_id", [FOUR, SIX])
def test_the_confidence_metrics_are_computed_anew(judged: Path, run_id: str) -> None:
    run = RunFiles(judged / run_id)
    values = list(metrics_of(open_page("results", run=run_id, view="Confidence")).values())
    errors = [f"{calibration_error(kind):.1%}" for kind in kinds_of(run)]
    assert values[-3:] == [*errors, f"{run.temperature:.2f}"]


def test_reliability_draws_confidence_to_the_right_and_accuracy_upwards(judged: Path) -> None:
    run = RunFiles(judged / FOUR)
    chart = charts_of(open_page("results", run=FOUR, view="Confidence"))["reliability"]
    x, y = axes_of(chart)
    assert "sure" in x or "confidence" in x
    assert "right" in y or "correct" in y or "accuracy" in y
    ideal, *lines = chart["data"]
    assert ideal["x"] == ideal["y"] == [0, 100]
    for line, answers in zip(lines, kinds_of(run), strict=True):
        counts, confidence, accuracy = np.transpose(reliability(answers))
        assert np.allclose(line["x"], 100 * confidence, atol=0.0051)
        assert np.allclose(line["y"], 100 * accuracy, atol=0.0051)
        assert np.argmax(line["marker"]["size"]) == np.argmax(counts)
        assert not np.allclose(line["x"], line["y"], atol=1)


def test_the_line_as_trained_steps_back_behind_the_calibrated_one(judged: Path) -> None:
    temperature = RunFiles(judged / FOUR).temperature
    charts = charts_of(open_page("results", run=FOUR, view="Confidence"))
    for lines in (charts["reliability"]["data"][1:], charts["kept"]["data"]):
        assert [line["line"]["dash"] for line in lines] == ["dot", "solid"]
        assert f"{temperature:.2f}" in lines[1]["name"]
        assert f"{temperature:.2f}" not in lines[0]["name"]


def test_the_reliability_table_and_csv_hold_the_bins(judged: Path, downloads: Downloads) -> None:
    run = RunFiles(judged / FOUR)
    app = open_page("results", run=FOUR, view="Confidence")
    for sheet in (table_with(app, "low", "high", "count"), csv_of(downloads, "reliability_csv")):
        assert len(sheet) == 30
        names = list(dict.fromkeys(sheet["answers"]))
        for name, answers in zip(names, kinds_of(run), strict=True):
            rows = sheet[(sheet["answers"] == name) & (sheet["count"] > 0)]
            found = [numbers(rows, key) for key in ("count", "confidence", "accuracy")]
            assert np.allclose(np.transpose(found), reliability(answers), atol=1e-6)
            assert (rows["low"] < rows["confidence"]).all()
            assert (rows["confidence"] <= rows["high"]).all()


def test_fewer_answers_kept_are_better_answers(judged: Path, downloads: Downloads) -> None:
    run = RunFiles(judged / FOUR)
    app = open_page("results", run=FOUR, view="Confidence")
    chart = charts_of(app)["kept"]
    x, y = axes_of(chart)
    assert "kept" in x
    assert "right" in y or "correct" in y or "accuracy" in y
    table, sheet = table_with(app, "share kept"), csv_of(downloads, "kept_csv")
    for place, (line, answers) in enumerate(zip(chart["data"], kinds_of(run), strict=True)):
        threshold, kept, accuracy = np.transpose(coverage(answers))
        assert np.allclose(line["x"], 100 * kept, atol=0.0051)
        assert np.allclose(line["y"], 100 * accuracy, atol=0.0051)
        assert np.allclose(line["customdata"], 100 * threshold)
        for rows in (table, sheet):
            mine = rows.iloc[101 * place : 101 * place + len(kept)]
            assert np.allclose(mine["at least so sure"], threshold)
            assert np.allclose(mine["share kept"], kept)
            assert np.allclose(mine["of these right"].astype(float), accuracy)


def test_the_threshold_for_95_of_100_is_that_of_the_calibrated_answers(judged: Path) -> None:
    trained, served = (
        next(point for point in coverage(kind) if point[2] >= 0.95)
        for kind in kinds_of(RunFiles(judged / SIX))
    )
    assert trained[0] != served[0]
    app = open_page("results", run=SIX, view="Confidence")
    assert says(app, "95", f"{served[0]:.0%}", f"{served[1]:.1%}")


@pytest.mark.parametrize(("run_id", "address"), [(FOUR, EARLY), (PRINTED, {}), (HALF, {})])
def test_no_temperature_is_applied_where_none_belongs(
    judged: Path, run_id: str, address: dict[str, str]
) -> None:
    run = RunFiles(judged / run_id)
    answers = run.test() if run_id == PRINTED else run.epoch(2)
    app = open_page("results", run=run_id, view="Confidence", **address)
    (line,) = charts_of(app)["reliability"]["data"][1:]
    assert np.allclose(line["y"], [100 * row[2] for row in reliability(answers)], atol=0.0051)
    assert app.metric[-1].value == f"{calibration_error(answers):.1%}"


@pytest.mark.parametrize("address", [{}, EARLY])
def test_the_advice_names_the_weakest_class_and_pair_of_the_answers_shown(
    judged: Path, address: dict[str, str]
) -> None:
    run = RunFiles(judged / FOUR)
    answers = run.epoch(2) if address else run.test()
    app = open_page("results", run=FOUR, view="Advice", **address)
    recalls = sk.recall_score(answers.labels, answers.guesses, average=None)
    worst = int(np.argmin(recalls))
    assert says(app, f"{recalls.min():.1%}", CLASSES[worst], f"{recalls.mean():.1%}")
    apart = answers.matrix - np.diag(np.diag(answers.matrix))
    true, guess = np.unravel_index(apart.argmax(), apart.shape)
    assert says(app, f"{apart.max()} of ", CLASSES[true], CLASSES[guess], f"{apart[guess, true]} ")
    sure = answers.shares.astype(np.float64).max(axis=1).mean()
    assert says(app, f"{sure:.1%}", f"{answers.accuracy:.1%}")


@pytest.mark.parametrize(
    ("run_id", "verdict"), [(FOUR, "over-confident"), (SIX, "under-confident")]
)
def test_the_advice_tells_too_sure_from_not_sure_enough(
    judged: Path, run_id: str, verdict: str
) -> None:
    answers = RunFiles(judged / run_id).test()
    gap = answers.shares.max(axis=1).mean() - answers.accuracy
    assert abs(gap) > 0.03
    assert (gap > 0) == (verdict == "over-confident")
    assert verdict in words_of(open_page("results", run=run_id, view="Advice")).replace("\\", "")


def test_the_advice_on_length_names_the_epochs_it_comes_from(judged: Path) -> None:
    run = RunFiles(judged / FOUR)
    watched = run.column("monitored_accuracy")
    app = open_page("results", run=FOUR, view="Advice")
    assert says(app, f"{max(watched):.1%}", f"{watched[-1]:.1%}")
    assert says(app, f"epoch {int(np.argmax(watched)) + 1}")
    rising = RunFiles(judged / SIX).column("monitored_accuracy")
    change = rising[-1] - rising[-3]
    assert says(open_page("results", run=SIX, view="Advice"), f"{100 * change:.1f} points")
