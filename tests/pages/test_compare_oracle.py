from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core import formats
from tests.pages.judged import FOUR, HALF, PRINTED, SIX, TWIN
from tests.pages.oracle import RunFiles, accuracy_words, wilson
from tests.pages.sheets import csv_of, numbers, opened, says, table_with, wording_of
from tests.pages.shown import Downloads, charts_of, open_page

pytestmark = pytest.mark.usefixtures("judged")

THREE = f"{FOUR},{SIX},{TWIN}"
NAMES = {FOUR: "My run", SIX: "CNN-6", TWIN: "CNN-4"}
LEVELS = (60, 70, 80, 85)

Line = dict[str, Any]


def lines_of(app: AppTest) -> dict[str, Line]:
    """Returns the curves by their names, without the signs of those that share a colour."""
    chart = charts_of(app)["learning_curves"]
    return {line["name"].lstrip("●■ "): line for line in chart["data"]}


def axes_of(app: AppTest, key: str) -> tuple[str, str]:
    layout = charts_of(app)[key]["layout"]
    return layout["xaxis"]["title"]["text"].casefold(), layout["yaxis"]["title"]["text"].casefold()


def figures_of(app: AppTest) -> tuple[Any, Any]:
    """Returns the figures side by side, a row for each run: their values, and as worded."""
    columns = ("run", "test accuracy")
    values, words = table_with(app, *columns), wording_of(app, *columns)
    return values.set_index("run"), words.set_index("run")


def test_the_newest_finished_run_of_each_network_is_chosen_first() -> None:
    app = open_page("compare")
    assert app.multiselect[0].value == [TWIN, SIX]
    assert "runs" not in app.query_params  # a choice of the page's own is no entry of the history


def test_runs_stand_in_the_order_of_the_field_and_of_the_address() -> None:
    app = open_page("compare", runs=f"{SIX},{FOUR}")
    assert list(figures_of(app)[0].index)[:2] == ["CNN-6", "My run"]
    app.multiselect[0].set_value([TWIN, SIX, FOUR]).run()
    assert list(figures_of(app)[0].index)[:3] == ["CNN-4", "CNN-6", "My run"]
    assert app.query_params["runs"] in (f"{TWIN},{SIX},{FOUR}", [f"{TWIN},{SIX},{FOUR}"])


def test_the_table_to_choose_from_holds_each_runs_own_status(judged: Path) -> None:
    table = table_with(open_page("compare"), "Run", "Best", "Made")
    order = [HALF, SIX, TWIN, FOUR, PRINTED]  # the newest first
    states = [RunFiles(judged / run_id).read("status.json") for run_id in order]
    assert numbers(table, "Epochs").tolist() == [state["epoch"] for state in states]
    assert np.allclose(numbers(table, "Accuracy"), [state["accuracy"] for state in states])
    assert np.allclose(numbers(table, "Best"), [state["best_accuracy"] for state in states])
    assert table["Training"].dt.total_seconds().tolist() == [
        round(state["running_seconds"]) for state in states
    ]
    assert table["Device"].tolist() == [state["device_name"] for state in states]
    made = [RunFiles(judged / run_id).read("label.json")["created_at"] for run_id in order]
    assert table["Made"].astype("datetime64[s, UTC]").astype(int).tolist() == made


@pytest.mark.parametrize("against", ["Epochs", "Minutes"])
@pytest.mark.parametrize(
    ("measure", "column", "factor"),
    [("Accuracy", "monitored_accuracy", 100), ("Loss", "monitored_loss", 1)],
)
def test_each_curve_is_the_measure_asked_for_over_the_time_asked_for(
    judged: Path, measure: str, column: str, factor: int, against: str
) -> None:
    app = open_page("compare", runs=THREE, measure=measure, against=against)
    lines = lines_of(app)
    x_title, y_title = axes_of(app, "learning_curves")
    assert against.casefold().rstrip("s") in x_title
    assert ("loss" in y_title) == (measure == "Loss")
    for run_id, name in NAMES.items():
        run = RunFiles(judged / run_id)
        values = np.array(run.column(column)) * factor
        time = run.column("epoch")
        if against == "Minutes":
            time = [second / 60 for second in run.column("seconds")]
        line, mark = lines[f"{name}, validation"], lines[f"{name}, validation, best epoch"]
        assert np.allclose(line["x"], time, atol=0.0006)
        assert np.allclose(line["y"], values, atol=1e-5)
        best = int(values.argmin() if measure == "Loss" else values.argmax())
        assert (mark["x"], mark["y"]) == (
            [pytest.approx(time[best])],
            [pytest.approx(values[best], abs=1e-5)],
        )


def test_the_best_epoch_of_one_run_is_not_its_last(judged: Path) -> None:
    accuracies = RunFiles(judged / FOUR).column("monitored_accuracy")
    assert int(np.argmax(accuracies)) == 3
    values, words = (table["best epoch"] for table in figures_of(open_page("compare", runs=THREE)))
    assert (values["My run"], words["My run"]) == (4, "4 of 6")
    assert (values["CNN-6"], words["CNN-6"]) == (7, "7 of 7")


