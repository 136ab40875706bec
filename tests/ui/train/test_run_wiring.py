"""What the pages of runs hand on: to the watch of living runs, to the dialog that moves runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cifar_core import services
from cifar_core.runs.folder import State
from cifar_core.ui.kit.runs import picker
from tests.pages.shown import PATIENCE_SECONDS
from tests.pages.train.tool import alive, make_run
from tools.fabricate import Fake, fabricate

MOVING = """
from cifar_core import services
from cifar_core.ui.train import run_actions

run_actions.show_dialog(services.list_runs(with_shipped=False))
"""


@pytest.fixture
def reruns(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Notes each time the page would be drawn anew."""
    noted: list[bool] = []
    monkeypatch.setattr(st, "rerun", lambda: noted.append(True))
    return noted


@pytest.fixture
def seen(runs_dir: Path) -> dict[str, tuple[State, int]]:
    """Two runs that differ, as they stand: state and epoch by run id."""
    for run_id, epochs in (("short", 2), ("long", 5)):
        fabricate(runs_dir, Fake(run_id=run_id, epochs=epochs))
    runs = [services.read_run(run_id) for run_id in ("short", "long")]
    return {run.id: (run.state, run.status.epoch) for run in runs}


def test_a_page_is_left_alone_while_its_runs_stand_still(
    seen: dict[str, tuple[State, int]], reruns: list[bool]
) -> None:
    assert [epoch for _, epoch in seen.values()] == [2, 5]
    picker._watch(seen)
    assert not reruns


@pytest.mark.parametrize("moved", ["short", "long"])
@pytest.mark.parametrize("before", [(State.FINISHED, 1), (State.RUNNING, None)])
def test_a_page_is_drawn_anew_when_one_of_its_runs_has_gone_on(
    seen: dict[str, tuple[State, int]],
    reruns: list[bool],
    moved: str,
    before: tuple[State, int | None],
) -> None:
    state, epoch = before
    picker._watch(seen | {moved: (state, seen[moved][1] if epoch is None else epoch)})
    assert reruns == [True]


def test_the_dialog_names_each_run_that_it_would_move(runs_dir: Path) -> None:
    first = make_run(runs_dir, "one", State.QUEUED, label="First in line")
    second = make_run(runs_dir, "two", State.QUEUED, label="Second in line")
    make_run(runs_dir, "three", State.STOPPED, label="Stopped meanwhile")
    with alive(first), alive(second):
        app = AppTest.from_string(MOVING, default_timeout=PATIENCE_SECONDS)
        app.session_state["train_asked"] = ("move", ("one", "two", "three"))
        app.run()
        assert not app.exception
        assert not app.button(key="train_move_confirm").disabled
        lines = {line.removeprefix("· ") for line in app.text[0].value.splitlines()}
    assert lines == {"First in line", "Second in line"}
