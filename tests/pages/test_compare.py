from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

from cifar_core import services
from cifar_core.evaluation.comparison import mcnemar
from cifar_core.evaluation.published import published_matrix
from cifar_core.runs.conditions import caveat
from cifar_core.runs.folder import RunFolder, State
from cifar_core.ui.compare import runs_picker
from cifar_core.ui.compare.figures import comparison_figures
from cifar_core.ui.compare.runs_picker import filtered
from cifar_core.ui.kit import matrix_cells
from tests.pages import shown
from tests.pages.shown import html_of, new_page, words_of
from tools.fabricate import Fake, fabricate

open_page = partial(shown.open_page, "compare")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_shipped_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(tmp_path / "models"))


@pytest.fixture
def pair(runs_dir: Path) -> tuple[RunFolder, RunFolder]:
    """A fabricated CNN-4 and a fabricated CNN-6 that is better."""
    return (
        fabricate(runs_dir, Fake(run_id="four", accuracy=0.6)),
        fabricate(runs_dir, Fake(run_id="six", network="cnn6", accuracy=0.75, epoch_seconds=43)),
    )


def figures(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def table_of(app: AppTest, column: str) -> pd.DataFrame:
    """Returns the table of the page that has this column."""
    tables = [table.value for table in app.dataframe]
    return next(table for table in tables if column in table.columns)


def said_of(app: AppTest, column: str) -> pd.DataFrame:
    """Returns what the table with this column shows in place of its values."""
    table = next(item for item in app.dataframe if column in item.value.columns)
    values: pd.DataFrame = convert_arrow_bytes_to_pandas_df(
        table.proto.arrow_data.styler.display_values
    )
    return values.set_axis(table.value.columns, axis=1)


def answers_of(run_id: str) -> tuple[np.ndarray, np.ndarray]:
    answers = services.read_test_predictions(services.read_run(run_id))
    return answers.labels, answers.probabilities.argmax(axis=1)


@pytest.mark.parametrize("count", [0, 1])
def test_with_fewer_than_two_runs_the_page_leads_to_training_and_shows_the_tutorial(
    runs_dir: Path, count: int
) -> None:
    for number in range(count):
        fabricate(runs_dir, Fake(run_id=f"run-{number}"))
    app = open_page()
    assert not app.exception
    assert "A comparison needs two runs" in words_of(app)
    assert "Start a training" in words_of(app)
    shown = [item.value for item in app.metric]
    assert shown[:2] == ["67.1% ± 0.9", "68.7% ± 0.9"]
    assert "6,670 of 9,964" in words_of(app)


def test_the_page_opens_through_the_app(pair: tuple[RunFolder, RunFolder]) -> None:
    app = new_page("app").run()
    app.switch_page("pages/compare.py").run()
    assert not app.exception
    assert app.title[0].value == "Compare"


@pytest.fixture
def toy_and_full(runs_dir: Path) -> None:
    """A fresh try of CNN-4 over two epochs, and a longer run of each network."""
    fabricate(runs_dir, Fake(run_id="toy", epochs=2, accuracy=0.5, created_at=1_799_000_000.0))
    fabricate(runs_dir, Fake(run_id="four", epochs=4, accuracy=0.7))
    fabricate(runs_dir, Fake(run_id="six", epochs=4, accuracy=0.8, network="cnn6"))
    fabricate(runs_dir, Fake(run_id="part", done=1, accuracy=0.9, state=State.STOPPED))


@pytest.mark.usefixtures("toy_and_full")
def test_the_best_finished_run_of_each_network_is_compared_by_default() -> None:
    assert open_page().multiselect[0].value == ["four", "six"]


@pytest.mark.usefixtures("toy_and_full")
def test_a_first_try_is_compared_where_the_address_asks_for_it() -> None:
    app = open_page(runs="toy,six")
    assert app.multiselect[0].value == ["toy", "six"]
    verdict = [element.value for element in app.text if "McNemar" in element.value]
    caveats = [element.value for element in app.text if "2 against 4 epochs" in element.value]
    assert (len(verdict), len(caveats)) == (1, 1)


@pytest.mark.usefixtures("toy_and_full")
def test_runs_that_were_trained_alike_need_no_caveat() -> None:
    run_a, run_b = services.read_run("four"), services.read_run("six")
    assert caveat(run_a, run_b) == ""
    assert "against" not in words_of(open_page(runs="four,six"))


def test_the_verdict_is_mcnemars_on_the_stored_predictions(
    pair: tuple[RunFolder, RunFolder],
) -> None:
    labels, first = answers_of("four")
    _, second = answers_of("six")
    wanted = mcnemar(labels, first, second).sentence("CNN-4", "CNN-6")
    assert wanted in words_of(open_page())


def test_the_tutorials_closing_charts_hold_the_metrics_and_its_numbers(
    pair: tuple[RunFolder, RunFolder],
) -> None:
    app = open_page()
    curves, times = figures(app)[:2]
    lines = {trace["name"]: trace for trace in curves["data"]}
    rows = services.read_metrics("four")
    wanted = [round(100 * float(row.monitored_accuracy or 0), 5) for row in rows]
    assert lines["CNN-4, validation"]["y"] == wanted
    assert lines["Tutorial CNN-4, test"]["line"]["dash"] == "dash"
    assert lines["Tutorial CNN-4, test"]["y"] == [67.06, 67.06]
    assert lines["Tutorial CNN-6, test"]["y"] == [68.66, 68.66]
    medians = [np.median([row.epoch_seconds or 0 for row in services.read_metrics("four")])]
    assert times["data"][0]["x"][0] == pytest.approx(medians[0], abs=1e-3)


def test_the_table_keeps_waiting_apart_from_training(pair: tuple[RunFolder, RunFolder]) -> None:
    table = table_of(open_page(), "run").set_index("run")
    assert table["waiting seconds"]["CNN-4"] == 12
    assert 120 <= table["training seconds"]["CNN-6"] < 180
    assert np.isnan(table["seconds to 85%"]["CNN-4"])
    assert list(table.index) == ["CNN-4", "CNN-6", "Tutorial CNN-4", "Tutorial CNN-6"]


def test_the_difference_is_the_first_matrix_minus_the_second(
    pair: tuple[RunFolder, RunFolder],
) -> None:
    first, second, difference = figures(open_page(look="Mistakes"))

    def cells(chart: dict[str, Any]) -> np.ndarray:
        return np.array(chart["data"][0]["z"], float)

    off = ~np.eye(10, dtype=bool)
    assert np.array_equal(cells(difference)[off], (cells(first) - cells(second))[off])
    assert first["data"][0]["zmax"] == second["data"][0]["zmax"]


@pytest.mark.data
def test_each_group_of_agreement_opens_its_own_pictures(
    pair: tuple[RunFolder, RunFolder],
) -> None:
    labels, first = answers_of("four")
    _, second = answers_of("six")
    right = first == labels, second == labels
    groups = {
        "both": right[0] & right[1],
        "first": right[0] & ~right[1],
        "second": ~right[0] & right[1],
        "neither": ~right[0] & ~right[1],
    }
    for name, wanted in groups.items():
        app = open_page(look="Pictures", group=name)
        shown = [int(number) for number in re.findall("test\u00a0(\\d+)", html_of(app))]
        assert len(shown) == 12
        assert set(shown) <= set(np.flatnonzero(wanted).tolist())
        assert f"{wanted.sum():,} of 10,000 pictures" in words_of(app)


def test_identical_settings_are_hidden(pair: tuple[RunFolder, RunFolder]) -> None:
    app = open_page(look="Settings")
    table = table_of(app, "Setting").set_index("Setting")
    assert list(table.loc["Network"]) == ["CNN-4", "CNN-6"]
    assert "Learning rate" not in table.index


def test_seeds_are_averaged_only_over_runs_that_differ_in_nothing_else(runs_dir: Path) -> None:
    for seed in (1, 2):
        fabricate(runs_dir, Fake(run_id=f"seed-{seed}", seed=seed))
    fabricate(runs_dir, Fake(run_id="other", seed=3, changes={"learning_rate": 0.01}))
    shown = words_of(open_page(runs="seed-1,seed-2,other"))
    assert "(2 seeds)" in shown
    assert "(3 seeds)" not in shown


def other_split(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="b", recipe="tutorial-repaired", done=2, state=State.STOPPED))


