"""The list of ended runs on disk: no run is read twice, and nothing that changed is missed."""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from cifar_core import files, services
from cifar_core.jobs.lock import try_lock
from cifar_core.recipes import recipe
from cifar_core.runs import index, reading, watch
from cifar_core.runs.folder import Label, RunFolder, State, Status
from cifar_core.runs.watch import RunsWatch

LONG_AGO = time.time() - 3600
RUNS = 6


def make(runs_dir: Path, number: int) -> RunFolder:
    """A run that ended an hour ago; its figures are its own."""
    run = RunFolder(runs_dir / f"run-{number}")
    run.path.mkdir(parents=True)
    network, state = ("cnn4", "cnn6")[number % 2], (State.STOPPED, State.FAILED)[number % 2]
    files.write_json(run.recipe_path, recipe("standard", network, seed=number).to_json())
    run.write_label(Label(f"mine {number}", "a note", 1000.0 + number))
    run.write_status(Status(state=state, epoch=number, accuracy=number / 10, reason=f"r {number}"))
    run.lock_path.touch()
    settle(run)
    return run


def settle(run: RunFolder) -> None:
    """Lets what was written have been written long ago."""
    for path in (*run.path.iterdir(), run.path):
        os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MANY_RUNS", 3)


@pytest.fixture
def made(runs_dir: Path) -> list[RunFolder]:
    """Runs that ended, and an index of them."""
    runs = [make(runs_dir, number) for number in range(RUNS)]
    look(runs_dir)
    assert len(index.read(runs_dir)) == RUNS
    return runs


def look(runs_dir: Path) -> list[reading.Run]:  # as a server that has just started
    return RunsWatch(runs_dir, keeps_index=True).look()


def facts(runs: list[reading.Run]) -> list[str]:
    return [repr(run) for run in runs]


