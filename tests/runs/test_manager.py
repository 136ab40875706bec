"""What the manager answers to hostile names, broken runs and things that happen at once."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_core import files
from cifar_core.errors import RunError
from cifar_core.jobs.lock import Lock, try_lock
from cifar_core.runs import launch, manager, reading
from cifar_core.runs.device_queue import DeviceQueue
from cifar_core.runs.folder import RunFolder, State, Status
from tests.torture.bench import Bench, ForkedBench
from tests.torture.inside import prepare
from tests.waiting import wait_until
from tools.fabricate import Fake, damage, fabricate

IDS = [
    "", ".", "..", "../x", "a/b", "/etc", "a\\b", "a\0b", "a" * 10_000, "a" * 201, ".hidden",
    "-x", "a b", "a\nb", "ä", "<script>", "=1+1", "%2e%2e", "a:b", "~",
]  # fmt: skip


@pytest.fixture
def ended(runs_dir: Path) -> RunFolder:
    folder = prepare(runs_dir / "cnn4-standard-1")
    folder.write_status(Status(state=State.STOPPED, device="cpu", epoch=1))
    folder.lock_path.touch()
    return folder


def held(folder: RunFolder) -> Lock:
    """Holds a run's lock, as its worker does."""
    taken = try_lock(folder.lock_path)
    assert taken is not None
    return taken


@pytest.mark.parametrize("run_id", IDS)
@pytest.mark.parametrize("order", [reading.read, manager.resume, manager.stop, manager.delete])
def test_a_hostile_identity_is_no_run(
    runs_dir: Path, order: Callable[[Path, str], object], run_id: str
) -> None:
    runs_dir.mkdir()
    (runs_dir.parent / "x").mkdir()
    with pytest.raises(RunError, match="There is no run"):
        order(runs_dir, run_id)
    assert (runs_dir.parent / "x").is_dir()


@pytest.mark.parametrize("name", ["a\0b\x1b[31m", "two\nlines", "x" * 10_000, "\ud800", "\u202ex"])
def test_a_hostile_name_becomes_one_clean_line(ended: RunFolder, name: str) -> None:
    manager.relabel(ended.path.parent, ended.id, name=name, note=name)
    label = ended.read_label()
    assert label.name.isprintable()
    assert len(label.name) <= 80
    assert all(line.isprintable() for line in label.note.split("\n"))
    assert len(label.note) <= 2000


def test_a_note_keeps_its_lines(ended: RunFolder) -> None:
    manager.relabel(ended.path.parent, ended.id, note="one\ntwo")
    assert ended.read_label().note == "one\ntwo"


def test_a_name_alone_keeps_the_note(ended: RunFolder) -> None:
    manager.relabel(ended.path.parent, ended.id, note="kept")
    manager.relabel(ended.path.parent, ended.id, name="new")
    assert (ended.read_label().name, ended.read_label().note) == ("new", "kept")


@pytest.mark.parametrize("device", ["", "gpu", "gpu:", "../cpu", "cpu ", "gpu:1234", "tpu:0"])
def test_what_is_no_device_is_refused_before_anything_is_written(
    quick: ForkedBench, device: str
) -> None:
    with pytest.raises(RunError, match="no device"):
        quick.start(device=device)
    assert not quick.runs_dir.exists()


def test_broken_runs_are_listed_as_they_are(runs_dir: Path) -> None:
    draw = random.Random(3)
    for index in range(40):
        damage(fabricate(runs_dir, Fake(run_id=f"run-{index}", state=State.RUNNING)), draw)
    (runs_dir / "empty").mkdir()
    (runs_dir / "file").touch()
    (runs_dir / "loop").symlink_to(runs_dir / "loop")
    (runs_dir / "run-1" / "lock").symlink_to("lock")
    (runs_dir / "run-2" / "lock").mkdir()
    listed = reading.list_runs(runs_dir)
    assert {run.id for run in listed} == {f"run-{n}" for n in range(40)}
    assert all(run.reason or run.state is not State.INTERRUPTED for run in listed)