def other_validation(runs_dir: Path) -> None:
    changes = {"validation_pictures": 1000}
    fabricate(runs_dir, Fake(run_id="b", done=2, state=State.STOPPED, changes=changes))


@pytest.mark.parametrize("spoil", [other_split, other_validation])
def test_runs_on_different_pictures_are_refused_in_a_sentence(
    runs_dir: Path, spoil: Callable[[Path], None]
) -> None:
    fabricate(runs_dir, Fake(run_id="a", done=2, state=State.STOPPED))
    spoil(runs_dir)
    app = open_page(runs="a,b")
    assert not app.exception
    assert "not the same ones" in words_of(app)
    assert "were measured on different pictures" in words_of(app)


def test_runs_on_other_data_are_refused_in_a_sentence(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="a"))
    fabricate(runs_dir, Fake(run_id="b", data_digest="0123456789abcdef"))
    app = open_page(runs="a,b", look="Mistakes")
    assert not app.exception
    assert "were trained on different data" in words_of(app)
    assert not app.get("plotly_chart")


def test_two_unfinished_runs_are_compared_on_the_pictures_both_watch(runs_dir: Path) -> None:
    for number in (1, 2):
        fabricate(runs_dir, Fake(run_id=f"r{number}", seed=number, done=2, state=State.STOPPED))
    app = open_page(runs="r1,r2", look="Mistakes")
    assert "5,000 validation pictures" in words_of(app)


