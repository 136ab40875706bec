"""A run's life with real processes: start, line, stop, kill, resume. The training pretends."""

from __future__ import annotations

import signal
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from cifar_core.errors import RunError
from cifar_core.runs import manager, reading
from cifar_core.runs.folder import State
from tests.torture.bench import Bench, ForkedBench

SLOW_STEP = "0.02"
"""Seconds per step that leave time to meet a run at work: 20 steps an epoch, 3 epochs."""


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRETEND_STEP_SECONDS", SLOW_STEP)


def test_a_run_goes_from_queued_to_finished(bench: Bench) -> None:
    run = bench.wait_for(bench.start(), State.FINISHED)
    assert run.status.epoch == 3
    assert [row.epoch for row in run.folder.read_metrics() if row.kind == "epoch"] == [1, 2, 3]


def test_metrics_appear_while_an_epoch_is_under_way(quick: ForkedBench, slow: None) -> None:
    run_id = quick.start()
    quick.wait_for_step(run_id, 0, 5)
    run = quick.read(run_id)
    assert run.status.epoch == 0
    assert any(row.kind == "step" for row in run.folder.read_metrics())


def test_a_stopped_run_resumes_where_it_stopped(quick: ForkedBench, slow: None) -> None:
    run_id = quick.start()
    quick.wait_for_step(run_id, 1)
    manager.stop(quick.runs_dir, run_id)
    stopped = quick.wait_for(run_id, State.STOPPED, seconds=10)
    reached = stopped.status.epoch + stopped.status.step / 20
    manager.resume(quick.runs_dir, run_id)
    quick.wait_for(run_id, State.RUNNING)
    finished = quick.wait_for(run_id, State.FINISHED)
    assert reached > 1
    assert finished.status.attempts == 2
    assert finished.status.running_seconds > stopped.status.running_seconds


def test_a_run_killed_three_times_equals_an_undisturbed_one(bench: Bench, slow: None) -> None:
    disturbed = bench.start()
    for epoch, step in ((0, 3), (1, 2), (2, 6)):
        bench.wait_for_step(disturbed, epoch, step)
        assert bench.kill(disturbed).state is State.INTERRUPTED
        manager.resume(bench.runs_dir, disturbed)
    bench.wait_for(disturbed, State.FINISHED)
    undisturbed = bench.start()
    bench.wait_for(undisturbed, State.FINISHED)
    assert bench.digests(disturbed) == bench.digests(undisturbed)


def test_a_run_stopped_in_the_middle_of_an_epoch_equals_an_undisturbed_one(
    quick: ForkedBench, slow: None
) -> None:
    stopped = quick.start()
    quick.wait_for_step(stopped, 1, 3)
    manager.stop(quick.runs_dir, stopped)
    quick.wait_for(stopped, State.STOPPED)
    manager.resume(quick.runs_dir, stopped)
    quick.wait_for(stopped, State.FINISHED)
    undisturbed = quick.start()
    quick.wait_for(undisturbed, State.FINISHED)
    assert quick.digests(stopped) == quick.digests(undisturbed)


def test_a_dead_worker_shows_as_interrupted_with_the_next_step(
    quick: ForkedBench, slow: None
) -> None:
    run_id = quick.start()
    quick.wait_for_step(run_id, 0)
    run = quick.kill(run_id)
    assert run.state is State.INTERRUPTED
    assert "killed" in run.reason
    assert "Resume" in run.remedy


def test_a_frozen_worker_shows_as_stalled_and_goes_on_when_it_thaws(
    quick: ForkedBench, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "STALLED_AFTER_SECONDS", 1.5)
    run_id = quick.start()
    quick.wait_for_step(run_id, 0)
    quick.signal(run_id, signal.SIGSTOP)
    stalled = quick.wait_for(run_id, State.STALLED)
    quick.signal(run_id, signal.SIGCONT)
    assert "said nothing" in stalled.reason
    quick.wait_for(run_id, State.FINISHED)


def test_runs_take_turns_in_the_order_they_came(quick: ForkedBench, slow: None) -> None:
    ids = [quick.start(seed=seed) for seed in (1, 2, 3)]
    quick.wait_for(ids[0], State.RUNNING)
    assert [quick.read(run_id).state for run_id in ids[1:]] == [State.QUEUED, State.QUEUED]
    runs = [quick.read(run_id) for run_id in ids]
    assert [manager.position(quick.runs_dir, run) for run in runs[1:]] == [1, 2]
    ended = [quick.wait_for(run_id, State.FINISHED, seconds=60) for run_id in ids]
    starts = [run.status.started_at or 0.0 for run in ended]
    assert starts == sorted(starts)
    for before, after in pairwise(ended):
        assert before.status.ended_at is not None
        assert after.status.started_at is not None
        assert before.status.ended_at <= after.status.started_at + 0.01