def test_a_missing_folder_of_runs_has_no_runs(runs_dir: Path) -> None:
    assert reading.list_runs(runs_dir) == []


def test_a_run_with_a_torn_status_whose_process_lives_is_running(ended: RunFolder) -> None:
    ended.status_path.write_bytes(b"{")
    with held(ended):
        run = reading.observe(ended)
        assert (run.state, run.reason) == (State.RUNNING, "")
        manager.stop(ended.path.parent, ended.id)
    assert ended.request_path.exists()
    assert reading.observe(ended).state is State.INTERRUPTED


def test_a_run_with_a_torn_status_can_be_resumed(quick: ForkedBench) -> None:
    folder = prepare(quick.runs_dir / "torn", epochs=1)
    folder.status_path.write_bytes(b"{")
    manager.resume(quick.runs_dir, "torn")
    quick.wait_for("torn", State.FINISHED)


def test_a_run_resumed_between_two_looks_is_not_called_dead(
    ended: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [False, True, True]
    monkeypatch.setattr(reading, "is_held", lambda _path: answers.pop(0))
    ended.write_status(Status(state=State.QUEUED, heartbeat_at=time.time()))
    assert reading.observe(ended).state is State.QUEUED


@pytest.mark.parametrize("away", [-3600.0, 3600.0])
def test_a_clock_that_jumps_does_not_hide_a_silent_worker(ended: RunFolder, away: float) -> None:
    ended.write_status(Status(state=State.RUNNING, heartbeat_at=time.time() + away))
    with held(ended):
        run = reading.observe(ended)
    assert run.state is State.STALLED
    assert "3600 seconds" in run.reason


def test_a_reboot_is_told_from_a_death(ended: RunFolder) -> None:
    status = Status(state=State.RUNNING, boot="another")
    ended.write_status(status)
    assert "restarted" in reading.observe(ended).reason
    ended.write_status(dataclasses.replace(status, boot=reading.boot_id()))
    assert "killed" in reading.observe(ended).reason


def test_a_request_left_over_from_the_life_before_stops_nobody(quick: ForkedBench) -> None:
    folder = prepare(quick.runs_dir / "again", epochs=1)
    folder.write_status(Status(state=State.STOPPED))
    folder.request_path.touch()
    manager.resume(quick.runs_dir, "again")
    assert quick.wait_for("again", State.STOPPED, State.FINISHED).state is State.FINISHED


def test_a_run_that_has_ended_takes_no_request(ended: RunFolder) -> None:
    with held(ended), pytest.raises(RunError, match="not run"):
        manager.stop(ended.path.parent, ended.id)
    assert not ended.request_path.exists()


def test_a_stop_that_cannot_be_written_is_refused_in_three_answers(
    ended: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended.write_status(Status(state=State.RUNNING))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "touch", refuse)
    with (
        held(ended),
        pytest.raises(RunError, match="Read-only") as error,
    ):
        manager.stop(ended.path.parent, ended.id)
    assert error.value.remedy


def test_a_folder_replaced_while_its_lock_was_awaited_is_left_alone(
    ended: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_then_replace(path: Path, **_: float) -> Lock | None:
        taken = try_lock(path)
        ended.path.rename(ended.path.with_name(".deleted-x"))
        prepare(ended.path).lock_path.touch()
        return taken

    monkeypatch.setattr(manager, "try_lock", take_then_replace)
    with pytest.raises(RunError, match="no run"):
        manager.delete(ended.path.parent, ended.id)
    assert ended.recipe_path.exists()


def test_different_tokens_are_different_starts_however_alike(quick: ForkedBench) -> None:
    tokens = ["session-abc-press-1", "session-abc-press-10", "a" * 16, "a" * 17, "ä", "ö"]
    assert len({quick.start(token, epochs=1) for token in tokens}) == len(tokens)


def test_what_killed_starters_and_deleters_left_is_swept(quick: ForkedBench) -> None:
    for name in (".deleted-1", ".new-old", ".new-young"):
        prepare(quick.runs_dir / name)
    os.utime(quick.runs_dir / ".new-old", (0, 0))
    quick.start(epochs=1)
    left = {path.name for path in quick.runs_dir.iterdir() if path.name.startswith(".")}
    assert left >= {".new-young"}
    assert not left & {".deleted-1", ".new-old"}


def test_a_worker_whose_folder_is_removed_leaves_its_place_in_line(quick: ForkedBench) -> None:
    first, second = quick.start(epochs=1000), quick.start(seed=2, epochs=1000)
    quick.wait_for_step(first, 0)
    process = quick.processes(first)[0]
    # Whatever it writes meanwhile, and so keeps the folder there, it must not go on.
    (quick.runs_dir / first / "lock").unlink()
    shutil.rmtree(quick.runs_dir / first, ignore_errors=True)
    quick.wait_for(second, State.RUNNING)
    wait_until(lambda: not Path(f"/proc/{process}").exists())


def test_an_entry_of_a_killed_wait_does_not_block_the_queue_it_has_left(
    quick: ForkedBench,
) -> None:
    first = quick.start(device="gpu:0", epochs=1000)
    waiting = quick.start(device="gpu:0", seed=2, epochs=1000)
    quick.wait_for(first, State.RUNNING)
    quick.kill(waiting)
    manager.resume(quick.runs_dir, waiting, device="cpu")
    third = quick.start(device="gpu:0", seed=3)
    quick.wait_for(waiting, State.RUNNING)
    manager.stop(quick.runs_dir, first)
    quick.wait_for(third, State.FINISHED)


def test_a_moved_run_goes_on_in_the_other_line(quick: ForkedBench) -> None:
    first, second = quick.start(epochs=1000), quick.start(seed=2)
    quick.wait_for(first, State.RUNNING)
    manager.move(quick.runs_dir, second, "gpu:1")
    assert quick.wait_for(second, State.FINISHED).status.device == "gpu:1"


def test_a_folder_with_spaces_and_umlauts_works(
    quick: ForkedBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.runs_dir = quick.runs_dir / "meine Läufe \n 跑 %41"
    quick.wait_for(quick.start(epochs=1), State.FINISHED)


def test_a_relative_folder_of_runs_means_the_same_to_the_worker(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    bench.runs_dir = Path("relative")
    bench.wait_for(bench.start(epochs=1), State.FINISHED)


def test_a_worker_that_cannot_be_started_is_told_and_leaves_nothing(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = ForkedBench(runs_dir)
    with monkeypatch.context() as broken:
        broken.setattr(launch, "WORKER_COMMAND", ("-c", "raise SystemExit('no luck')"))
        with pytest.raises(RunError, match="could not be started") as error:
            bench.start(token="press")
    assert "no luck" in error.value.remedy
    assert reading.list_runs(runs_dir) == []
    assert DeviceQueue(runs_dir, "cpu").waiting() == []
    assert bench.start(token="press"), "the same press starts it now"


def test_a_start_that_cannot_join_the_line_leaves_nothing_either(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(queue: DeviceQueue, run_id: str, queued_at: float) -> None:
        raise PermissionError(13, "Permission denied")

    bench = ForkedBench(runs_dir)
    with monkeypatch.context() as broken:
        broken.setattr(DeviceQueue, "enqueue", refuse)
        with pytest.raises(RunError, match="cannot be written"):
            bench.start(token="press")
    assert reading.list_runs(runs_dir) == []
    assert bench.start(token="press"), "the same press starts it now"


def test_a_full_disk_at_the_start_of_a_worker_is_named(
    quick: ForkedBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = files.write_whole

    def refuse(path: Path, data: bytes, *, durable: bool = True) -> None:
        if path.name == ".reserve":
            raise OSError(28, "No space left on device")
        real(path, data, durable=durable)

    monkeypatch.setattr(files, "write_whole", refuse)
    run = quick.wait_for(quick.start(), State.FAILED)
    assert "disk is full" in run.reason