@pytest.mark.parametrize("look", ["Learning", "Mistakes", "Pictures", "Settings", "Tutorial"])
@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("evaluation.json", b"{"),
        ("test_predictions.npy", b"\x93NUMPY"),
        ("predictions", b""),
        ("recipe.json", b"{"),
        ("metrics.jsonl", b'{"kind": "epo'),
        ("status.json", b"[1"),
        ("manifest.json", b"null"),
    ],
)
def test_a_half_written_run_never_breaks_the_page(
    pair: tuple[RunFolder, RunFolder], look: str, file: str, content: bytes
) -> None:
    (pair[0].path / file).write_bytes(content)
    app = open_page(runs="four,six", look=look)
    assert not app.exception
    assert "did not foresee" not in words_of(app)


def test_hostile_names_stay_text(runs_dir: Path) -> None:
    name = "<img src=x onerror=alert(1)> *b*"
    fabricate(runs_dir, Fake(run_id="a", name=name))
    fabricate(runs_dir, Fake(run_id="b", name=f"{name} 2", network="cnn6"))
    for look in ("Learning", "Mistakes", "Pictures", "Settings"):
        app = open_page(look=look)
        assert not app.exception
        assert "<img src=x" not in html_of(app)
        assert "<img src=x" not in json.dumps(figures(app))


def test_a_wait_that_nobody_felt_is_a_dash(pair: tuple[RunFolder, RunFolder]) -> None:
    status = pair[0].read_status()
    assert status is not None
    pair[0].write_status(dataclasses.replace(status, waiting_seconds=0.002))
    words = said_of(open_page(), "waiting seconds")
    assert words["waiting seconds"][0] == "–"


def test_the_cell_of_two_matrices_opens_the_pictures_of_either_run(
    pair: tuple[RunFolder, RunFolder],
) -> None:
    app = open_page(look="Mistakes", true="cat", predicted="dog")
    for run_id, side in (("four", "first"), ("six", "second")):
        app.segmented_control(key="side").set_value(side).run()
        labels, guesses = answers_of(run_id)
        wanted = set(np.flatnonzero((labels == 3) & (guesses == 5)).tolist())
        shown = {int(n) for n in re.findall("test\u00a0(\\d+)", html_of(app))}
        assert shown
        assert shown <= wanted
        assert f"{len(wanted)} of 1,000 cats were taken for dogs" in words_of(app)
    assert app.query_params["side"] in ("second", ["second"])


