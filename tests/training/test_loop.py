"""The training loop, around a network that pretends."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import pytest

from cifar_core.runs.devices import usable_cores
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


def test_cores_load_and_the_time_before_training_are_recorded(run: RunFolder) -> None:
    status = undertake(run)
    assert status.cores == usable_cores()
    assert status.load_at_start is not None
    assert status.load_median is not None
    assert status.setup_seconds > 0
    assert status.device_seconds == pytest.approx(status.setup_seconds + status.running_seconds)


def test_the_log_has_a_line_for_each_epoch_with_the_figures_of_its_row(
    run: RunFolder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cifar_core")
    undertake(run)
    told = [record.args for record in caplog.records if record.msg.startswith("epoch ")]
    ends = [row for row in run.read_metrics() if row.kind == "epoch"]
    assert told == [
        (
            *(round(row.epoch), 3, row.loss, row.accuracy, "validation"),
            *(row.monitored_loss, row.monitored_accuracy, row.learning_rate, row.epoch_seconds),
        )
        for row in ends
    ]
    assert len(told) == 3


def test_the_log_tells_of_checkpoints_stops_and_resumes(
    run: RunFolder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "cifar_core")
    undertake(run, stop_at(1, 2, run))
    undertake(run)

    def told(word: str) -> list[object]:
        return [record.args for record in caplog.records if word in record.msg]

    assert told("checkpoint kept") == [(1, 0), (1, 2), (2, 0), (3, 0)]
    assert told("asked to stop") == [(1, 2)]
    assert told("training %s") == [("begins", 0, 0), ("goes on from its checkpoint", 1, 2)]
    assert [args[0] for args in told("on the device")] == [State.STOPPED, State.FINISHED]  # type: ignore[index]