def test_the_tutorials_levels_stand_beside_accuracies_and_not_beside_losses() -> None:
    lines = lines_of(open_page("compare", runs=THREE))
    levels = {
        name: line["y"]
        for name, line in lines.items()
        if line.get("line", {}).get("dash") == "dash"
    }
    assert levels == {
        "Tutorial CNN-4, test": [67.06, 67.06],
        "Tutorial CNN-6, test": [68.66, 68.66],
    }
    losses = lines_of(open_page("compare", runs=THREE, measure="Loss"))
    assert not [name for name in losses if "Tutorial" in name]


def test_a_run_that_watches_the_test_images_is_named_so(judged: Path) -> None:
    lines = lines_of(open_page("compare", runs=f"{PRINTED},{FOUR}"))
    wanted = 100 * np.array(RunFiles(judged / PRINTED).column("monitored_accuracy"))
    assert np.allclose(lines["CNN-6, test"]["y"], wanted, atol=1e-5)


def test_the_bars_are_the_median_times_of_an_epoch(judged: Path) -> None:
    app = open_page("compare", runs=THREE)
    (bars,) = charts_of(app)["epoch_times"]["data"]
    times = [RunFiles(judged / run_id).column("epoch_seconds") for run_id in NAMES]
    assert bars["y"] == list(NAMES.values())
    quartiles = np.array([np.percentile(time, [25, 50, 75]) for time in times])
    assert np.allclose(bars["x"], quartiles[:, 1], atol=6e-4)
    assert np.allclose(bars["error_x"]["arrayminus"], quartiles[:, 1] - quartiles[:, 0], atol=6e-4)
    assert np.allclose(bars["error_x"]["array"], quartiles[:, 2] - quartiles[:, 1], atol=6e-4)
    assert "seconds" in charts_of(app)["epoch_times"]["layout"]["xaxis"]["title"]["text"].casefold()


def test_the_figures_side_by_side_are_those_of_each_runs_files(judged: Path) -> None:
    values, words = figures_of(open_page("compare", runs=THREE))
    for run_id, name in NAMES.items():
        run = RunFiles(judged / run_id)
        right = run.test().is_right
        low, middle, high = np.percentile(run.column("epoch_seconds"), [25, 50, 75])
        figures = {
            "test accuracy": right.mean(),
            "best monitored accuracy": max(run.column("monitored_accuracy")),
            "seconds per epoch": middle,
            "training seconds": run.column("seconds")[-1],
            "waiting seconds": run.read("status.json")["waiting_seconds"],
        }
        ends = [values.loc[name, f"test accuracy {end}"] for end in ("low", "high")]
        assert ends == pytest.approx(wilson(int(right.sum()), len(right)), abs=1e-9)
        ends = [values.loc[name, f"seconds per epoch {end}"] for end in ("low", "high")]
        assert ends == pytest.approx([low, high])
        for key, figure in figures.items():
            assert values.loc[name, key] == pytest.approx(figure), key
            said = words.loc[name, key]
            assert said.startswith(
                formats.duration(figure) if "seconds" in key else f"{100 * figure:.1f}%"
            )
        assert words.loc[name, "test accuracy"] == accuracy_words(int(right.sum()), len(right))
        assert values.loc[name, "device"] == run.read("status.json")["device_name"]


def test_the_time_to_a_level_is_that_of_the_first_epoch_at_or_above_it(judged: Path) -> None:
    values, words = figures_of(open_page("compare", runs=THREE))
    reached = set()
    for run_id, name in NAMES.items():
        run = RunFiles(judged / run_id)
        for level in LEVELS:
            met = [r["seconds"] for r in run.metrics if r["monitored_accuracy"] >= level / 100]
            value, said = (table.loc[name, f"seconds to {level}%"] for table in (values, words))
            assert said == (formats.duration(met[0]) if met else formats.UNKNOWN)
            assert np.array_equal([value], met[:1] or [np.nan], equal_nan=True)
            reached |= set(met[:1])
    assert len(reached) >= 4


def test_the_tutorials_rows_hold_what_it_printed() -> None:
    values, words = figures_of(open_page("compare", runs=THREE))
    for name, right, best in (("CNN-4", 6_706, "20 to 50"), ("CNN-6", 6_866, "10 to 20")):
        row = f"Tutorial {name}"
        assert values.loc[row, "test accuracy"] == right / 10_000
        assert words.loc[row, "test accuracy"] == accuracy_words(right, 10_000)
        assert best in words.loc[row, "recipe"]
        assert np.isnan(values.loc[row, "training seconds"])


def test_the_csv_side_by_side_is_the_table(downloads: Downloads) -> None:
    values, _ = figures_of(open_page("compare", runs=THREE))
    sheet = csv_of(downloads, "comparison_csv").set_index("run")
    assert list(sheet.index) == list(values.index)
    assert list(sheet.columns) == list(values.columns)
    for name in values.columns:
        if pd.api.types.is_numeric_dtype(values[name].dtype):
            shown = values[name].to_numpy(float, na_value=np.nan)
            assert np.allclose(numbers(sheet, name), shown, rtol=1e-5, equal_nan=True), name
        else:
            assert sheet[name].tolist() == values[name].tolist()


