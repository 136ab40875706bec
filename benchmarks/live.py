"""The part ``live``: what watching a run costs the run.

A real worker trains; in every second turn a visitor watches it on the Train page, rerunning the
fragments as often as the page asks for. The rate is that of the run's own status. Because two
turns differ by more than the cost itself, the processor time of the web process is measured too:
its share of all cores is the most that watching can cost.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import ratio, summarise
from benchmarks.turns import Pace
from benchmarks.web import Server, Visitor
from cifar_core.recipes import recipe
from cifar_core.runs import manager, reading
from cifar_core.runs.devices import usable_cores
from cifar_core.runs.folder import State, Status
from cifar_core.runs.reading import Run
from cifar_core.settings import current

WATCHED = recipe("standard", "cnn4", epochs=1000)
LOOK_SECONDS = 0.1
START_SECONDS = 180.0


@dataclass(frozen=True)
class Turn:
    """A turn of watching or not.

    Attributes:
        images_per_second: Of the run, its measuring phases left out.
        processor_share: Of the web process, of all cores.
        ticks: Reruns of fragments.
        sent_bytes: What they sent.
    """

    images_per_second: float
    processor_share: float
    ticks: int
    sent_bytes: int


def measure(pace: Pace) -> dict[str, Any]:
    """Returns the rates of a run with and without a watcher, in turns."""
    with tempfile.TemporaryDirectory() as path:
        runs_dir = Path(path)
        environ = {"CIFAR_LAB_RUNS": path, "CIFAR_LAB_DATA": str(current().data_dir)}
        run_id = manager.start(runs_dir, WATCHED, device="cpu")
        try:
            _wait(runs_dir, run_id, lambda run: run.status.epoch + run.status.step > 2)
            with Server(environ) as server:
                turns = _take_turns(pace, server, runs_dir, run_id)
        finally:
            manager.stop(runs_dir, run_id)
            _wait(runs_dir, run_id, lambda run: not run.state.is_alive)
    alone, watched = turns
    rates = [[turn.images_per_second for turn in side] for side in turns]
    return {
        "watched/alone": ratio(rates[1], rates[0]),
        "images_per_second": {"alone": summarise(rates[0]), "watched": summarise(rates[1])},
        "processor_share": {
            "alone": summarise([turn.processor_share for turn in alone]),
            "watched": summarise([turn.processor_share for turn in watched]),
        },
        "ticks": sum(turn.ticks for turn in watched),
        "bytes_per_tick": sum(turn.sent_bytes for turn in watched)
        / max(1, sum(turn.ticks for turn in watched)),
    }


def _take_turns(
    pace: Pace, server: Server, runs_dir: Path, run_id: str
) -> tuple[list[Turn], list[Turn]]:
    visitor = server.visit()
    train = visitor.open().pages["train"]
    visitor.open(train)  # whatever is imported and cached once is so now
    visitor.close()
    seconds = max(2.0, pace.seconds * 1.5)  # the status speaks once a second
    alone, watched = [], []
    for _ in range(pace.turns):
        alone.append(_turn(server, runs_dir, run_id, seconds=seconds, watch=None))
        visitor = server.visit()
        watch = Watch(visitor, train, f"run={run_id}")
        watched.append(_turn(server, runs_dir, run_id, seconds=seconds, watch=watch))
        visitor.close()
    return alone, watched


class Watch:
    """A page that is left open: reruns each fragment when its time has come."""

    def __init__(self, visitor: Visitor, page: str, query: str) -> None:
        self._visitor, self._page, self._query = visitor, page, query
        pauses = visitor.open(page, query).ticks
        if not pauses:
            raise RuntimeError("The Train page does not refresh itself for a living run.")
        now = time.monotonic()
        self._pauses = pauses
        self._due = {fragment: now + pause for fragment, pause in pauses.items()}
        self.ticks, self.sent_bytes = 0, 0

    def go_on(self) -> None:
        """Reruns what is due."""
        for fragment, due in self._due.items():
            if time.monotonic() >= due:
                answer = self._visitor.tick(fragment, self._page, self._query)
                self.ticks += 1
                self.sent_bytes += answer.sent_bytes
                self._due[fragment] = due + self._pauses[fragment]


def _turn(
    server: Server, runs_dir: Path, run_id: str, *, seconds: float, watch: Watch | None
) -> Turn:
    began, used = time.monotonic(), server.processor_seconds()
    seen: list[Status] = []
    while time.monotonic() - began < seconds or training_rate(seen, 1) is None:
        if time.monotonic() - began > START_SECONDS:
            raise RuntimeError("The run does not go on.")
        status = reading.read(runs_dir, run_id).folder.read_status()
        if status is not None and status not in seen[-1:]:
            seen.append(status)
        if watch is not None:
            watch.go_on()
        time.sleep(LOOK_SECONDS)
    passed = time.monotonic() - began
    now = server.processor_seconds()
    share = 0.0 if used is None or now is None else (now - used) / passed / usable_cores()
    rate = training_rate(seen, WATCHED.batch_size)
    assert rate is not None
    return Turn(rate, share, watch.ticks if watch else 0, watch.sent_bytes if watch else 0)


def training_rate(seen: list[Status], batch_size: int) -> float | None:
    """Returns pictures per second between the words of a run within one epoch, or None.

    Two words with the end of an epoch between them count for nothing: there the watched split
    is measured and the checkpoint written.
    """
    steps, seconds = 0, 0.0
    for before, after in itertools.pairwise(seen):
        if before.epoch == after.epoch and after.step > before.step:
            steps += after.step - before.step
            seconds += after.running_seconds - before.running_seconds
    return steps * batch_size / seconds if seconds else None


def _wait(runs_dir: Path, run_id: str, met: Callable[[Run], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not met(run := reading.read(runs_dir, run_id)):
        if run.state in (State.FAILED, State.INTERRUPTED) or time.monotonic() > deadline:
            raise RuntimeError(f"The run is {run.state}: {run.reason}")
        time.sleep(LOOK_SECONDS)
