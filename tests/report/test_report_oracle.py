"""Every figure of the HTML report, held against the files of its runs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import scoreatpercentile
from sklearn import metrics as sk

from tests.pages.oracle import (
    CLASSES,
    accuracy_words,
    wilson,
)
from tests.pages.oracle_images import numbers_in
from tests.pages.oracle_runs import (
    TITLES,
    TUTORIAL,
    percent,
    seconds_of,
    status_of,
)
from tests.report.oracle import charts_in, items_of, rows_of
from tests.report.reported import ORDER, Reported, pairs_of


def test_the_table_of_results_has_each_runs_own_figures(reported: Reported) -> None:
    table = reported.page.table("answer")
    assert list(table)[:2] == ORDER
    for name in ORDER:
        files, answers = reported.runs[name], reported.test(name)
        _, network, accuracy, top5, mirrored, epochs, took = table[name].values()
        assert network == TITLES[files.recipe["network"]]
        assert accuracy == accuracy_words(int(answers.is_right.sum()), 10_000)
        assert top5 == percent(answers.top5)
        assert mirrored == percent(files.evaluation["accuracy_mirrored"])
        assert epochs == str(files.recipe["epochs"])
        assert seconds_of(took) == pytest.approx(status_of(files)["running_seconds"], abs=0.6)


def test_the_columns_of_the_table_of_results_stand_under_their_names(reported: Reported) -> None:
    heads = [
        head.lower() for head in rows_of(next(reported.page.section("answer").iter("table")))[0]
    ]
    for place, word in {2: "accuracy", 3: "top-5", 4: "flip", 5: "epochs", 6: "time"}.items():
        assert word in heads[place]


def test_the_table_of_results_ends_with_the_tutorials_counts(reported: Reported) -> None:
    rows = list(reported.page.table("answer").values())[2:]
    shown = {list(row.values())[1]: list(row.values())[2] for row in rows}
    assert shown == {name: accuracy_words(right, 10_000) for name, right in TUTORIAL.items()}


def test_the_sentences_name_the_best_run_first(reported: Reported) -> None:
    best, other, tutorial = reported.page.sentences("answer")
    for sentence, name in ((best, "Another"), (other, "Mine")):
        right = int(reported.test(name).is_right.sum())
        assert sentence.startswith(name)
        assert accuracy_words(right, 10_000) in sentence
        took = status_of(reported.runs[name])["running_seconds"]
        assert seconds_of(sentence) == pytest.approx(took, abs=0.6)
    assert [accuracy_words(right, 10_000) in tutorial for right in TUTORIAL.values()] == [True] * 2


def test_the_chart_of_accuracies_has_each_with_its_wilson_interval(reported: Reported) -> None:
    wanted = [(name, int(reported.test(name).is_right.sum())) for name in ORDER]
    traces = reported.page.figures["accuracy"]["data"]
    for trace, (name, right) in zip(traces, [*wanted, *TUTORIAL.items()], strict=True):
        low, high = wilson(right, 10_000)
        (x,), error = trace["x"], trace["error_x"]
        assert name in trace["y"][0]
        assert x == pytest.approx(right / 100, abs=0.006)
        assert x + error["array"][0] == pytest.approx(100 * high, abs=0.002)
        assert x - error["arrayminus"][0] == pytest.approx(100 * low, abs=0.002)


@pytest.mark.parametrize("name", ORDER)
def test_the_curves_are_the_accuracies_of_the_predictions(reported: Reported, name: str) -> None:
    files = reported.runs[name]
    lines = {trace["name"]: trace for trace in reported.page.figures["learning"]["data"]}
    accuracies = [files.epoch(epoch + 1).accuracy for epoch in range(len(files.metrics))]
    line = lines[f"{name}, validation"]
    assert list(line["x"]) == files.column("epoch")
    assert list(line["y"]) == pytest.approx([100 * value for value in accuracies], abs=1e-4)
    training = [100 * value for value in files.column("accuracy")]
    assert list(lines[f"{name}, train"]["y"]) == pytest.approx(training, abs=1e-4)
    (mark,) = [line for title, line in lines.items() if name in title and "best" in title]
    best = int(np.argmax(accuracies))
    assert list(mark["x"]) == [best + 1]
    assert list(mark["y"]) == pytest.approx([100 * accuracies[best]], abs=1e-4)
    assert best + 1 < len(accuracies)


def test_the_curves_end_at_the_tutorials_levels(reported: Reported) -> None:
    levels = [
        trace["y"][0]
        for trace in reported.page.figures["learning"]["data"]
        if trace.get("line", {}).get("dash") == "dash"
    ]
    assert levels == pytest.approx([right / 100 for right in TUTORIAL.values()], abs=1e-4)


def test_the_table_of_epochs_is_metrics_jsonl(reported: Reported) -> None:
    table = reported.page.table("learning", 1)
    assert list(table) == ["1", "2", "3", "4", "5"]
    columns = {"validation": "monitored_accuracy", "training": "accuracy"}
    for name, (split, key) in itertools.product(ORDER, columns.items()):
        shown = [row[f"{name}, {split}"] for row in table.values()]
        column = [percent(value) for value in reported.runs[name].column(key)]
        assert shown == [*column, *["–"] * (5 - len(column))]


@pytest.mark.parametrize("name", ORDER)
def test_the_times_are_the_median_of_the_epochs_and_the_whole(
    reported: Reported, name: str
) -> None:
    files = reported.runs[name]
    _, _, median, whole, device = reported.page.table("learning")[name].values()
    wanted = scoreatpercentile(files.column("epoch_seconds"), 50)
    assert seconds_of(median) == pytest.approx(wanted, abs=0.6)
    assert seconds_of(whole) == pytest.approx(status_of(files)["running_seconds"], abs=0.6)
    assert device == status_of(files)["device_name"]


def test_the_bars_of_times_are_the_medians_and_quartiles(reported: Reported) -> None:
    (bars,) = reported.page.figures["times"]["data"]
    assert list(bars["y"]) == ORDER
    for place, name in enumerate(ORDER):
        times = reported.runs[name].column("epoch_seconds")
        low, middle, high = (scoreatpercentile(times, part) for part in (25, 50, 75))
        assert bars["x"][place] == pytest.approx(middle, abs=0.001)
        assert bars["error_x"]["array"][place] == pytest.approx(high - middle, abs=0.002)
        assert bars["error_x"]["arrayminus"][place] == pytest.approx(middle - low, abs=0.002)


@pytest.mark.parametrize("name", ORDER)
def test_the_matrices_of_a_run_are_scikit_learns(reported: Reported, name: str) -> None:
    parts, wanted = reported.page.of_runs()[name], reported.test(name).matrix
    (chart,) = [found for part in parts for found in charts_in(part)]
    cells = reported.page.figures[chart]["data"][0]
    assert list(cells["x"]) == list(cells["y"]) == list(CLASSES)
    drawn = np.array(cells["z"], float)
    assert np.isnan(np.diagonal(drawn)).all()
    apart = ~np.eye(10, dtype=bool)
    assert np.array_equal(drawn[apart], wanted[apart])
    table, _ = [found for part in parts for found in part.iter("table")]
    head, *rows = rows_of(table)
    assert head[1:] == [row[0] for row in rows] == list(CLASSES)
    assert [[int(cell.replace(",", "")) for cell in row[1:]] for row in rows] == wanted.tolist()


@pytest.mark.parametrize("name", ORDER)
def test_the_table_of_classes_is_scikit_learns_report(reported: Reported, name: str) -> None:
    parts, answers = reported.page.of_runs()[name], reported.test(name)
    _, table = [found for part in parts for found in part.iter("table")]
    head, *rows = rows_of(table)
    assert [word.lower() for word in head[1:4]] == ["precision", "recall", "f1"]
    report = sk.classification_report(
        answers.labels, answers.guesses, target_names=list(CLASSES), output_dict=True
    )
    shares = ("precision", "recall", "f1-score")
    for row, wanted in zip(rows[:10], CLASSES, strict=True):
        assert row[0] == wanted
        assert row[1:4] == [f"{report[wanted][share]:.3f}" for share in shares]
    assert rows[10][3] == f"{report['accuracy']:.3f}"
    for row, average in zip(rows[11:], ("macro avg", "weighted avg"), strict=True):
        assert row[1:4] == [f"{report[average][share]:.3f}" for share in shares]


@pytest.mark.parametrize("name", ORDER)
def test_the_most_confused_pairs_are_the_largest_cells(reported: Reported, name: str) -> None:
    (sentences,) = filter(None, map(items_of, reported.page.of_runs()[name]))
    answers = reported.test(name)
    assert [numbers_in(sentence) for sentence in sentences] == pairs_of(answers, 5)
    for sentence in sentences:
        count, *_ = numbers_in(sentence)
        places = [
            next(place for place, label in enumerate(CLASSES) if label in part)
            for part in sentence.split(" taken for ")
        ]
        assert answers.matrix[places[0], places[1]] == count