def test_a_waiting_run_stops_without_having_trained(quick: ForkedBench, slow: None) -> None:
    first, second = quick.start(seed=1), quick.start(seed=2)
    quick.wait_for(first, State.RUNNING)
    manager.stop(quick.runs_dir, second)
    run = quick.wait_for(second, State.STOPPED, seconds=10)
    assert run.folder.read_metrics() == []
    assert run.status.waiting_seconds > 0
    assert quick.read(first).state is State.RUNNING


def test_a_killed_run_gives_its_device_to_the_next(quick: ForkedBench, slow: None) -> None:
    first, second = quick.start(seed=1), quick.start(seed=2)
    quick.wait_for_step(first, 0)
    quick.kill(first)
    quick.wait_for(second, State.RUNNING, seconds=10)


def test_a_dead_waiting_run_does_not_hold_up_the_line(quick: ForkedBench, slow: None) -> None:
    ids = [quick.start(seed=seed) for seed in (1, 2, 3)]
    quick.wait_for(ids[0], State.RUNNING)
    quick.kill(ids[1])
    quick.wait_for(ids[2], State.FINISHED, seconds=60)
    assert quick.read(ids[1]).state is State.INTERRUPTED


def test_one_start_is_one_run_however_often_it_is_pressed(bench: Bench) -> None:
    found: list[str] = []
    presses = [
        threading.Thread(target=lambda: found.append(bench.start(token="press-1")))
        for _ in range(12)
    ]
    for press in presses:
        press.start()
    for press in presses:
        press.join()
    assert len(found) == 12
    assert len(set(found)) == 1
    assert len(reading.list_runs(bench.runs_dir)) == 1
    assert bench.wait_for(found[0], State.FINISHED).status.attempts == 1


def test_a_living_run_cannot_be_resumed_or_deleted(quick: ForkedBench, slow: None) -> None:
    run_id = quick.start(epochs=100)
    quick.wait_for(run_id, State.RUNNING)
    with pytest.raises(RunError, match="Stop it first"):
        manager.resume(quick.runs_dir, run_id)
    with pytest.raises(RunError, match="Stop it first"):
        manager.delete(quick.runs_dir, run_id)
    assert quick.read(run_id).state is State.RUNNING


def test_a_finished_run_cannot_be_resumed(quick: ForkedBench) -> None:
    run_id = quick.start()
    quick.wait_for(run_id, State.FINISHED)
    with pytest.raises(RunError, match="finished"):
        manager.resume(quick.runs_dir, run_id)


def test_a_deleted_run_is_gone(quick: ForkedBench) -> None:
    run_id = quick.start()
    quick.wait_for(run_id, State.FINISHED)
    manager.delete(quick.runs_dir, run_id)
    assert reading.list_runs(quick.runs_dir) == []
    with pytest.raises(RunError, match="no run"):
        quick.read(run_id)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("full", "disk is full"),
        ("memory", "memory of the device"),
        ("nan", "diverged"),
        ("defect", "ZeroDivisionError"),
    ],
)
def test_a_fault_ends_the_run_by_its_name_and_keeps_the_checkpoint(
    quick: ForkedBench, monkeypatch: pytest.MonkeyPatch, fault: str, words: str
) -> None:
    monkeypatch.setenv("PRETEND_FAULT", fault)
    run_id = quick.start()
    failed = quick.wait_for(run_id, State.FAILED)
    assert words in failed.reason
    assert failed.remedy
    monkeypatch.delenv("PRETEND_FAULT")
    manager.resume(quick.runs_dir, run_id)
    assert quick.wait_for(run_id, State.FINISHED).status.epoch == 3


def test_a_waiting_run_has_not_loaded_what_trains(bench: Bench, slow: None) -> None:
    first, second = bench.start(seed=1), bench.start(seed=2)
    bench.wait_for(first, State.RUNNING)
    bench.wait(second, lambda run: run.status.phase == "waiting in line")
    (process,) = bench.processes(second)
    assert not any(
        name in Path(f"/proc/{process}/maps").read_text() for name in ("tensorflow", "jax")
    )
