"""Looking again and again: what was read once is kept, and nothing that changed is missed."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from cifar_core import services
from cifar_core.jobs.lock import try_lock
from cifar_core.runs import folder as run_folder
from cifar_core.runs import reading, watch
from cifar_core.runs.folder import Label, MetricRow, RunFolder, State, Status
from cifar_core.runs.watch import MetricsWatch, RunsWatch
from tests.torture.inside import prepare

LONG_AGO = time.time() - 3600


def row(number: int, *, seconds: float = 1.0) -> MetricRow:
    return MetricRow(
        kind="step",
        epoch=number / 10,
        loss=2.0,
        accuracy=0.1,
        learning_rate=0.05,
        images_per_second=100.0,
        seconds=seconds * number,
    )


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many lines were parsed, one number for each time."""
    counts: list[int] = []

    def counted(data: bytes) -> list[MetricRow]:
        counts.append(data.count(b"\n"))
        return run_folder.parse_rows(data)

    monkeypatch.setattr(watch, "parse_rows", counted)
    return counts


@pytest.fixture
def ended(runs_dir: Path) -> RunFolder:
    """A run that stopped an hour ago."""
    made = prepare(runs_dir / "cnn4-standard-1")
    made.write_status(Status(state=State.STOPPED, epoch=1))
    made.lock_path.touch()
    os.utime(made.path, (LONG_AGO, LONG_AGO))
    return made


def test_each_row_is_parsed_once(folder: RunFolder, parsed: list[int]) -> None:
    metrics = MetricsWatch(folder)
    for number in range(5):
        folder.append_metrics([row(number)])
        assert list(metrics.read()) == folder.read_metrics()
        assert metrics.read() is metrics.read()
    assert parsed == [1, 1, 1, 1, 1]


def test_before_the_first_row_there_are_none(folder: RunFolder) -> None:
    metrics = MetricsWatch(folder)
    assert metrics.read() == ()
    folder.append_metrics([row(0)])
    assert metrics.read() == (row(0),)


@pytest.mark.parametrize("cut", [0, 1, 40, 100])
def test_a_row_being_written_is_read_when_it_is_whole(folder: RunFolder, cut: int) -> None:
    folder.append_metrics([row(0), row(1)])
    whole = folder.metrics_path.read_bytes()
    first = whole.index(b"\n") + 1
    folder.metrics_path.write_bytes(whole[: first + cut])
    metrics = MetricsWatch(folder)
    assert metrics.read() == (row(0),)
    with folder.metrics_path.open("ab") as file:
        file.write(whole[first + cut :])
    assert metrics.read() == (row(0), row(1))


@pytest.mark.parametrize("kept", range(9))
@pytest.mark.parametrize("more", range(12))
def test_a_file_that_was_cut_and_went_on_is_read_anew(
    folder: RunFolder, kept: int, more: int
) -> None:
    """As when a run goes on from its checkpoint: the same epochs, at other times."""
    folder.append_metrics([row(number) for number in range(9)])
    metrics = MetricsWatch(folder)
    metrics.read()
    lines = folder.metrics_path.read_bytes().splitlines(keepends=True)
    os.truncate(folder.metrics_path, sum(map(len, lines[:kept])))
    folder.append_metrics([row(number, seconds=1.5) for number in range(kept, kept + more)])
    assert list(metrics.read()) == folder.read_metrics()


def test_a_file_that_was_replaced_is_read_anew(folder: RunFolder) -> None:
    folder.append_metrics([row(0), row(1)])
    metrics = MetricsWatch(folder)
    metrics.read()
    other = RunFolder(folder.path / "other")
    other.path.mkdir()
    other.append_metrics([row(number, seconds=3) for number in range(7)])
    other.metrics_path.replace(folder.metrics_path)
    assert list(metrics.read()) == folder.read_metrics()


def test_a_file_that_is_gone_has_no_rows(folder: RunFolder) -> None:
    folder.append_metrics([row(0)])
    metrics = MetricsWatch(folder)
    metrics.read()
    folder.metrics_path.unlink()
    assert metrics.read() == ()


