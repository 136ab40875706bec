"""The container's first process, without a container: real workers whose trainings pretend."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cifar_core.runs.folder import State
from cifar_core.settings import PROJECT_DIR
from cifar_core.training import checkpoint
from tests.torture.bench import PRETEND, Bench
from tests.waiting import killed_at_the_end, start_mortal, wait_until

SERVER = """
import pathlib, sys, time
from cifar_core.runs import launch
from tests.torture.bench import Bench

launch.WORKER_COMMAND = (sys.argv[2],)
bench = Bench(pathlib.Path(sys.argv[1]))
bench.start("first")
bench.start("second")
while True:
    time.sleep(1)
"""
"""Stands for the web server: starts a run that trains and one that waits, and stays."""


@pytest.fixture
def bench(runs_dir: Path) -> Iterator[Bench]:
    made = Bench(runs_dir)
    yield made
    made.end()


def container(*command: str, **environment: str) -> subprocess.Popen[bytes]:
    return start_mortal(
        [sys.executable, "-m", "cifar_core.container", *command],
        cwd=PROJECT_DIR,
        env={**os.environ, "PYTHONPATH": str(PROJECT_DIR), **environment},
    )


def with_runs(bench: Bench, **environment: str) -> subprocess.Popen[bytes]:
    made = container(sys.executable, "-c", SERVER, str(bench.runs_dir), str(PRETEND), **environment)
    wait_until(lambda: len(runs_of(bench)) == 2)
    return made


def runs_of(bench: Bench) -> list[str]:
    return sorted(path.name for path in bench.runs_dir.glob("cnn4-*"))


def children(process: int) -> list[int]:
    return [int(x) for x in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.parametrize("steps", [1, 10, 22, 35, 50])  # of three epochs of 20
def test_a_stop_reaches_every_training_and_each_writes_its_checkpoint(
    bench: Bench, steps: int
) -> None:
    def done() -> int:
        return max(
            run.status.epoch * 20 + run.status.step for run in map(bench.read, runs_of(bench))
        )

    with killed_at_the_end(with_runs(bench, PRETEND_STEP_SECONDS="0.1")) as process:
        wait_until(lambda: done() >= steps)
        process.send_signal(signal.SIGTERM)
        assert process.wait(240) == 0
    trained, waited = sorted(
        map(bench.read, runs_of(bench)), key=lambda run: -run.status.running_seconds
    )
    assert (trained.state, waited.state) == (State.STOPPED, State.STOPPED)
    saved = checkpoint.load(trained.folder.checkpoint_path)
    assert saved is not None
    assert (saved.progress.epoch, saved.progress.step) >= divmod(steps, 20)


def test_a_run_that_has_ended_leaves_no_zombie(bench: Bench) -> None:
    with killed_at_the_end(with_runs(bench)) as process:
        for name in runs_of(bench):
            bench.wait_for(name, State.FINISHED)
        wait_until(lambda: len(children(process.pid)) == 1)  # the server


def test_a_server_that_ends_by_itself_ends_the_container_with_its_status() -> None:
    with killed_at_the_end(container(sys.executable, "-c", "raise SystemExit(7)")) as process:
        assert process.wait(240) == 7


def test_what_does_not_hear_is_killed_in_the_end() -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)\n"
    code = "import cifar_core.container as c, sys; c.GRACE_SECONDS = 0.5; c.main(sys.argv[1:])"
    command = [sys.executable, "-c", code, sys.executable, "-c", deaf + "time.sleep(600)"]
    process = start_mortal(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE)
    with killed_at_the_end(process):
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(240) == 0
        process.stdout.close()