def test_a_click_on_a_matrix_chooses_its_cell_and_a_second_one_lets_it_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point = SimpleNamespace(selection=SimpleNamespace(points=[{"customdata": [3, 5]}]))
    state: dict[str, Any] = {"matrix_0": point}
    monkeypatch.setattr(st, "session_state", state)
    matrix_cells.take_click("matrix_0")
    assert (state["true"], state["predicted"]) == ("cat", "dog")
    matrix_cells.take_click("matrix_0")
    assert (state["true"], state["predicted"]) == ("any class", "any other class")


def test_the_address_restores_which_two_of_several_runs_are_compared(runs_dir: Path) -> None:
    for number in (1, 2, 3):
        fabricate(runs_dir, Fake(run_id=f"r{number}", seed=number, name=f"Run {number}"))
    app = open_page(runs="r1,r2,r3", look="Mistakes", a="r3", b="r2")
    assert "“Run 3” names" in words_of(app)
    app.selectbox(key="b").set_value("r1").run()
    assert app.query_params["b"] in ("r1", ["r1"])


def test_an_address_of_runs_that_are_gone_says_so(pair: tuple[RunFolder, RunFolder]) -> None:
    app = open_page(runs="four,gone<b>")
    assert not app.exception
    assert "Not here (any more): gone<b>." in words_of(app)


def test_the_tutorials_matrix_stands_beside_the_runs(pair: tuple[RunFolder, RunFolder]) -> None:
    app = open_page(look="Tutorial", yours="six")
    theirs, difference = figures(app)
    labels, guesses = answers_of("six")
    ours = np.zeros((10, 10))
    np.add.at(ours, (labels, guesses), 1)
    printed = published_matrix("cnn6")
    assert np.array_equal(np.array(theirs["data"][0]["z"], float), printed)
    assert np.array_equal(np.array(difference["data"][0]["z"], float), ours - printed)
    table = table_of(app, "taken for")
    assert table["Tutorial CNN-6"].tolist() == printed.ravel().tolist()
    assert "percentage points more" in words_of(app)


def test_no_matrix_is_pretended_for_a_network_that_the_tutorial_has_not(
    pair: tuple[RunFolder, RunFolder], runs_dir: Path
) -> None:
    fabricate(runs_dir, Fake(run_id="seven", network="cnn7", accuracy=0.93))
    app = open_page(look="Tutorial", yours="seven")
    assert not app.exception
    assert app.selectbox(key="yours").options == ["CNN-4", "CNN-6"]
    sentence = "The tutorial printed the matrices of CNN-4 and CNN-6 alone: there is none to lay "
    assert f"{sentence}CNN-7 against." in words_of(app)
    fabricate(runs_dir, Fake(run_id="eight", network="cnn7", seed=2, name="mine"))
    app = open_page(look="Tutorial", runs="seven,eight")
    assert not app.get("plotly_chart")
    assert f"{sentence}CNN-7 and mine against." in words_of(app)


def test_of_three_networks_the_tutorials_two_are_held_against_each_other_first(
    pair: tuple[RunFolder, RunFolder], runs_dir: Path
) -> None:
    fabricate(runs_dir, Fake(run_id="seven", network="cnn7", accuracy=0.93))
    app = open_page()
    assert app.multiselect[0].value == ["four", "six", "seven"]
    labels, first = answers_of("four")
    _, second = answers_of("six")
    assert mcnemar(labels, first, second).sentence("CNN-4", "CNN-6") in words_of(app)
    table = table_of(app, "run").set_index("run")
    assert table["network"]["CNN-7"] == "CNN-7, the reference"
    app.selectbox(key="b").set_value("seven").run()
    _, third = answers_of("seven")
    assert mcnemar(labels, first, third).sentence("CNN-4", "CNN-7") in words_of(app)


