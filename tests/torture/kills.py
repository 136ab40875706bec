"""Workers are killed, frozen, stopped and left alone by their server, at random moments."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from cifar_core import worker
from cifar_core.errors import RunError
from cifar_core.jobs.lock import is_held
from cifar_core.runs import manager
from cifar_core.runs.folder import State
from cifar_core.training import checkpoint
from tests.torture.bench import PRETEND, Bench, forked, started
from tests.torture.outcome import Outcome, Tally

SPAN_SECONDS = 0.35
"""How long a pretended run of these experiments takes, about: kills fall into it."""

INTERPRETER_SHARE = 10
"""Every so many-th try uses new interpreters instead of forks."""


def kill_and_resume(tries: int, seed: int, folder: Path) -> list[Outcome]:
    """A1 and A2: kill -9 up to three times at random moments, resume, compare everything."""
    resumed = Tally("A1", "kill -9 at a random moment, then resume; at most one epoch repeated")
    equal = Tally("A2", "the resumed run equals the undisturbed one bit for bit")
    draw = random.Random(seed)
    kills = 0
    with forked(folder / "whole") as bench:
        undisturbed = bench.start()
        bench.wait_for(undisturbed, State.FINISHED)
        wanted = bench.digests(undisturbed)
    for index in range(tries):
        is_new = index % INTERPRETER_SHARE == 0
        make = started if is_new else forked
        with make(folder / f"kills-{index}", PRETEND_STEP_SECONDS="0.004") as bench:
            run_id = bench.start()
            kept = True
            for _ in range(draw.randint(1, 3)):
                time.sleep(draw.uniform(0.0, SPAN_SECONDS) * (4 if is_new else 1))
                reached = bench.read(run_id).status.epoch
                run = bench.kill(run_id)
                if bench.read(run_id).state is State.FINISHED:
                    break
                kills += 1
                saved = checkpoint.load(run.folder.checkpoint_path)
                kept &= (0 if saved is None else saved.progress.epoch) >= reached
                kept &= bench.read(run_id).state is State.INTERRUPTED
                manager.resume(bench.runs_dir, run_id)
            bench.wait_for(run_id, State.FINISHED, seconds=60)
            resumed.count(kept, f"try {index}")
            equal.count(bench.digests(run_id) == wanted, f"try {index}")
    return [resumed.outcome(f"{kills} kills"), equal.outcome()]


def end_by_fault(tries: int, _seed: int, folder: Path) -> list[Outcome]:
    """A8 and A9: the loss is not a number, the memory is not enough; the next in line starts."""
    nan = Tally("A8", "a loss that is not a number is named, the last good state is kept")
    memory = Tally("A9", "out of memory is named, the device is free, the next in line starts")
    for index in range(tries):
        with forked(folder / f"nan-{index}", PRETEND_FAULT="nan") as bench:
            run = bench.wait_for(bench.start(), State.FAILED)
            saved = checkpoint.load(run.folder.checkpoint_path)
            good = saved is not None and saved.progress.epoch == 1
            rows = [row.epoch for row in run.folder.read_metrics()]
            nan.count(good and "diverged" in run.reason and max(rows) <= 1, run.reason)
        with forked(folder / f"memory-{index}", PRETEND_STEP_SECONDS="0.005") as bench:
            with mock.patch.dict("os.environ", PRETEND_FAULT="memory"):
                first = bench.start()
            second = bench.start(seed=2)
            failed = bench.wait_for(first, State.FAILED)
            began = time.monotonic()
            bench.wait_for(second, State.RUNNING, State.FINISHED, seconds=10)
            memory.seconds.append(time.monotonic() - began)
            memory.count("memory of the device" in failed.reason, failed.reason)
    return [nan.outcome(), memory.outcome()]


def kill_the_server(away: Sequence[float], _seed: int, folder: Path) -> list[Outcome]:
    """A10: the process that started runs is killed; the runs and their line do not notice.

    Args:
        away: For how many seconds there is no server, one try each.
        _seed: Unused.
        folder: Where to work.
    """
    tally = Tally("A10", "the server is killed for a while; runs and line unharmed, Stop works")
    for index, seconds in enumerate(away):
        runs_dir = folder / f"server-{index}"
        with started(runs_dir, PRETEND_STEP_SECONDS="0.05") as bench:
            server = subprocess.Popen(
                [sys.executable, "-c", _SERVER, str(PRETEND), str(runs_dir)],
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            assert server.stdout is not None
            with server:
                first, second = server.stdout.readline().split()
                bench.wait_for(first, State.RUNNING)
                before = bench.read(first).status
                server.kill()
            time.sleep(max(seconds, 0.3))
            run, waiting = bench.read(first), bench.read(second)
            lives = run.state is State.RUNNING and waiting.state is State.QUEUED
            goes_on = run.status.heartbeat_at > before.heartbeat_at
            tally.seconds += [_seconds_to_stop(bench, run_id) for run_id in (second, first)]
            tally.count(lives and goes_on and max(tally.seconds) < 10, f"{seconds} s away: {run}")
    return [tally.outcome()]


def freeze(tries: int, _seed: int, folder: Path, *, patience: float = 45.0) -> list[Outcome]:
    """A13: frozen workers show as stalled and live; a Stop meanwhile is obeyed when they thaw."""
    tally = Tally("A13", "a frozen worker shows as stalled, is not killed, and obeys when thawed")
    with forked(folder / "frozen", PRETEND_STEP_SECONDS="0.02") as bench:
        ids = [bench.start(device=f"gpu:{n}", epochs=1000) for n in range(tries)]
        for run_id in ids:
            bench.wait_for_step(run_id, 0)
            bench.signal(run_id, signal.SIGSTOP)
        began = time.monotonic()
        for run_id in ids:
            bench.wait_for(run_id, State.STALLED, seconds=patience)
            tally.seconds.append(time.monotonic() - began)
            lives = is_held(bench.read(run_id).folder.lock_path)
            manager.stop(bench.runs_dir, run_id)
            time.sleep(0.05)
            lives &= bench.read(run_id).state is State.STALLED
            bench.signal(run_id, signal.SIGCONT)
            bench.wait_for(run_id, State.STOPPED, seconds=10)
            tally.count(lives, run_id)
    return [tally.outcome()]


def stop_at_any_moment(
    tries: int, seed: int, folder: Path, *, insist: float = worker.INSIST_SECONDS
) -> list[Outcome]:
    """A14: Stop while in line, starting, at work, closing an epoch, and while deaf."""
    tally = Tally("A14", "Stop within 10 s: in line, starting, at work, closing, deaf")
    draw = random.Random(seed)
    deaf = max(1, tries // 10)
    with forked(
        folder / "stops", PRETEND_STEP_SECONDS="0.01", PRETEND_CLOSE_SECONDS="0.1"
    ) as bench:
        for index in range(tries - deaf):
            waits = index % 3 == 0
            first = bench.start(epochs=1000)
            run_id = bench.start(epochs=1000) if waits else first
            time.sleep(draw.choice((0.0, 0.01, draw.uniform(0.0, 0.6))))
            tally.seconds.append(_seconds_to_stop(bench, run_id))
            stopped = bench.read(run_id)
            moment = f"{stopped.status.epoch}.{stopped.status.step}"
            tally.count(tally.seconds[-1] < 10 and stopped.state is State.STOPPED, moment)
            if waits:
                _seconds_to_stop(bench, first)
    with (
        forked(folder / "deaf", PRETEND_FAULT="deaf") as bench,
        mock.patch.object(worker, "INSIST_SECONDS", insist),
    ):
        ids = [bench.start(device=f"gpu:{n}") for n in range(deaf)]
        for run_id in ids:
            bench.wait(run_id, lambda run: run.status.phase == "training")
        time.sleep(0.3)  # now each of them is in the call that hears nothing
        for run_id in ids:
            manager.stop(bench.runs_dir, run_id)
        began = time.monotonic()
        for run_id in ids:
            bench.wait_for(run_id, State.STOPPED)
            bench.wait_for_release(run_id)
            tally.seconds.append(time.monotonic() - began)
            tally.count(tally.seconds[-1] < 10, f"deaf, {tally.seconds[-1]:.1f} s")
    return [tally.outcome()]


def _seconds_to_stop(bench: Bench, run_id: str) -> float:
    """Asks a run to stop and returns how long it took, its process gone."""
    began = time.monotonic()
    try:
        manager.stop(bench.runs_dir, run_id)
    except RunError:
        assert bench.read(run_id).state not in (State.QUEUED, State.RUNNING)
    bench.wait_for(run_id, State.STOPPED, State.FINISHED)
    bench.wait_for_release(run_id)
    return time.monotonic() - began


_SERVER = """
import sys, time
from pathlib import Path
from cifar_core.recipes import recipe
from cifar_core.runs import launch, manager
launch.WORKER_COMMAND = (sys.argv[1],)
made = recipe("standard", "cnn4", epochs=1000, batch_size=8)
print(*[manager.start(Path(sys.argv[2]), made, device="cpu") for _ in range(2)], flush=True)
time.sleep(600)
"""
