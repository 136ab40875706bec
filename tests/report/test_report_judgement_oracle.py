"""Examples, comparison, calibration and origin of the report, held against its runs' files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cifar_core import recipes
from tests.pages.oracle import calibration_error, paired_interval, reliability
from tests.pages.oracle_images import numbers_in
from tests.pages.oracle_runs import TITLES, mcnemar, percent, status_of
from tests.report.oracle import galleries_in, text_of
from tests.report.reported import (
    ORDER,
    Reported,
    check_examples,
    check_threshold,
    right_places,
    wrong_places,
)


@pytest.mark.parametrize("name", ORDER)
def test_the_examples_are_a_runs_most_confident_ones(reported: Reported, name: str) -> None:
    parts = reported.page.of_runs()[name]
    right, wrong = (found for part in parts for found in galleries_in(part))
    check_examples(reported, name, right, right_places(reported, name))
    check_examples(reported, name, wrong, wrong_places(reported, name))


def test_the_examples_of_the_runs_differ(reported: Reported) -> None:
    assert right_places(reported, "Mine") != right_places(reported, "Another")
    assert wrong_places(reported, "Mine") != wrong_places(reported, "Another")


def test_the_comparison_is_mcnemars_and_newcombes(reported: Reported) -> None:
    sentence, unlike = reported.page.sentences("comparison")
    first, second = (reported.test(name) for name in ORDER)
    only_first, only_second, p = mcnemar(first, second)
    low, high = paired_interval(first.is_right, second.is_right)
    total, *shown = numbers_in(sentence.split(" 95% interval")[0].replace("95%", ""))
    assert total == 10_000
    wanted = [first.accuracy, second.accuracy, (only_first - only_second) / 10_000]
    assert shown[:3] == pytest.approx([100 * value for value in wanted], abs=0.051)
    ends = numbers_in(sentence.split("interval", 1)[1])[:2]
    assert ends == pytest.approx([100 * low, 100 * high], abs=0.051)
    assert sentence.index("Another") < sentence.index("Mine")
    assert sentence.split(": ", 1)[1].startswith("Another")
    assert p < 0.001
    assert min(low, high) > 0
    for name in ORDER:
        assert str(reported.runs[name].recipe["epochs"]) in unlike


@pytest.mark.parametrize("name", ORDER)
def test_the_calibration_is_counted_from_the_predictions(reported: Reported, name: str) -> None:
    files = reported.runs[name]
    _, before, temperature, after = reported.page.table("confidence")[name].values()
    assert before == percent(calibration_error(reported.test(name)))
    assert temperature == f"{files.temperature:.2f}"
    assert after == percent(calibration_error(reported.calibrated(name)))
    assert before != after


@pytest.mark.parametrize("name", ORDER)
def test_the_reliability_diagram_has_the_bins_before_and_after(
    reported: Reported, name: str
) -> None:
    traces = reported.page.figures["reliability"]["data"]
    before, after = [trace for trace in traces if (trace.get("name") or "").startswith(name)]
    for trace, answers in ((before, reported.test(name)), (after, reported.calibrated(name))):
        rows = reliability(answers)
        x, y = (np.array(trace[axis], float) for axis in "xy")
        assert x == pytest.approx([100 * confidence for _, confidence, _ in rows], abs=0.006)
        assert y == pytest.approx([100 * accuracy for _, _, accuracy in rows], abs=0.006)
        assert [numbers_in(text)[0] for text in trace["text"]] == [count for count, _, _ in rows]


def test_the_threshold_for_95_of_100_is_the_first_that_reaches_it(reported: Reported) -> None:
    for name, sentence in zip(ORDER, reported.page.sentences("confidence"), strict=True):
        check_threshold(reported, name, sentence)


@pytest.mark.parametrize("name", ORDER)
def test_the_origin_is_what_the_runs_files_say(reported: Reported, name: str) -> None:
    files = reported.runs[name]
    shown = {row: cells[name] for row, cells in reported.page.table("origin").items()}
    recipe, manifest = files.recipe, files.read("manifest.json")
    assert shown["Identity"] == manifest["run"] == files.path.name
    assert shown["Network"] == TITLES[recipe["network"]]
    assert shown["Recipe"] == recipe["name"]
    assert shown["Seed"] == str(recipe["seed"])
    assert numbers_in(shown["Epoch"]) == [len(files.metrics), recipe["epochs"]]
    assert numbers_in(shown["Split"]) == [10_000]
    assert shown["Device"] == status_of(files)["device_name"]
    assert shown["Data digest"] == manifest["data_digest"]


@pytest.mark.parametrize("name", ORDER)
def test_the_command_and_the_settings_are_the_recipes(reported: Reported, name: str) -> None:
    recipe = reported.runs[name].recipe
    table = reported.page.table("again")
    shown = {row.replace(" ", "_"): cells[name] for row, cells in table.items()}
    assert shown == {key: str(value) for key, value in recipe.items()}
    commands = [text_of(one) for one in reported.page.section("again").iter("code")]
    words = commands[ORDER.index(name)].split()
    given = dict(zip(words[4::2], words[5::2], strict=True))
    named = recipes.recipe(recipe["name"], recipe["network"]).to_json()
    for key in ("epochs", "batch_size", "learning_rate", "seed"):
        flag = given.get(f"--{key.replace('_', '-')}", str(named[key]))
        assert json.loads(flag) == recipe[key]
    assert (given["--network"], given["--recipe"]) == (recipe["network"], recipe["name"])