def read_again(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that a server reads anew at its start."""
    anew: list[str] = []

    def observed(folder: RunFolder) -> reading.Run:
        anew.append(folder.id)
        return reading.observe(folder)

    with monkeypatch.context() as patch:
        patch.setattr(watch, "observe", observed)
        assert facts(look(runs_dir)) == facts(reading.list_runs(runs_dir))
    return sorted(anew)


@pytest.mark.usefixtures("made")
def test_after_a_start_no_ended_run_is_read_again(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_again(runs_dir, monkeypatch) == []


@pytest.mark.usefixtures("made")
def test_what_the_index_gives_is_of_the_same_types_as_what_is_read(runs_dir: Path) -> None:
    for listed, read in zip(look(runs_dir), reading.list_runs(runs_dir), strict=True):
        for one, other in ((listed.status, read.status), (listed.recipe, read.recipe)):
            assert one == other
            assert hash(one) == hash(other)
        assert isinstance(listed.status.state, State)
        assert dataclasses.replace(listed.status, epoch=77).epoch == 77


def _label_written_in_place(run: RunFolder) -> None:
    text = run.label_path.read_text().replace("mine", "ours")
    run.label_path.write_text(text)  # as long as before
    os.utime(run.label_path, (LONG_AGO, LONG_AGO))


def _evaluation_added(run: RunFolder) -> None:
    run.evaluation_path.write_text("{}")
    os.utime(run.path, (LONG_AGO, LONG_AGO))


def _old_folder_put_back(run: RunFolder) -> None:
    run.write_status(Status(state=State.FAILED, epoch=8))
    settle(run)


def _replaced_by_another(run: RunFolder) -> None:
    other = run.path.parent / "run-4"
    shutil.rmtree(run.path)
    other.rename(run.path)


CHANGES: dict[str, Callable[[RunFolder], object]] = {
    "status replaced": lambda run: run.write_status(Status(state=State.FAILED, epoch=9)),
    "status torn in place": lambda run: run.status_path.write_bytes(b""),
    "status removed": lambda run: run.status_path.unlink(),
    "recipe broken in place": lambda run: run.recipe_path.write_text("[]"),
    "label written in place": _label_written_in_place,
    "evaluation added": _evaluation_added,
    "an old folder put back": _old_folder_put_back,
    "another in its place": _replaced_by_another,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_run_is_seen_at_once(
    change: str, made: list[RunFolder], runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 5000.0)  # of a status that is gone
    running = RunsWatch(runs_dir)
    before = facts(running.look())
    CHANGES[change](made[2])
    now = facts(reading.list_runs(runs_dir))
    assert now != before
    assert facts(look(runs_dir)) == now
    assert facts(running.look()) == now


def test_a_run_that_goes_on_is_seen_alive(made: list[RunFolder], runs_dir: Path) -> None:
    lock = try_lock(made[1].lock_path)
    assert lock is not None
    with lock:
        made[1].write_status(Status(state=State.RUNNING, heartbeat_at=time.time()))
        settle(made[1])
        assert [run.id for run in look(runs_dir) if run.state is State.RUNNING] == ["run-1"]
    assert {run.id: run.state for run in look(runs_dir)}["run-1"] is State.INTERRUPTED


def test_deleted_added_and_copied_runs_are_seen_at_once(
    made: list[RunFolder], runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(made[0].path)
    shutil.copytree(made[1].path, runs_dir / "run-copy")
    make(runs_dir, 9)
    assert read_again(runs_dir, monkeypatch) == ["run-9", "run-copy"]


def test_a_copied_folder_of_runs_brings_no_trusted_index(
    made: list[RunFolder], runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(runs_dir, runs_dir.parent / "copy")
    assert len(read_again(runs_dir.parent / "copy", monkeypatch)) == len(made)


def _forge(old: str, new: str) -> Callable[[bytes], bytes]:
    def forged(data: bytes) -> bytes:
        body = data.partition(b"\n")[2]
        assert old.encode() in body
        body = body.replace(old.encode(), new.encode(), 1)
        return index._head(body) + b"\n" + body

    return forged


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "zeros": lambda data: bytes(len(data)),
    "half": lambda data: data[: len(data) // 2],
    "one bit": lambda data: data[:-20] + bytes([data[-20] ^ 1]) + data[-19:],
    "another version": lambda data: b"0" * 64 + data[64:],
    "deep": lambda _: index._head(b"[" * 200_000) + b"\n" + b"[" * 200_000,
    "no table": lambda _: index._head(b"[]") + b"\n[]",
    "another type": _forge("0.5", '"much"'),
    "absurd": _forge("0.5", "1e300"),
    "infinite": _forge("0.5", "Infinity"),
    "unknown state": _forge('"stopped"', '"xstopped"'),
    "unknown network": _forge('"cnn4"', '"cnn9"'),
    "a recipe out of bounds": _forge('"batch_size":128', '"batch_size":4'),
    "a run without a stamp": _forge('"run-0",', ""),
    "a run without its status": _forge('{"state"', 'null,{"state"'),
}


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.usefixtures("made")
def test_a_damaged_index_is_ignored_and_made_again(
    kind: str, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = runs_dir / index.NAME
    path.write_bytes(DAMAGES[kind](path.read_bytes()))
    assert len(read_again(runs_dir, monkeypatch)) == RUNS
    assert read_again(runs_dir, monkeypatch) == []


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_stands_in_the_place_of_the_index_does_no_harm(
    kind: str, runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path := runs_dir / index.NAME).unlink()
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    assert len(read_again(runs_dir, monkeypatch)) == RUNS


def start(runs_dir: Path) -> int:
    """Starts a server that finds no index; returns how many runs it lists."""
    (runs_dir / index.NAME).unlink(missing_ok=True)
    return len(look(runs_dir))


def test_servers_that_write_at_once_leave_a_whole_index(
    made: list[RunFolder], runs_dir: Path
) -> None:
    with ProcessPoolExecutor(4, get_context("fork")) as servers:
        assert set(servers.map(start, [runs_dir] * 80)) == {len(made)}
    look(runs_dir)
    assert len(index.read(runs_dir)) == len(made)
    assert sorted(item.name for item in runs_dir.iterdir() if item.name[0] == ".") == [index.NAME]


def test_a_folder_that_cannot_be_written_is_listed(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    for number in range(RUNS):
        make(runs_dir, number)
    monkeypatch.setattr(files, "write_whole", refuse)
    assert len(look(runs_dir)) == RUNS
    assert not (runs_dir / index.NAME).exists()


def test_a_read_only_lab_and_one_with_few_runs_write_no_index(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(RUNS):
        make(runs_dir, number)
    monkeypatch.setenv("CIFAR_LAB_READONLY", "1")
    assert len(services.list_runs(with_shipped=False)) == RUNS
    assert not (runs_dir / index.NAME).exists()
    monkeypatch.delenv("CIFAR_LAB_READONLY")
    monkeypatch.setattr(watch, "MANY_RUNS", RUNS + 1)
    services.list_runs(with_shipped=False)
    assert not (runs_dir / index.NAME).exists()
    shutil.copytree(runs_dir / "run-1", runs_dir / "run-copy")
    settle(RunFolder(runs_dir / "run-copy"))
    services.list_runs(with_shipped=False)  # one more is many
    assert (runs_dir / index.NAME).exists()


def test_a_recipe_that_cannot_be_read_just_now_is_not_remembered(
    made: list[RunFolder], runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = files.read_bytes

    def fail(path: Path, *, most: int | None = None) -> bytes:
        if path == made[3].recipe_path:
            raise OSError(5, "Input/output error")
        return whole(path, most=most)

    (runs_dir / index.NAME).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(files, "read_bytes", fail)
        server = RunsWatch(runs_dir, keeps_index=True)
        assert [run.id for run in server.look() if run.recipe is None] == ["run-3"]
    assert [run for run in server.look() if run.recipe is None] == []
    assert [run for run in look(runs_dir) if run.recipe is None] == []


def test_runs_that_are_listed_are_no_foreign_folders(
    made: list[RunFolder], runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(made[0].path, runs_dir / "run (copy)")
    (runs_dir / "theirs").mkdir()
    server = RunsWatch(runs_dir)
    server.look()
    assert server.find_unlisted() == reading.Unlisted(("run (copy)",), ("theirs",))
    shutil.rmtree(made[1].path)
    made[1].path.mkdir()
    server.look()
    assert server.find_unlisted().foreign == ("run-1", "theirs")
