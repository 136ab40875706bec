"""Many hands and many eyes at once: starts, resumes, deletes and readers in a race."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from cifar_core.errors import RunError
from cifar_core.jobs.lock import is_held
from cifar_core.runs import manager, reading
from cifar_core.runs.folder import State
from tests.torture.bench import ForkedBench, forked
from tests.torture.outcome import Outcome, Tally

HANDS = 4
"""Processes that press the same button at the same time."""


def start_at_once(tries: int, seed: int, folder: Path) -> list[Outcome]:
    """A12: several processes start, and then resume, the same run at the same moment."""
    tally = Tally("A12", f"one start is one run: {HANDS} processes press at once; so with Resume")
    draw = random.Random(seed)
    with forked(folder / "races") as bench, watched(lambda: reading.list_runs(bench.runs_dir)):
        for index in range(tries):
            token = f"press {index} {draw.random()}"
            answers = at_once([partial(bench.start, token, epochs=1)] * HANDS)
            ids = set(answers)
            (run_id,) = ids if len(ids) == 1 else ("",)
            run = bench.wait_for(run_id, State.FINISHED) if run_id else None
            once = bench.launches().count(run_id) == 1
            one = run is not None and run.status.attempts == 1 and once
            tally.count(one, f"start {index}: {answers}")
            tally.count(_resume_once(bench, run_id), f"resume {index}")
            manager.delete(bench.runs_dir, run_id)
    return [tally.outcome(f"{tries} starts, {tries} resumes")]


def _resume_once(bench: ForkedBench, run_id: str) -> bool:
    """Whether of many who resume a run, and one who would delete it, one has their way."""
    folder = bench.wait_for_release(run_id).folder
    folder.evaluation_path.unlink()
    before = len(bench.launches())
    resume = lambda: answer(lambda: manager.resume(bench.runs_dir, run_id))  # noqa: E731
    answers = at_once([resume] * HANDS)
    bench.wait_for(run_id, State.FINISHED)
    bench.wait_for_release(run_id)
    won = answers.count("done")
    # One who came after the run had ended again was right to be refused as well.
    return won == 1 == len(bench.launches()) - before


def look_for_ghosts(tries: int, seed: int, folder: Path) -> list[Outcome]:
    """A11: the dead show as interrupted; no living one ever does, whoever looks whenever."""
    ghosts = Tally("A11", "a dead worker shows as interrupted within 15 s, also after a reboot")
    wrong = Tally("A11", "no living worker is ever called dead: looks during starts and resumes")
    draw = random.Random(seed)
    with forked(folder / "alive", PRETEND_STEP_SECONDS="0.002") as bench:
        run_id = bench.start(epochs=1000)
        seen = folder / "seen"
        look = partial(_look_slowly, bench, run_id, seen)
        with watched(lambda: _note(seen, bench.read(run_id).state)), watched(look, 2):
            for _ in range(tries):
                time.sleep(draw.uniform(0.0, 0.05))
                manager.stop(bench.runs_dir, run_id)
                bench.wait_for(run_id, State.STOPPED)
                while answer(lambda: manager.resume(bench.runs_dir, run_id)) != "done":
                    time.sleep(0.001)
        looks = seen.read_bytes()
        wrong.tried, wrong.faults = len(looks), ["interrupted"] * looks.count(b"i")
        for index in range(tries):
            bench.wait_for(run_id, State.RUNNING)
            began = time.monotonic()
            bench.kill(run_id)
            run = bench.wait_for(run_id, State.INTERRUPTED, seconds=15)
            ghosts.seconds.append(time.monotonic() - began)
            if index % 2:
                other = dataclasses.replace(run.status, boot="another start of the machine")
                run.folder.write_status(other)
                run = bench.read(run_id)
            reason = "restarted" if index % 2 else "killed"
            ghosts.count(run.state is State.INTERRUPTED and reason in run.reason, run.reason)
            manager.resume(bench.runs_dir, run_id)
    return [ghosts.outcome(), wrong.outcome(f"{tries} stops and resumes")]


def read_while_writing(seconds: float, _seed: int, folder: Path) -> list[Outcome]:
    """A15: readers in a loop while a worker writes: every row whole, a status always there."""
    tally = Tally("A15", "readers while a worker writes: no torn row, no missing status")
    with forked(folder / "readers", speak=0.001) as bench:
        run_id = bench.start(epochs=1000)
        run = bench.wait_for_step(run_id, 0)
        seen = folder / "read"

        def read() -> None:
            status = run.folder.read_status()
            rows = [(row.epoch, row.kind == "epoch") for row in run.folder.read_metrics()]
            raw = run.folder.metrics_path.read_bytes().split(b"\n")[:-1]
            whole = rows == sorted(set(rows)) and all(map(json.loads, raw))
            with seen.open("ab") as file:
                file.write(b"." if status is not None and whole else b"x")

        with watched(read, 2):
            time.sleep(seconds)
        looks = seen.read_bytes()
        tally.tried, tally.faults = len(looks), ["torn"] * looks.count(b"x")
        rows_written = len(run.folder.read_metrics())
    return [tally.outcome(f"{rows_written} rows written")]


def _look_slowly(bench: ForkedBench, run_id: str, seen: Path) -> None:
    """Looks as a reader does that the system lets wait between its glances."""

    def glance(path: Path) -> bool:
        held = is_held(path)
        time.sleep(random.uniform(0.0, 0.02))
        return held

    with mock.patch.object(reading, "is_held", glance):
        _note(seen, bench.read(run_id).state)


def _note(path: Path, state: State) -> None:
    with path.open("ab") as file:
        file.write(state.value[:1].encode())


def answer(action: Callable[[], object]) -> str:
    """Returns ``done``, or the first words of the refusal."""
    try:
        action()
    except RunError as error:
        return error.what
    return "done"


def at_once(actions: list[Callable[[], Any]]) -> list[Any]:
    """Carries out actions in one process each, all let go at the same moment."""
    gate_read, gate_write = os.pipe()
    pipes = []
    for action in actions:
        read, write = os.pipe()
        if os.fork() == 0:
            try:
                os.close(gate_write)
                os.read(gate_read, 1)  # ends when the parent closes its end
                os.write(write, json.dumps(action()).encode())
            except BaseException as error:  # noqa: BLE001 - the parent is to see it
                os.write(write, json.dumps(repr(error)).encode())
            finally:
                os._exit(0)
        os.close(write)
        pipes.append(read)
    os.close(gate_read)
    os.close(gate_write)
    answers = []
    for read in pipes:
        with os.fdopen(read, "rb") as pipe:
            answers.append(json.loads(pipe.read()))
        os.wait()
    return answers


@contextmanager
def watched(look: Callable[[], object], eyes: int = 1) -> Iterator[None]:
    """Lets other processes do something all the time; what they raise is raised here."""
    children, faults = [], []
    for _ in range(eyes):
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                while True:
                    look()
                    time.sleep(0.0005)
            except BaseException as error:  # noqa: BLE001 - the parent is to see it
                os.write(write, repr(error).encode())
            finally:
                os._exit(0)
        os.close(write)
        children.append((child, read))
    try:
        yield
    finally:
        for child, read in children:
            os.kill(child, 9)
            with os.fdopen(read, "rb") as pipe:
                faults.append(pipe.read())
            os.waitpid(child, 0)
    assert not any(faults), faults