def test_while_of_three_runs_one_is_finished_there_is_no_verdict(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    for seed in (2, 3):
        half = Fake(run_id=f"half-{seed}", seed=seed, done=1, state=State.STOPPED)
        fabricate(runs_dir, half)
    app = open_page(runs="one,half-2,half-3")
    assert not app.exception
    assert "McNemar" not in words_of(app)
    assert len(app.get("plotly_chart")) == 2


def test_without_a_finished_run_the_tutorials_matrix_waits(runs_dir: Path) -> None:
    for number in (1, 2):
        fabricate(runs_dir, Fake(run_id=f"r{number}", seed=number, done=1, state=State.STOPPED))
    app = open_page(runs="r1,r2", look="Tutorial")
    assert "Choose a finished run" in words_of(app)
    assert not app.get("plotly_chart")


def test_what_each_recipe_reached_stands_beside_what_the_tutorial_published(
    tmp_path: Path,
) -> None:
    models_dir = tmp_path / "models"
    for seed in (1, 2):
        fabricate(models_dir, Fake(run_id=f"quick-{seed}", recipe="quick", seed=seed))
    fabricate(models_dir, Fake(run_id="printed", recipe="tutorial"))
    app = open_page(look="Tutorial")
    table = table_of(app, "seconds to the tutorial's accuracy")
    four = table[table["network"] == "CNN-4"]
    assert four["recipe"].tolist() == ["Tutorial, as published", "Tutorial, as printed", "Quick"]
    assert four["accuracy"].tolist()[0] == 0.6706
    assert four["runs"].tolist()[1:] == [1, 2]
    assert said_of(app, "seconds to the tutorial's accuracy")["accuracy"][0] == "67.1% ± 0.9"


def test_runs_of_one_network_carry_different_symbols(runs_dir: Path) -> None:
    for seed in (1, 2):
        fabricate(runs_dir, Fake(run_id=f"seed-{seed}", seed=seed))
    fabricate(runs_dir, Fake(run_id="six", network="cnn6"))
    lines = figures(open_page(runs="seed-1,seed-2,six"))[0]["data"]
    symbols = [line["marker"].get("symbol") for line in lines if "validation" in line["name"]]
    assert len({symbol for symbol in symbols[:4] if symbol}) == 2


def test_all_figures_leave_as_json_without_a_hidden_refusal(runs_dir: Path) -> None:
    for seed in (1, 2):
        fabricate(runs_dir, Fake(run_id=f"seed-{seed}", seed=seed))
    fabricate(runs_dir, Fake(run_id="else", data_digest="0123456789abcdef"))
    runs = [services.read_run(name) for name in ("seed-1", "seed-2", "else")]
    whole = comparison_figures(runs, {run.id: run.id for run in runs})
    json.dumps(whole)
    pairs = {(pair["first"], pair["second"]): pair for pair in whole["pairs"]}
    labels, first = answers_of("seed-1")
    _, second = answers_of("seed-2")
    assert pairs["seed-1", "seed-2"]["p_value"] == mcnemar(labels, first, second).p_value
    assert "different data" in pairs["seed-1", "else"]["refused"]
    shares = [float((guesses == labels).mean()) for guesses in (first, second)]
    assert whole["seeds"][0]["mean"] == pytest.approx(np.mean(shares), abs=1e-9)
    assert whole["seeds"][0]["deviation"] == pytest.approx(np.std(shares, ddof=1), abs=1e-9)


def test_the_table_of_runs_is_filtered_by_words(pair: tuple[RunFolder, RunFolder]) -> None:
    runs = services.list_runs()
    assert [run.id for run in filtered(runs, "cnn-6 finished")] == ["six"]
    assert filtered(runs, "cnn-6 stopped") == []
    app = open_page()
    app.text_input(key="compare_filter").input("cnn-6").run()
    assert table_of(app, "Recipe")["Network"].tolist() == ["CNN-6"]
    app.text_input(key="compare_filter").input("nothing like this").run()
    assert "No run has all of these words." in words_of(app)


def test_what_the_filter_hides_stays_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    selection = SimpleNamespace(selection=SimpleNamespace(rows=[1]))
    state: dict[str, Any] = {"table": selection}
    monkeypatch.setattr(st, "session_state", state)
    runs_picker.take("table", ["six", "third"], ["four", "six"])
    assert state[runs_picker.FIELD] == ["four", "third"]
