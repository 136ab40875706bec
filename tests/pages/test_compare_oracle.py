from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core import formats
from tests.pages.judged import FOUR, HALF, PRINTED, SIX, TWIN
from tests.pages.oracle import RunFiles, accuracy_words
from tests.pages.sheets import csv_of, numbers, opened, says, table_with
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


def rows_of(app: AppTest) -> Any:
    """Returns the figures side by side: a column by run, a row by figure."""
    table = table_with(app, "", NAMES[SIX])
    return table.set_index("")


def row(table: Any, *words: str) -> Any:
    """Returns the one row whose heading holds these words."""
    found = [name for name in table.index if all(word in name.casefold() for word in words)]
    assert len(found) == 1, (words, list(table.index))
    return table.loc[found[0]]


def test_the_newest_finished_run_of_each_network_is_chosen_first() -> None:
    app = open_page("compare")
    assert app.multiselect[0].value == [TWIN, SIX]
    assert app.query_params["runs"] in (f"{TWIN},{SIX}", [f"{TWIN},{SIX}"])


def test_runs_stand_in_the_order_of_the_field_and_of_the_address() -> None:
    app = open_page("compare", runs=f"{SIX},{FOUR}")
    assert list(rows_of(app).columns)[:2] == ["CNN-6", "My run"]
    app.multiselect[0].set_value([TWIN, SIX, FOUR]).run()
    assert list(rows_of(app).columns)[:3] == ["CNN-4", "CNN-6", "My run"]
    assert app.query_params["runs"] in (f"{TWIN},{SIX},{FOUR}", [f"{TWIN},{SIX},{FOUR}"])


def test_the_table_to_choose_from_holds_each_runs_own_status(judged: Path) -> None:
    table = table_with(open_page("compare"), "Run", "Best", "Made")
    order = [HALF, SIX, TWIN, FOUR, PRINTED]  # the newest first
    states = [RunFiles(judged / run_id).read("status.json") for run_id in order]
    assert numbers(table, "Epochs").tolist() == [state["epoch"] for state in states]
    accuracies = [100 * state["accuracy"] for state in states]
    assert np.allclose(numbers(table, "Accuracy"), accuracies)
    assert np.allclose(numbers(table, "Best"), [100 * state["best_accuracy"] for state in states])
    assert table["Device"].tolist() == [state["device_name"] for state in states]
    made = [RunFiles(judged / run_id).read("label.json")["created_at"] for run_id in order]
    assert table["Made"].astype("datetime64[s]").astype(int).tolist() == made


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
    shown = row(rows_of(open_page("compare", runs=THREE)), "best", "epoch")
    assert shown["My run"] == "4 of 6"
    assert shown["CNN-6"] == "7 of 7"


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
    table = rows_of(open_page("compare", runs=THREE))
    for run_id, name in NAMES.items():
        run = RunFiles(judged / run_id)
        right = run.test().is_right
        times = run.column("epoch_seconds")
        low, high = (formats.duration(float(np.percentile(times, at))) for at in (25, 75))
        state = run.read("status.json")
        assert row(table, "test", "accuracy")[name] == accuracy_words(int(right.sum()), len(right))
        best = max(run.column("monitored_accuracy"))
        assert row(table, "best", "accuracy")[name] == f"{best:.1%}"
        assert row(table, "median")[name] == formats.duration(float(np.median(times)))
        assert row(table, "middle half")[name] == f"{low} to {high}"
        assert row(table, "training")[name] == formats.duration(run.column("seconds")[-1])
        assert row(table, "waited")[name] == formats.duration(state["waiting_seconds"])
        assert row(table, "device")[name] == state["device_name"]


def test_the_time_to_a_level_is_that_of_the_first_epoch_at_or_above_it(judged: Path) -> None:
    table = rows_of(open_page("compare", runs=THREE))
    reached = []
    for run_id, name in NAMES.items():
        run = RunFiles(judged / run_id)
        for level in LEVELS:
            met = [r["seconds"] for r in run.metrics if r["monitored_accuracy"] >= level / 100]
            shown = row(table, f"{level}%", "time to")[name]
            assert shown == (formats.duration(met[0]) if met else "not reached")
            reached += [shown] if met else []
    assert len(set(reached)) >= 4


def test_the_tutorials_columns_hold_what_it_printed() -> None:
    table = rows_of(open_page("compare", runs=THREE))
    accuracy = row(table, "test", "accuracy")
    assert accuracy["Tutorial CNN-4"] == accuracy_words(6_706, 10_000) == "67.1% ± 0.9"
    assert accuracy["Tutorial CNN-6"] == accuracy_words(6_866, 10_000) == "68.7% ± 0.9"
    best = row(table, "best", "epoch")
    assert (best["Tutorial CNN-4"], best["Tutorial CNN-6"]) == ("20 to 50", "10 to 20")


def test_the_csv_side_by_side_is_the_table(downloads: Downloads) -> None:
    table = rows_of(open_page("compare", runs=THREE))
    sheet = csv_of(downloads, "comparison_csv")
    assert list(sheet.columns)[1:] == list(table.columns)
    assert sheet.iloc[:, 1:].to_numpy().tolist() == table.to_numpy().tolist()


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
