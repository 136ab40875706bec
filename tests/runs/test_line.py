"""Waiting in line: first come, first served, the living only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cifar_core.jobs.lock import Lock, try_lock
from cifar_core.runs.line import Line


class Crowd:
    """Runs that live: each has a folder whose lock is held."""

    def __init__(self, runs_dir: Path, scene: ExitStack) -> None:
        self.runs_dir = runs_dir
        self.scene = scene

    def live(self, run_id: str) -> Lock:
        (self.runs_dir / run_id).mkdir(parents=True, exist_ok=True)
        lock = try_lock(self.runs_dir / run_id / "lock")
        assert lock is not None
        return self.scene.enter_context(lock)

    def line(self, device: str = "cpu") -> Line:
        return Line(self.runs_dir, device)


@pytest.fixture
def crowd(runs_dir: Path) -> Iterator[Crowd]:
    with ExitStack() as scene:
        yield Crowd(runs_dir, scene)


def test_runs_wait_in_the_order_they_came(crowd: Crowd) -> None:
    for moment, run_id in ((3.0, "c"), (1.0, "a"), (2.0, "b")):
        crowd.live(run_id)
        crowd.line().join(run_id, moment)
    assert crowd.line().waiting() == ["c", "a", "b"]


def test_a_clock_that_was_set_back_lets_nobody_jump_the_queue(crowd: Crowd) -> None:
    for moment, run_id in ((2e9, "first"), (1e9, "second"), (-5.0, "third")):
        crowd.live(run_id)
        crowd.line().join(run_id, moment)
    assert crowd.line().waiting() == ["first", "second", "third"]


def test_the_dead_are_swept_from_the_line(crowd: Crowd) -> None:
    for moment, run_id in enumerate("ab"):
        lock = crowd.live(run_id)
        crowd.line().join(run_id, moment)
        if run_id == "a":
            lock.release()
            crowd.scene.pop_all()
    assert crowd.line().waiting() == ["b"]
    assert len(list(crowd.line().folder.glob("*.*"))) == 2, "who only looks sweeps nothing"
    turn = crowd.line().take_turn("b")
    assert turn is not None
    turn.release()
    assert [ticket.suffix for ticket in crowd.line().folder.glob("*.*")] == [".b"]


def test_a_run_that_joins_another_line_leaves_the_one_it_stood_in(crowd: Crowd) -> None:
    crowd.live("a")
    crowd.line("gpu:0").join("a", 1.0)
    crowd.line("cpu").join("a", 2.0)
    assert crowd.line("gpu:0").waiting() == []
    assert crowd.line("cpu").waiting() == ["a"]


def test_a_run_that_joins_again_goes_to_the_end(crowd: Crowd) -> None:
    for moment, run_id in enumerate("aba"):
        if moment < 2:
            crowd.live(run_id)
        crowd.line().join(run_id, moment)
    assert crowd.line().waiting() == ["b", "a"]


def test_only_the_first_gets_a_free_device_and_only_one(crowd: Crowd) -> None:
    for moment, run_id in enumerate("ab"):
        crowd.live(run_id)
        crowd.line().join(run_id, moment)
    assert crowd.line().take_turn("b") is None
    device = crowd.line().take_turn("a")
    assert device is not None
    crowd.line().leave("a")
    assert crowd.line().take_turn("b") is None
    device.release()
    assert crowd.line().take_turn("b") is not None


@pytest.mark.parametrize("device", ["../../elsewhere", "/", "..", "", "gpu:0/../..", "x" * 5000])
def test_a_device_from_a_strangers_file_leads_nowhere_else(
    crowd: Crowd, tmp_path: Path, device: str
) -> None:
    kept = tmp_path / "elsewhere" / f"{0:020d}.precious"
    kept.parent.mkdir()
    kept.touch()
    line = crowd.line(device)
    assert line.waiting() == []
    assert (crowd.runs_dir / ".devices") in (line.folder.parent, line.folder)
    assert kept.exists()


def test_a_strange_file_in_the_line_is_no_ticket_and_stays(crowd: Crowd) -> None:
    crowd.live("a")
    crowd.line().join("a", 1.0)
    strange = crowd.line().folder / "0000.readme"
    strange.touch()
    assert crowd.line().waiting() == ["a"]
    assert strange.exists()