def test_a_torn_row_costs_only_itself(folder: RunFolder) -> None:
    folder.append_metrics([row(0)])
    metrics = MetricsWatch(folder)
    metrics.read()
    with folder.metrics_path.open("ab") as file:
        file.write(b'{"kind": "st\n')
    folder.append_metrics([row(1)])
    assert metrics.read() == (row(0), row(1))


def test_a_run_that_ended_long_ago_is_not_read_again(
    ended: RunFolder, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = RunsWatch(runs_dir)
    first = runs.look()
    assert [run.id for run in first] == [ended.id]
    monkeypatch.setattr(watch, "observe", None)
    assert runs.look() == first


def test_what_is_written_in_the_folder_of_a_run_that_ended_is_seen(
    ended: RunFolder, runs_dir: Path
) -> None:
    runs = RunsWatch(runs_dir)
    runs.look()
    ended.write_label(Label("renamed", "", 1.0))
    assert runs.look()[0].name == "renamed"
    ended.evaluation_path.write_text("{}")
    assert runs.look()[0].state is State.FINISHED


def test_a_run_that_is_resumed_is_seen_alive(ended: RunFolder, runs_dir: Path) -> None:
    runs = RunsWatch(runs_dir)
    runs.look()
    lock = try_lock(ended.lock_path)
    assert lock is not None
    with lock:
        ended.write_status(Status(state=State.RUNNING, heartbeat_at=time.time()))
        assert runs.look()[0].state is State.RUNNING
    assert runs.look()[0].state is State.INTERRUPTED


def test_a_living_run_is_read_each_time(ended: RunFolder, runs_dir: Path) -> None:
    lock = try_lock(ended.lock_path)
    assert lock is not None
    runs = RunsWatch(runs_dir)
    status = Status(state=State.RUNNING, heartbeat_at=time.time())
    with lock:
        for epoch in range(3):
            ended.write_status(dataclasses.replace(status, epoch=epoch))
            os.utime(ended.path, (LONG_AGO, LONG_AGO))
            assert runs.look()[0].status.epoch == epoch


def test_runs_come_and_go(ended: RunFolder, runs_dir: Path) -> None:
    runs = RunsWatch(runs_dir)
    assert [run.id for run in runs.look()] == [ended.id]
    shutil.copytree(ended.path, runs_dir / "cnn4-standard-2")
    (runs_dir / ".new-1").mkdir()
    (runs_dir / "no folder").touch()
    both = [run.id for run in reading.list_runs(runs_dir)]
    assert sorted(both) == ["cnn4-standard-1", "cnn4-standard-2"]
    assert [run.id for run in runs.look()] == both
    shutil.rmtree(ended.path)
    assert [run.id for run in runs.look()] == ["cnn4-standard-2"]
    shutil.rmtree(runs_dir)
    assert runs.look() == []


def test_a_run_deleted_between_two_looks_hides_no_other(
    ended: RunFolder, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Vanished:
        """What scandir gives for a folder that is deleted before anybody asks more of it."""

        name = "cnn4-standard-2"

        def is_dir(self) -> bool:
            return True

        def stat(self) -> os.stat_result:
            raise FileNotFoundError

    with os.scandir(runs_dir) as entries:
        seen = nullcontext([Vanished(), *entries])
    monkeypatch.setattr(os, "scandir", lambda _: seen)
    assert [run.id for run in RunsWatch(runs_dir).look()] == [ended.id]


def test_a_second_list_of_ended_runs_opens_no_file_of_them(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        made = prepare(runs_dir / f"cnn4-standard-{number}")
        made.write_status(Status(state=State.STOPPED, epoch=number))
        made.lock_path.touch()
        os.utime(made.path, (LONG_AGO, LONG_AGO))
    first = services.list_runs(with_shipped=False)
    looked: list[str] = []

    def observed(folder: RunFolder) -> reading.Run:
        looked.append(folder.id)
        return reading.observe(folder)

    monkeypatch.setattr(watch, "observe", observed)
    monkeypatch.setattr(reading, "observe", observed)
    assert services.list_runs(with_shipped=False) == first
    assert len(first) == 20
    assert looked == []
