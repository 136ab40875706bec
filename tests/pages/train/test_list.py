"""The list of runs on the Train page, and what can be done with them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core import files, recipes, services
from cifar_core.errors import RunError
from cifar_core.runs.folder import State, Status
from cifar_core.runs.results import learning_of
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.train import run_actions
from tests.pages.shown import charts_of
from tests.pages.train.tool import (
    HOSTILE,
    alive,
    button,
    make_run,
    page,
    runs_in,
    shown,
    table,
)
from tools.fabricate import Fake, fabricate


def test_the_list_shows_every_run_the_newest_first(runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.STOPPED, epoch=2, accuracy=0.5)
    make_run(runs_dir, "cnn4-standard-2", State.FAILED, running_seconds=50.0, closing_seconds=30.0)
    rows = table(page())
    assert list(rows["Run"]) == ["CNN-4 standard 2", "CNN-4 standard 1"]
    assert list(rows["State"]) == ["× Failed", "■ Stopped"]
    assert list(zip(rows["Epoch"], rows["Epochs"], strict=True)) == [(0, 4), (2, 4)]
    assert rows["Accuracy"][1] == 0.5
    assert rows["Training"][0].total_seconds() == 80


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recipe.json", "{"),
        ("recipe.json", '{"network": "cnn99"}'),
        ("recipe.json", "[]"),
        ("status.json", "\x00\x01"),
        ("status.json", '{"state": "dancing"}'),
        ("status.json", '{"state": "stopped", "epoch": "many", "accuracy": "x"}'),
        ("status.json", '{"state": "stopped", "running_seconds": null}'),
        ("label.json", "null"),
        ("metrics.jsonl", '{"kind": "epoch"}\nnonsense\n'),
    ],
)
def test_a_broken_run_is_listed_and_breaks_nothing(name: str, content: str, runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.STOPPED)
    broken = make_run(runs_dir, "cnn4-standard-2", State.STOPPED)
    (broken.path / name).write_text(content)
    app = page(run="cnn4-standard-2")
    assert not app.exception
    second = "cnn4-standard-2" if name == "recipe.json" else "CNN-4 standard 2"
    assert set(table(app)["Run"]) == {"CNN-4 standard 1", second}
    assert button(app, "Start training")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_as_text(name: str, runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.INTERRUPTED, label=name)
    app = page(run="cnn4-standard-1")
    assert not app.exception
    assert table(app)["Run"][0] == name
    marked_up = " ".join(element.proto.body for element in app.get("html"))
    assert "<script" not in marked_up
    assert any(name in item.value for item in app.text)  # st.text reads no Markdown


def test_interrupted_runs_are_offered_to_be_resumed_all_at_once(runs_dir: Path) -> None:
    for number in (1, 2):
        make_run(runs_dir, f"cnn4-standard-{number}", State.RUNNING, epoch=1)  # nobody holds it
    app = page()
    assert "2 runs were interrupted" in shown(app)
    resumed: list[str] = []
    services_resume = services.resume_run
    try:
        services.resume_run = lambda run_id, **_: resumed.append(run_id)
        button(app, "Resume all").click().run()
    finally:
        services.resume_run = services_resume
    assert sorted(resumed) == ["cnn4-standard-1", "cnn4-standard-2"]


def test_the_offer_to_resume_can_be_put_off(runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.RUNNING)
    app = page()
    button(app, "Not now").click().run()
    assert "was interrupted. Nothing" not in shown(app)


def test_delete_asks_first_and_then_removes(runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.STOPPED)
    app = page(run="cnn4-standard-1")
    app.button(key="train_action_delete").click().run()
    assert runs_in(runs_dir) == ["cnn4-standard-1"]
    assert "cannot come back" in shown(app)
    app.button(key="train_delete_confirm").click().run()
    assert not app.exception
    assert runs_in(runs_dir) == []


def test_a_run_that_came_to_life_while_delete_asked_is_kept(runs_dir: Path) -> None:
    folder = make_run(runs_dir, "cnn4-standard-1", State.STOPPED)
    app = page(run="cnn4-standard-1")
    app.button(key="train_action_delete").click().run()
    with alive(folder):
        folder.write_status(Status(state=State.RUNNING, heartbeat_at=time.time()))
        with pytest.raises(RunError, match="alive again"):
            run_actions._delete_run("cnn4-standard-1")
        app.run()
        assert app.button(key="train_delete_confirm").disabled
    assert runs_in(runs_dir) == ["cnn4-standard-1"]


def test_a_living_run_can_be_stopped_but_not_deleted_or_resumed(runs_dir: Path) -> None:
    folder = make_run(runs_dir, "cnn4-standard-1", State.RUNNING)
    with alive(folder):
        app = page(run="cnn4-standard-1")
        disabled = {item.key: item.disabled for item in app.button}
        assert disabled["train_action_delete"]
        assert disabled["train_action_resume"]
        app.button(key="train_action_stop").click().run()
        assert folder.request_path.exists()
        assert "stopping" in shown(app)


def test_cloning_fills_the_form_with_every_setting_of_the_run(runs_dir: Path) -> None:
    folder = make_run(runs_dir, "cnn6-standard-1", State.STOPPED)
    mine = recipes.recipe("tutorial", "cnn6", epochs=7, seed=9, momentum=0.5)
    files.write_json(folder.recipe_path, mine.to_json())
    app = page(run="cnn6-standard-1")
    app.button(key="train_action_clone").click().run()
    assert app.radio(key="train_network").value == "cnn6"
    button(app, "Start").click().run()
    (new,) = set(runs_in(runs_dir)) - {"cnn6-standard-1"}
    assert services.read_run(new).recipe == mine


def test_a_run_is_renamed_in_a_dialog(runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.STOPPED)
    app = page(run="cnn4-standard-1")
    app.button(key="train_action_rename").click().run()
    app.text_input(key="train_rename_name").set_value("best so far").run()
    app.button(key="train_rename_save").click().run()
    assert services.read_run("cnn4-standard-1").name == "best so far"


def test_an_empty_list_leads_to_a_history_that_shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    app = page()
    assert not app.exception
    assert "See how the shipped CNN-4 learnt" in shown(app)
    assert "See how" not in shown(page(run="cnn4"))


@pytest.fixture
def included(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs that came with the lab are there."""
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))