def test_the_csv_of_every_epoch_holds_each_runs_metrics(judged: Path, downloads: Downloads) -> None:
    open_page("compare", runs=THREE)
    sheet = csv_of(downloads, "epochs_csv")
    assert list(dict.fromkeys(sheet["run"])) == list(NAMES.values())
    columns = {
        "epoch": "epoch", "accuracy": "monitored_accuracy", "loss": "monitored_loss",
        "train_accuracy": "accuracy", "train_loss": "loss", "seconds": "seconds",
        "epoch_seconds": "epoch_seconds",
    }  # fmt: skip
    for run_id, name in NAMES.items():
        mine = sheet[sheet["run"] == name]
        for shown, stored in columns.items():
            assert np.allclose(numbers(mine, shown), RunFiles(judged / run_id).column(stored))


def test_runs_that_differ_in_their_seed_alone_are_averaged(
    judged: Path, downloads: Downloads
) -> None:
    shares = [RunFiles(judged / run_id).test().accuracy for run_id in (FOUR, TWIN)]
    mean, deviation = float(np.mean(shares)), float(np.std(shares, ddof=1))
    app = open_page("compare", runs=THREE)
    assert says(app, f"{mean:.1%} ± {100 * deviation:.1f}", "2 seeds")
    assert not says(open_page("compare", runs=f"{FOUR},{SIX}"), "seeds")
    app = open_page("compare", runs=THREE)
    (group,) = json.loads(downloads.by_key("figures_json"))["seeds"]
    assert group["runs"] == [FOUR, TWIN]
    assert (group["mean"], group["deviation"]) == pytest.approx((mean, deviation), abs=1e-9)


def test_the_saved_figures_of_each_run_are_those_of_its_files(
    judged: Path, downloads: Downloads
) -> None:
    open_page("compare", runs=THREE)
    saved = json.loads(downloads.by_key("figures_json"))
    assert [item["run"] for item in saved["runs"]] == list(NAMES)
    for item in saved["runs"]:
        run = RunFiles(judged / item["run"])
        test, times = run.test(), run.column("epoch_seconds")
        assert (item["name"], item["recipe"]) == (NAMES[item["run"]], run.recipe)
        assert item["test"]["value"] == pytest.approx(test.accuracy, abs=1e-9)
        assert item["test"]["confusion_matrix"] == test.matrix.tolist()
        assert item["best_epoch"] == int(np.argmax(run.column("monitored_accuracy"))) + 1
        quartiles = [item["epoch_time"][f"{key}_seconds"] for key in ("low", "median", "high")]
        assert np.allclose(quartiles, np.percentile(times, [25, 50, 75]))
        assert item["training_seconds"] == run.column("seconds")[-1]
        assert item["waiting_seconds"] == run.read("status.json")["waiting_seconds"]
        assert item["learning"]["accuracy"] == run.column("monitored_accuracy")
        assert item["learning"]["loss"] == run.column("monitored_loss")
    assert [item["network"] for item in saved["tutorial"]] == ["cnn4", "cnn6"]
    assert [item["right"] for item in saved["tutorial"]] == [6_706, 6_866]


def test_only_settings_that_differ_stand_side_by_side(judged: Path, downloads: Downloads) -> None:
    app = open_page("compare", runs=THREE, look="Settings")
    table = table_with(app, "Setting", "My run").set_index("Setting")
    same = table_with(app, "Setting", "Value").set_index("Setting")["Value"]
    recipes = [RunFiles(judged / run_id).recipe for run_id in NAMES]
    numeric = ("epochs", "seed", "learning_rate", "batch_size", "momentum", "validation_pictures")
    for key in numeric:
        values = [recipe[key] for recipe in recipes]
        label = next(name for name in (*table.index, *same.index) if as_key(name) == key)
        if len(set(values)) > 1:
            assert list(map(float, table.loc[label, :])) == values
        else:
            assert float(same[label].replace(",", "")) == values[0]
    assert {"epochs", "seed", "learning_rate"} <= set(map(as_key, table.index))
    assert not set(table.index) & set(same.index)
    assert list(table.loc["Network", :]) == ["CNN-4", "CNN-6", "CNN-4"]
    assert list(table.loc["Device", :]) == ["machine A", "machine A", "machine B"]
    sheet = opened(downloads.by_key("settings_csv")).astype(str).set_index("Setting")
    assert list(sheet.columns) == list(table.columns)
    assert list(sheet.loc["Device", :]) == list(table.loc["Device", :])
    assert list(sheet.index) == list(table.index)


def as_key(label: str) -> str:
    """Returns a setting's key by its words on the page."""
    return str(label).casefold().replace(" ", "_").replace("images", "pictures")
