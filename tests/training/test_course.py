"""The course of a training, around a network that pretends."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from cifar_core.runs.folder import RunFolder, State
from cifar_core.training import checkpoint
from tests.torture.bench import digests
from tests.torture.inside import prepare, stop_at, undertake
from tests.torture.power import record


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return prepare(tmp_path / "runs" / "one")


def test_what_a_checkpoint_counts_is_on_the_disk_before_it(tmp_path: Path) -> None:
    begin, log = record(tmp_path / "runs" / "recorded")
    names = dict(enumerate(begin))
    unsynced: set[str] = set()
    checkpoints = 0
    for operation in log:
        if operation.kind == "name":
            names[operation.node] = operation.name
        elif operation.kind in ("write", "size"):
            unsynced.add(names[operation.node])
        elif operation.kind == "sync":
            unsynced.discard(names[operation.node])
        elif operation.kind == "move" and operation.name == "checkpoint":
            checkpoints += 1
            assert not unsynced & {"metrics.jsonl", "predictions"}
    assert checkpoints >= 4


@pytest.mark.parametrize(("epoch", "step"), [(0, 0), (0, 1), (1, 0), (1, 9), (2, 5)])
def test_a_run_stopped_anywhere_goes_on_to_the_same_end(
    run: RunFolder, tmp_path: Path, epoch: int, step: int
) -> None:
    whole = prepare(tmp_path / "runs" / "whole")
    assert undertake(whole).state is State.FINISHED
    assert undertake(run, stop_at(epoch, step, run)).state is State.STOPPED
    assert undertake(run).state is State.FINISHED
    assert digests(run.path) == digests(whole.path)


def test_a_run_does_not_go_on_with_another_backend(run: RunFolder) -> None:
    undertake(run, stop_at(1, 2, run))
    saved = checkpoint.load(run.checkpoint_path)
    assert saved is not None
    foreign = dataclasses.replace(saved.progress, backend="jax")
    checkpoint.save(run.checkpoint_path, dataclasses.replace(saved, progress=foreign))
    status = undertake(run)
    assert status.state is State.FAILED
    assert "trained with jax" in status.reason
    assert "KERAS_BACKEND=jax" in status.remedy


@pytest.mark.parametrize("name", ["metrics.jsonl", "predictions"])
def test_rows_that_were_taken_away_are_noticed(run: RunFolder, name: str) -> None:
    undertake(run, stop_at(2, 0, run))
    path = run.path / name
    path.write_bytes(path.read_bytes()[:-1])
    status = undertake(run)
    assert status.state is State.FAILED
    assert "lost rows" in status.reason


def test_rows_written_after_the_checkpoint_are_taken_back(run: RunFolder) -> None:
    undertake(run, stop_at(1, 3, run))
    kept = run.read_metrics()
    run.append_metrics([dataclasses.replace(kept[-1], loss=99.0)])
    undertake(run)
    assert all(row.loss < 99 for row in run.read_metrics())
    assert run.read_metrics()[: len(kept)] == kept


def test_a_run_whose_checkpoints_are_all_damaged_loses_nothing_silently(run: RunFolder) -> None:
    undertake(run, stop_at(2, 3, run))
    rows = run.read_metrics()
    for path in (run.checkpoint_path, checkpoint.before(run.checkpoint_path)):
        path.write_bytes(b"damaged")
    status = undertake(run)
    assert status.state is State.FAILED
    assert "No checkpoint of the run is whole" in status.reason
    assert run.read_metrics() == rows