def included_choice(app: AppTest) -> Any:
    return next(item for item in app.selectbox if item.label == "Included models")


@pytest.mark.usefixtures("included")
def test_the_curves_of_an_included_run_can_be_opened_beside_own_runs(runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.STOPPED)
    app = page(run="cnn4-standard-1")
    choice = included_choice(app)
    assert choice.value is None
    assert len(choice.options) == len(list((PROJECT_DIR / "models").iterdir()))
    choice.set_value("cnn6-quick-2").run()
    assert not app.exception
    assert app.query_params["run"] == "cnn6-quick-2"
    assert len(app.get("vega_lite_chart")) == 2
    assert services.read_run("cnn6-quick-2").name in shown(app)


@pytest.mark.usefixtures("included")
def test_the_choice_of_included_runs_stands_on_the_one_in_the_address() -> None:
    app = page(run="cnn7")
    assert included_choice(app).value == "cnn7"


@pytest.mark.usefixtures("included")
def test_an_own_run_can_be_chosen_again_after_an_included_one(runs_dir: Path) -> None:
    make_run(runs_dir, "cnn4-standard-1", State.STOPPED)
    app = page(run="cnn7")
    app.query_params["run"] = "cnn4-standard-1"  # as the list does
    app.run()
    assert included_choice(app).value is None
    assert app.query_params["run"] == "cnn4-standard-1"


@pytest.mark.usefixtures("included")
def test_cloning_an_included_run_fills_the_form_with_every_setting_of_it(runs_dir: Path) -> None:
    app = page(run="cnn6-tutorial-repaired")
    app.button(key="train_clone_cnn6-tutorial-repaired").click().run()
    assert not app.exception
    assert app.radio(key="train_network").value == "cnn6"
    assert app.selectbox(key="train_recipe").value == "tutorial-repaired"
    button(app, "Start").click().run()
    (new,) = runs_in(runs_dir)
    assert services.read_run(new).recipe == services.read_run("cnn6-tutorial-repaired").recipe


@pytest.mark.usefixtures("included")
def test_where_nothing_may_be_started_nothing_can_be_cloned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIFAR_LAB_READONLY", "1")
    app = page(run="cnn7")
    assert not [item for item in app.button if item.label == "Clone"]


def watched(app: AppTest) -> int:
    """Returns the row that the list shows as selected: the run that the page is about."""
    (row,) = json.loads(app.dataframe[0].proto.selection_default)["selection"]["rows"]
    return int(row)


def test_the_page_opens_on_the_run_in_progress_and_not_on_one_that_waits(runs_dir: Path) -> None:
    running = make_run(runs_dir, "cnn4-standard-1", State.RUNNING)
    waiting = make_run(runs_dir, "cnn4-standard-2", State.QUEUED)
    make_run(runs_dir, "cnn4-standard-3", State.STOPPED)
    with alive(waiting):
        with alive(running):
            assert watched(page()) == 2
        assert watched(page()) == 1  # the other was interrupted meanwhile
    assert watched(page()) == 0
    assert not page().exception


def test_the_ticked_runs_share_a_chart_with_a_line_for_each(runs_dir: Path) -> None:
    for number in (1, 2, 3):
        reached = 0.4 + number / 10
        fabricate(runs_dir, Fake(run_id=f"cnn4-{number}", accuracy=reached, name=f"Run {number}"))
    app = page(run="cnn4-1")
    assert "together_accuracy" not in charts_of(app)
    app.session_state[str(app.dataframe[0].key)] = {"selection": {"rows": [0, 1, 2]}}
    app.run()
    assert not app.exception
    for measure in ("accuracy", "loss"):
        lines = charts_of(app)[f"together_{measure}"]["data"]
        factor = 100 if measure == "accuracy" else 1
        for number in (1, 2, 3):
            named = {line["name"].split(",")[0][2:]: line for line in lines}
            line = named[f"Run {number}"]
            learnt = learning_of(services.read_metrics(f"cnn4-{number}"))
            assert line["y"] == pytest.approx(factor * np.array(getattr(learnt, measure)), abs=1e-3)
