"""Random sequences of everything a person can do, against a model of the states.

Each run is a real forked process that waits before every epoch until the machine lets it go
on, so after each step the model knows exactly where every run must stand.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cifar_core.errors import RunError
from cifar_core.runs import manager, reading
from cifar_core.runs.folder import State
from tests.torture.bench import forked
from tests.torture.outcome import Outcome, Tally

EPOCHS = 3
MOST_RUNS = 6
SETTLE_SECONDS = 120.0
DEVICES = ("cpu", "gpu:0")
ALIVE = (State.QUEUED, State.RUNNING)

runs = st.integers(0, MOST_RUNS - 1)
devices = st.sampled_from(DEVICES)


@dataclass(frozen=True)
class Expected:
    """Where a run must stand.

    Attributes:
        state: Its state.
        device: The line it stands in, or the device it has.
        epoch: How many epochs it has completed.
        turn: When it joined its line, counted up.
        name: What it is called.
    """

    state: State
    device: str
    epoch: int
    turn: int
    name: str = ""


class RunsMachine(RuleBasedStateMachine):
    """The machine; ``steps`` counts what all its examples did."""

    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.scene = ExitStack()
        self.runs_dir = Path(tempfile.mkdtemp(prefix="cifar-lab-torture-"))
        self.bench = self.scene.enter_context(forked(self.runs_dir, PRETEND_GATED="1"))
        self.scene.enter_context(_patience(0.03))
        self.model: dict[str, Expected] = {}
        self.tokens: dict[str, str] = {}
        self.turns = 0

    def teardown(self) -> None:
        self.scene.close()
        shutil.rmtree(self.runs_dir, ignore_errors=True)

    def pick(self, index: int) -> str:
        assume(self.model)
        return sorted(self.model)[index % len(self.model)]

    def join(self, run_id: str, device: str, epoch: int, name: str = "") -> None:
        self.turns += 1
        self.model[run_id] = Expected(State.QUEUED, device, epoch, self.turns, name)

    def refused(self, words: str, order: Any, *given: Any, **named: Any) -> None:
        with pytest.raises(RunError, match=words) as refusal:
            order(self.runs_dir, *given, **named)
        assert refusal.value.expected
        assert refusal.value.remedy

    @initialize(device=devices)
    def begin(self, device: str) -> None:
        self.start("first", device)

    @precondition(lambda self: len(self.model) < MOST_RUNS)
    @rule(token=st.sampled_from("abcdef"), device=devices)
    def start(self, token: str, device: str) -> None:
        """A new token is a new run, also one with the settings of another; an old one is none."""
        run_id = self.bench.start(token, device=device)
        if run_id in self.model:
            assert self.tokens[token] == run_id
            return
        assert self.tokens.get(token) in (None, run_id)
        self.tokens[token] = run_id
        (self.runs_dir / run_id / ".gate.tmp").write_text("0")
        self.join(run_id, device, 0)

    @rule(index=runs)
    def advance(self, index: int) -> None:
        run_id = self.pick(index)
        run = self.model[run_id]
        assume(run.state is State.RUNNING)
        epoch = run.epoch + 1
        self.model[run_id] = replace(
            run, epoch=epoch, state=State.FINISHED if epoch == EPOCHS else State.RUNNING
        )
        self.gate(run_id, str(epoch))

    @rule(index=runs)
    def fail(self, index: int) -> None:
        run_id = self.pick(index)
        assume(self.model[run_id].state is State.RUNNING)
        self.gate(run_id, "fail")
        self.model[run_id] = replace(self.model[run_id], state=State.FAILED)

    @rule(index=runs)
    def stop(self, index: int) -> None:
        run_id = self.pick(index)
        run = self.model[run_id]
        if run.state not in ALIVE:
            self.refused("not running", manager.stop, run_id)
            return
        manager.stop(self.runs_dir, run_id)
        self.model[run_id] = replace(run, state=State.STOPPED)

    @rule(index=runs)
    def kill(self, index: int) -> None:
        run_id = self.pick(index)
        run = self.model[run_id]
        assume(run.state in ALIVE)
        self.bench.kill(run_id)
        self.model[run_id] = replace(run, state=State.INTERRUPTED)

    @rule(index=runs, device=st.none() | devices)
    def resume(self, index: int, device: str | None) -> None:
        run_id = self.pick(index)
        run = self.model[run_id]
        if run.state in ALIVE:
            self.refused("Stop it first", manager.resume, run_id, device=device)
            return
        if run.state is State.FINISHED:
            self.refused("is finished", manager.resume, run_id, device=device)
            return
        self.gate(run_id, str(run.epoch))
        manager.resume(self.runs_dir, run_id, device=device)
        self.join(run_id, device or run.device, run.epoch, run.name)

    @rule(index=runs, device=devices)
    def move(self, index: int, device: str) -> None:
        run_id = self.pick(index)
        run = self.model[run_id]
        if run.state is not State.QUEUED:
            self.refused("waiting run", manager.move, run_id, device)
            return
        manager.move(self.runs_dir, run_id, device)
        self.join(run_id, device, run.epoch, run.name)

    @rule(index=runs)
    def delete(self, index: int) -> None:
        run_id = self.pick(index)
        if self.model[run_id].state in ALIVE:
            self.refused("Stop it first", manager.delete, run_id)
            return
        manager.delete(self.runs_dir, run_id)
        del self.model[run_id]
        self.tokens = {token: kept for token, kept in self.tokens.items() if kept != run_id}
        self.refused("no run", manager.delete, run_id)

    @rule(index=runs, name=st.text(max_size=12))
    def relabel(self, index: int, name: str) -> None:
        run_id = self.pick(index)
        manager.relabel(self.runs_dir, run_id, name=name)
        given = self.bench.read(run_id).label.name
        assert all(character.isprintable() for character in given)
        self.model[run_id] = replace(self.model[run_id], name=given)

    @rule()
    def restart_the_reader(self) -> None:
        """Another process sees the same: nothing is kept in memory."""
        read, write = os.pipe()
        if os.fork() == 0:
            listed = {run.id: run.state.value for run in reading.list_runs(self.runs_dir)}
            os.write(write, json.dumps(listed).encode())
            os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            assert json.loads(pipe.read()) == {
                run_id: run.state.value for run_id, run in self.model.items()
            }
        os.wait()

    def gate(self, run_id: str, allowed: str) -> None:
        gate = self.runs_dir / run_id / ".gate.tmp"
        gate.with_name(".gate.new.tmp").write_text(allowed)
        gate.with_name(".gate.new.tmp").replace(gate)

    @invariant()
    def everything_settles_as_the_model_says(self) -> None:
        RunsMachine.steps += 1
        for device in DEVICES:
            line = self.line(device)
            if line and not self.has(device):
                self.model[line[0]] = replace(self.model[line[0]], state=State.RUNNING)
        deadline = time.monotonic() + SETTLE_SECONDS
        while wrong := self.differences():
            assert time.monotonic() < deadline, wrong
            time.sleep(0.001)
        for device in DEVICES:
            for place, run_id in enumerate(self.line(device)):
                assert manager.position(self.runs_dir, self.bench.read(run_id)) == place + 1

    def line(self, device: str) -> list[str]:
        queued = [
            (run.turn, run_id)
            for run_id, run in self.model.items()
            if run.device == device and run.state is State.QUEUED
        ]
        return [run_id for _, run_id in sorted(queued)]

    def has(self, device: str) -> bool:
        return any(
            run.device == device and run.state is State.RUNNING for run in self.model.values()
        )

    def differences(self) -> list[str]:
        """Says what is not yet as the model has it; what must never be seen, fails at once."""
        seen = {run.id: run for run in reading.list_runs(self.runs_dir)}
        assert set(seen) == set(self.model), (set(seen), set(self.model))
        found = []
        for run_id, wanted in self.model.items():
            run = seen[run_id]
            if wanted.state is not State.INTERRUPTED:
                assert run.state is not State.INTERRUPTED, f"{run_id} is called dead"
            assert run.label.name == wanted.name
            if run.state is not wanted.state or run.status.epoch != wanted.epoch:
                found.append(f"{run_id}: {run.state}, epoch {run.status.epoch}, not {wanted}")
            elif wanted.state not in ALIVE and self.bench.processes(run_id):
                found.append(f"{run_id} still has a process")
        return found


def _patience(seconds: float) -> Any:
    return mock.patch.object(manager, "PATIENCE_SECONDS", seconds)


def compare_with_model(tries: int, seed: int, _folder: Path) -> list[Outcome]:
    """A16: at least so many steps of random sequences."""
    tally = Tally("A16", "random sequences of all orders and kills against a model of the states")
    length = min(50, tries)
    RunsMachine.steps = 0
    fault = ""
    examples = 0
    while RunsMachine.steps < tries and not fault:
        examples += 1
        wanted = settings(
            max_examples=max(1, min(10, (tries - RunsMachine.steps) // length)),
            stateful_step_count=length,
            deadline=None,
            database=None,
            derandomize=False,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        machine = seeded(seed + examples)(type("SeededMachine", (RunsMachine,), {}))
        try:
            run_state_machine_as_test(machine, settings=wanted)
        except Exception as error:  # noqa: BLE001 - whatever it was, the model was violated
            notes = getattr(error, "__notes__", [])
            fault = "\n".join([repr(error), *notes])
    tally.tried = RunsMachine.steps
    tally.faults = [fault] if fault else []
    return [tally.outcome("steps")]
