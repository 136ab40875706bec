"""What Train shows of its runs, held against their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core import recipes
from tests.pages.oracle import RunFiles, accuracy_words
from tests.pages.oracle_runs import (
    SPEEDS,
    TITLES,
    WAITS,
    best_of,
    device_seconds,
    last_answers,
    make_runs,
    percent,
    seconds_of,
)
from tests.pages.shown import metrics_of, open_page, tables_of

pytestmark = pytest.mark.data

RUNS = ("first", "second", "third")
NEWEST_FIRST = ["second", "third", "first"]
TABLE = "train_runs_"
SETTINGS = ("network", "name", "epochs", "batch_size", "seed", "learning_rate")


@pytest.fixture
def runs(runs_dir: Path) -> dict[str, RunFiles]:
    return make_runs(runs_dir)


def listed(app: AppTest) -> Any:
    """Returns the list of the runs."""
    (found,) = [table for key, table in tables_of(app).items() if key.startswith(TABLE)]
    return found


def curves(app: AppTest, value: str, run_id: str) -> dict[str, Any]:
    """Returns the points of a live chart by series, and its specification as ``spec``."""
    (chart,) = [
        element
        for element in app.get("vega_lite_chart")
        if f"panel_{value}_{run_id}" in element.proto.id
    ]
    spec = json.loads(chart.proto.spec)
    data = chart.proto.data.data or chart.proto.datasets[0].data.data
    rows = pa.ipc.open_stream(data).read_all().to_pandas()
    series = {str(name): part for name, part in rows.groupby("series", observed=True)}
    return {"spec": spec, **series}


def test_the_list_has_each_run_once_the_newest_first(runs: dict[str, RunFiles]) -> None:
    shown = listed(open_page("train"))
    assert list(shown["Run"]) == ["Another", "Xenia", "Mine"]
    wanted = [TITLES[runs[name].recipe["network"]] for name in NEWEST_FIRST]
    assert list(shown["Network"]) == wanted
    assert len(set(shown["Recipe"])) == 2


def test_the_list_has_each_runs_own_epochs_accuracy_and_times(runs: dict[str, RunFiles]) -> None:
    shown = listed(open_page("train"))
    assert list(shown["Epoch"]) == [len(runs[name].metrics) for name in NEWEST_FIRST]
    assert list(shown["Epochs"]) == [runs[name].recipe["epochs"] for name in NEWEST_FIRST]
    accuracies = [last_answers(runs[name]).accuracy for name in NEWEST_FIRST]
    assert list(shown["Accuracy"]) == pytest.approx(accuracies, abs=1e-12)
    took = [device_seconds(runs[name]) for name in NEWEST_FIRST]
    assert [seconds_of(cell) for cell in shown["Training"]] == pytest.approx(took, abs=0.6)
    waited = [WAITS[name] for name in NEWEST_FIRST]
    assert [seconds_of(cell) for cell in shown["Waited"]] == pytest.approx(waited, abs=0.6)


@pytest.mark.parametrize("run_id", RUNS)
def test_the_panel_shows_the_figures_of_the_run_in_the_address(
    runs: dict[str, RunFiles], run_id: str
) -> None:
    files = runs[run_id]
    shown = metrics_of(open_page("train", run=run_id))
    last = last_answers(files)
    assert shown["Accuracy"] == accuracy_words(int(last.is_right.sum()), len(last.labels))
    epoch, best = best_of(files)
    ((label, value),) = [item for item in shown.items() if item[0].startswith("Best")]
    assert (label.split()[-1], value) == (str(epoch), percent(best))
    took = device_seconds(files)
    assert seconds_of(shown["Training"]) == pytest.approx(took, abs=30 if took > 3600 else 0.6)
    assert seconds_of(shown["Waited"]) == pytest.approx(WAITS[run_id], abs=30)
    (speed,) = [value for label, value in shown.items() if label.endswith("per second")]
    assert speed == f"{round(SPEEDS[run_id]):,}"


def test_best_and_last_epoch_of_the_fabricated_runs_differ(runs: dict[str, RunFiles]) -> None:
    for run_id in RUNS:
        epoch, best = best_of(runs[run_id])
        assert epoch < len(runs[run_id].metrics)
        assert percent(best) != percent(last_answers(runs[run_id]).accuracy)


@pytest.mark.parametrize("run_id", ["second", "third"])
@pytest.mark.parametrize("value", ["accuracy", "loss"])
def test_the_live_curves_are_those_of_metrics_jsonl(
    runs: dict[str, RunFiles], run_id: str, value: str
) -> None:
    files = runs[run_id]
    step = {**files.metrics[0], "kind": "step", "epoch": 0.4, "accuracy": 0.111, "loss": 3.3}
    step |= {"monitored_accuracy": None, "monitored_loss": None}
    path = files.path / "metrics.jsonl"
    if run_id == "third":  # a finished run's file is as its worker left it
        path.write_text(json.dumps(step) + "\n" + path.read_text())
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    ends = [row for row in rows if row["kind"] == "epoch"]
    monitored = files.recipe["monitored_split"]
    shown = curves(open_page("train", run=run_id), value, run_id)
    wanted = {"train": (rows, value), monitored: (ends, f"monitored_{value}")}
    assert set(shown) == {"spec", *wanted}
    for name, (given, key) in wanted.items():
        assert list(shown[name]["epoch"]) == pytest.approx([row["epoch"] for row in given])
        assert list(shown[name]["value"]) == pytest.approx([row[key] for row in given])


@pytest.mark.parametrize("value", ["accuracy", "loss"])
def test_the_live_curves_mark_the_best_and_the_last_epoch(
    runs: dict[str, RunFiles], value: str
) -> None:
    points = curves(open_page("train", run="first"), value, "first")
    monitored = points["validation"]
    marks = {row["mark"]: row["epoch"] for row in monitored.to_dict("records") if row["mark"]}
    column = runs["first"].column(f"monitored_{value}")
    best = np.argmax(column) if value == "accuracy" else np.argmin(column)
    assert marks == {"best": best + 1, "last": 4}
    assert set(points["train"]["mark"]) == {"", "last"}


def test_the_axes_of_the_live_curves_are_epoch_and_value(runs: dict[str, RunFiles]) -> None:
    app = open_page("train", run="first")
    for value in ("accuracy", "loss"):
        spec = curves(app, value, "first")["spec"]
        axes = spec["encoding"]
        assert (axes["x"]["field"], axes["y"]["field"]) == ("epoch", "value")
        assert axes["y"]["title"].lower() == value
        assert axes["color"]["scale"]["domain"] == ["training", "validation"]
        assert axes["x"]["scale"]["domain"] == [0, runs["first"].recipe["epochs"]]


def fields(app: AppTest) -> dict[str, Any]:
    """Returns the numbers of the form by the setting each fills."""
    numbers = {item.label: item.value for item in app.number_input}
    (rate,) = [item.value for item in app.text_input if item.label == "Learning rate"]
    return {
        "network": app.radio(key="train_network").value,
        "name": app.selectbox(key="train_recipe").value,
        "epochs": numbers["Epochs"],
        "batch_size": numbers["Batch size"],
        "seed": numbers["Seed"],
        "learning_rate": float(rate or "nan"),
    }


def settings_of(recipe: dict[str, Any]) -> dict[str, Any]:
    """Returns the settings of a recipe that the form shows."""
    return {key: recipe[key] for key in SETTINGS}


@pytest.mark.parametrize(("network", "name"), [("cnn4", "standard"), ("cnn6", "best")])
def test_the_form_has_the_settings_of_the_recipe_it_names(network: str, name: str) -> None:
    app = open_page("train")
    app.radio(key="train_network").set_value(network)
    app.selectbox(key="train_recipe").set_value(name).run()
    assert fields(app) == settings_of(recipes.recipe(name, network).to_json())


@pytest.mark.parametrize("run_id", RUNS)
def test_a_clone_has_the_settings_of_the_run_in_the_address(
    runs: dict[str, RunFiles], run_id: str
) -> None:
    app = open_page("train", run=run_id)
    app.button(key="train_action_clone").click().run()
    assert not app.exception
    assert fields(app) == settings_of(runs[run_id].recipe)
