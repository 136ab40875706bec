"""Ctrl-C on the command line, in this process, in another, and in a real training."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from cifar_core import services
from cifar_core.runs.folder import State, Status
from cifar_core.settings import PROJECT_DIR
from tests.commands.tool import (
    LIMIT_SECONDS,
    PROGRAM,
    TRAIN,
    done,
    waiting,
)
from tools.fabricate import Fake, fabricate


@contextlib.contextmanager
def started(program: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Starts a process that hears SIGINT, also where the tests run in a shell's background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            program, cwd=PROJECT_DIR, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def await_line(process: subprocess.Popen[str], *words: str) -> str:
    """Reads standard error up to a line with one of some words."""
    assert process.stderr is not None
    for line in process.stderr:
        if any(word in line for word in words):
            return line
    pytest.fail(f"It ended before it said any of {words}.")


def interrupted(monkeypatch: pytest.MonkeyPatch, *deeds: Callable[[], Any]) -> None:
    """Lets a deed happen, and then Ctrl-C, at each next pause between two looks at a run."""
    left = list(deeds)

    def pause(_seconds: float) -> NoReturn:
        left.pop(0)()
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", pause)


@pytest.mark.parametrize(
    ("service", "arguments"),
    [
        ("start_run", TRAIN),
        ("fetch_dataset", ("data",)),
        ("list_runs", ("runs",)),
        ("stop_run", ("stop", "a-1")),
        ("find_model", ("classify", "x.png")),
        ("read_run", ("evaluate", "a-1")),
    ],
)
def test_ctrl_c_is_one_sentence_and_status_130(
    service: str,
    arguments: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def interrupt(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(services, service, interrupt)
    assert done(*arguments) == 130
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("Interrupted")
    assert said.err.count("\n") == 1


def test_a_run_that_ended_just_before_ctrl_c_shows_its_figures(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, lock = waiting(runs_dir, heartbeat_at=time.time())
    other = fabricate(runs_dir, Fake(run_id="other-1"))

    def finish() -> None:
        folder.evaluation_path.write_bytes(other.evaluation_path.read_bytes())
        folder.write_status(Status(state=State.FINISHED, epoch=3))
        lock.release()

    monkeypatch.setattr(services, "start_run", lambda *_, **__: folder.id)
    interrupted(monkeypatch, finish)
    assert done(*TRAIN, "--json") == 0
    facts = json.loads(capfd.readouterr().out)
    assert facts["state"] == "finished"
    assert facts["evaluation"]["pictures"] == 10_000
    assert not folder.request_path.exists()


def test_ctrl_c_asks_the_run_to_stop_and_waits_for_its_end(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, lock = waiting(runs_dir, heartbeat_at=time.time())

    def stop() -> None:
        assert folder.request_path.exists()
        folder.write_status(Status(state=State.STOPPED, epoch=1, reason="Stopped as asked."))
        lock.release()

    pauses: list[Callable[[], None]] = [stop]

    def pause(_seconds: float) -> None:
        if not folder.request_path.exists():
            raise KeyboardInterrupt
        pauses.pop()()

    monkeypatch.setattr(services, "start_run", lambda *_, **__: folder.id)
    monkeypatch.setattr(time, "sleep", pause)
    assert done(*TRAIN) == 1
    said = capfd.readouterr()
    assert said.out.strip() == f"Run {folder.id} is stopped. Stopped as asked."


FOLLOWER = """
import sys
from cifar_core import __main__, services
services.start_run = lambda *_, **__: "alive-1"
sys.exit(__main__.main(["train", "--network", "cnn4", "--json"]))
"""


def test_a_second_ctrl_c_leaves_a_stalled_run_at_once(runs_dir: Path) -> None:
    folder, lock = waiting(runs_dir, heartbeat_at=1.0)
    with lock, started([sys.executable, "-c", FOLLOWER]) as process:
        await_line(process, "stalled")
        process.send_signal(signal.SIGINT)
        await_line(process, "Stopping")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_SECONDS)
        assert services.read_run(folder.id).state is State.STALLED
    assert process.returncode == 130
    assert out == ""
    assert f"stop {folder.id}" in err
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.data
def test_ctrl_c_stops_a_real_training_and_keeps_everything() -> None:
    wishes = ("--training-pictures", "500", "--epochs", "50", "--json")
    with started([*PROGRAM, *TRAIN, *wishes]) as process:
        run_id = await_line(process, "started.").split()[1]
        try:
            await_line(process, "pictures right")  # an epoch is done
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=LIMIT_SECONDS)
        finally:
            if services.read_run(run_id).state.is_alive:
                services.stop_run(run_id)
    assert process.returncode == 1
    facts = json.loads(out)
    assert (facts["run"], facts["state"]) == (run_id, "stopped")
    assert facts["evaluation"] is None
    assert "Traceback" not in err
    run = services.read_run(run_id)
    assert run.state is State.STOPPED
    assert run.folder.checkpoint_path.is_file()
    epochs = [row for row in services.read_metrics(run_id) if row.kind == "epoch"]
    assert len(epochs) == run.status.epoch >= 1
    assert len(services.read_predictions(run).probabilities) == 5000
