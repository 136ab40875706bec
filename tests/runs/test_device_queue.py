"""The queue of a device: first come, first served, the living only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cifar_core.jobs.lock import Lock, try_lock
from cifar_core.runs.device_queue import DeviceQueue


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

    def queue(self, device: str = "cpu") -> DeviceQueue:
        return DeviceQueue(self.runs_dir, device)


@pytest.fixture
def crowd(runs_dir: Path) -> Iterator[Crowd]:
    with ExitStack() as scene:
        yield Crowd(runs_dir, scene)


def test_runs_wait_in_the_order_they_came(crowd: Crowd) -> None:
    for moment, run_id in ((3.0, "c"), (1.0, "a"), (2.0, "b")):
        crowd.live(run_id)
        crowd.queue().enqueue(run_id, moment)
    assert crowd.queue().waiting() == ["c", "a", "b"]


def test_a_clock_that_was_set_back_lets_nobody_jump_the_queue(crowd: Crowd) -> None:
    for moment, run_id in ((2e9, "first"), (1e9, "second"), (-5.0, "third")):
        crowd.live(run_id)
        crowd.queue().enqueue(run_id, moment)
    assert crowd.queue().waiting() == ["first", "second", "third"]


def test_the_dead_are_swept_from_the_queue(crowd: Crowd) -> None:
    for moment, run_id in enumerate("ab"):
        lock = crowd.live(run_id)
        crowd.queue().enqueue(run_id, moment)
        if run_id == "a":
            lock.release()
            crowd.scene.pop_all()
    assert crowd.queue().waiting() == ["b"]
    assert len(list(crowd.queue().folder.glob("*.*"))) == 2, "who only looks sweeps nothing"
    turn = crowd.queue().try_acquire("b")
    assert turn is not None
    turn.release()
    assert [entry.suffix for entry in crowd.queue().folder.glob("*.*")] == [".b"]


def test_a_run_that_joins_another_queue_leaves_the_one_it_was_in(crowd: Crowd) -> None:
    crowd.live("a")
    crowd.queue("gpu:0").enqueue("a", 1.0)
    crowd.queue("cpu").enqueue("a", 2.0)
    assert crowd.queue("gpu:0").waiting() == []
    assert crowd.queue("cpu").waiting() == ["a"]


def test_a_run_that_joins_again_goes_to_the_end(crowd: Crowd) -> None:
    for moment, run_id in enumerate("aba"):
        if moment < 2:
            crowd.live(run_id)
        crowd.queue().enqueue(run_id, moment)
    assert crowd.queue().waiting() == ["b", "a"]


def test_only_the_first_gets_a_free_device_and_only_one(crowd: Crowd) -> None:
    for moment, run_id in enumerate("ab"):
        crowd.live(run_id)
        crowd.queue().enqueue(run_id, moment)
    assert crowd.queue().try_acquire("b") is None
    device = crowd.queue().try_acquire("a")
    assert device is not None
    crowd.queue().leave("a")
    assert crowd.queue().try_acquire("b") is None
    device.release()
    assert crowd.queue().try_acquire("b") is not None


@pytest.mark.parametrize("device", ["../../elsewhere", "/", "..", "", "gpu:0/../..", "x" * 5000])
def test_a_device_from_a_strangers_file_leads_nowhere_else(
    crowd: Crowd, tmp_path: Path, device: str
) -> None:
    kept = tmp_path / "elsewhere" / f"{0:020d}.precious"
    kept.parent.mkdir()
    kept.touch()
    queue = crowd.queue(device)
    assert queue.waiting() == []
    assert (crowd.runs_dir / ".devices") in (queue.folder.parent, queue.folder)
    assert kept.exists()


def test_a_strange_file_in_the_queue_is_no_entry_and_stays(crowd: Crowd) -> None:
    crowd.live("a")
    crowd.queue().enqueue("a", 1.0)
    strange = crowd.queue().folder / "0000.readme"
    strange.touch()
    assert crowd.queue().waiting() == ["a"]
    assert strange.exists()
