"""Disks that are full and folders that cannot be written."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cifar_core.errors import RunError
from cifar_core.runs import manager
from cifar_core.runs.folder import State
from cifar_core.training import checkpoint
from tests.torture.bench import Bench, forked
from tests.torture.inside import prepare, undertake
from tests.torture.outcome import Outcome, Tally
from tests.torture.tap import Tap, tapped


@contextmanager
def small_disk(path: Path, options: str = "size=1m") -> Iterator[bool]:
    """Mounts a small file system in memory; says whether this user may."""
    path.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill_the_disk(tries: int, _seed: int, folder: Path) -> list[Outcome]:
    """A6: the disk fills up while a run is at work; later there is room again."""
    tally = Tally("A6", "disk full: the run says so, its checkpoint is whole, it goes on with room")
    kind = "a real full file system"
    with forked(folder / "whole") as bench:
        wanted = bench.digests(bench.wait_for(bench.start(), State.FINISHED).id)
    for index in range(tries):
        with small_disk(folder / f"disk-{index}") as mounted:
            if mounted:
                with forked(folder / f"disk-{index}", PRETEND_STEP_SECONDS="0.02") as bench:
                    tally.count(_fill_and_free(bench, wanted), f"try {index}")
            else:
                kind = "every write refused from one on (no file system could be mounted)"
                tally.count(_refuse_writes(folder / f"run-{index}", 40 + 9 * index), f"try {index}")
    return [tally.outcome(kind)]


def _fill_and_free(bench: Bench, wanted: dict[str, bytes]) -> bool:
    run_id = bench.start()
    bench.wait_for_step(run_id, 1, 4)
    filler = bench.runs_dir / "filler"
    with filler.open("wb", buffering=0) as file:
        while bench.read(run_id).state is State.RUNNING:  # it takes what anybody else gives back
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(4096))
    failed = bench.wait_for(run_id, State.FAILED, State.INTERRUPTED)
    saved = checkpoint.load(failed.folder.checkpoint_path)
    named = failed.state is State.FAILED and "disk is full" in failed.reason
    bench.wait_for_release(run_id)
    filler.unlink()
    manager.resume(bench.runs_dir, run_id)
    bench.wait_for(run_id, State.FINISHED)
    kept = saved is not None and saved.progress.epoch >= 1
    return named and kept and bench.digests(run_id) == wanted


def _refuse_writes(path: Path, operation: int) -> bool:
    run = prepare(path)
    with tapped(Tap(operation)):
        failed = undertake(run)
    named = failed.state is State.FAILED and "disk is full" in failed.reason
    return named and undertake(run).state is State.FINISHED


def refuse_the_folder(_tries: int, _seed: int, folder: Path) -> list[Outcome]:
    """A7: every way of an unwritable folder of runs, and every order given there."""
    tally = Tally("A7", "a folder that cannot be written: refused within 10 s in three answers")
    (folder / "file").write_text("a file where the folder should be")
    (folder / "link").symlink_to(folder / "nowhere" / "at-all")
    (folder / "loop").symlink_to(folder / "loop")
    for path in (
        folder / "file",
        folder / "file" / "below",
        folder / "link" / "below" / ("x" * 300),
        folder / "loop",
        Path("/proc/runs"),
        Path("/dev/null/runs"),
    ):
        _refused(tally, f"start in {path.name}", Bench(path).start)
    with small_disk(folder / "full", "size=16k") as mounted:
        if mounted:
            (folder / "full" / "filler").write_bytes(bytes(16 * 1024))
            _refused(tally, "start on a full disk", Bench(folder / "full").start)
    with (
        small_disk(folder / "read-only") as mounted,
        forked(folder / "read-only", PRETEND_STEP_SECONDS="0.01") as bench,
    ):
        if mounted:
            run_id = bench.start()
            bench.wait_for(run_id, State.FINISHED)
            (bench.runs_dir / run_id / "evaluation.json").unlink()
            again = bench.start(epochs=1000)
            bench.wait_for_step(again, 0)
            with read_only(bench.runs_dir):
                _refuse_orders(tally, bench, run_id)
                tally.count(_ends_loudly(bench, again), "a run whose folder became read-only")
    return [tally.outcome()]


def _refuse_orders(tally: Tally, bench: Bench, run_id: str) -> None:
    runs_dir = bench.runs_dir
    _refused(tally, "start, read-only", bench.start)
    _refused(tally, "resume, read-only", lambda: manager.resume(runs_dir, run_id))
    _refused(tally, "delete, read-only", lambda: manager.delete(runs_dir, run_id))
    _refused(tally, "name, read-only", lambda: manager.relabel(runs_dir, run_id, name="x"))


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Lays a read-only view over a folder, also over one that a worker writes to."""
    subprocess.run(["mount", "--bind", str(path), str(path)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(path)], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def _ends_loudly(bench: Bench, run_id: str) -> bool:
    """Whether a run that can write nothing any more is shown as ended within 10 s."""
    run = bench.wait_for(run_id, State.FAILED, State.INTERRUPTED, seconds=10)
    return bool(run.reason and run.remedy)


def _refused(tally: Tally, case: str, order: Callable[[], object]) -> None:
    """Counts whether an order is refused with three answers, soon."""
    began = time.monotonic()
    try:
        order()
    except RunError as error:
        answers = all((error.what, error.expected, error.remedy))
        tally.count(answers and time.monotonic() - began < 10, f"{case}: {error}")
    except Exception as error:  # noqa: BLE001 - anything else is a defect, to be shown
        tally.count(held=False, case=f"{case}: {error!r}")
    else:
        tally.count(held=False, case=f"{case}: accepted")
    tally.seconds.append(time.monotonic() - began)
