"""Contenders that take turns, A B C D A B C D: one measures while the others wait."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from cifar_core.runs.launch import worker_environment
from cifar_core.settings import PROJECT_DIR


@dataclass(frozen=True)
class Pace:
    """How long everything is measured.

    Attributes:
        turns: Turns of each contender.
        seconds: Length of a turn of training.
        brief_seconds: Length of a turn of what is quick to measure.
        split: Test pictures that stand for the whole split.
        reruns: Reruns of each page.
        runs: Fabricated runs on disk.
        pictures: Training pictures of the epochs whose overhead is measured; None for all.
    """

    turns: int
    seconds: float
    brief_seconds: float
    split: int = 10_000
    reruns: int = 20
    runs: int = 100
    pictures: int | None = None


FULL = Pace(turns=7, seconds=8.0, brief_seconds=3.0, reruns=40)
QUICK = Pace(turns=3, seconds=2.0, brief_seconds=0.8, reruns=10)
SMOKE = Pace(turns=2, seconds=0.3, brief_seconds=0.2, split=200, reruns=2, runs=5, pictures=1000)
"""Proves that everything works; its figures mean nothing."""


class ContenderError(RuntimeError):
    """A contender ended before its answer; carries the end of what it printed."""


class Contender:
    """A process that warms up and then waits for its turns.

    Args:
        module: What runs in it, below ``benchmarks.contenders``.
        python: Its interpreter; this one by default.
        environ: Variables beside those of a worker on the CPU.
    """

    def __init__(
        self,
        module: str,
        *,
        python: str = sys.executable,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.module = module
        self.hello: dict[str, Any] = {}
        # Not with: the log lives as long as the process.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [python, "-m", f"benchmarks.contenders.{module}"],
            cwd=PROJECT_DIR,
            env={**worker_environment(os.environ, "cpu"), **(environ or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._log.close()

    def wait_until_ready(self) -> None:
        """Waits for the end of the warm-up; ``hello`` holds what the contender said of itself.

        Raises:
            ContenderError: It ended instead.
        """
        self.hello = self._listen()

    def take_turn(self, **order: Any) -> dict[str, Any]:
        """Lets the contender measure and returns its figures.

        Raises:
            ContenderError: It ended instead.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: listening says why
        return self._listen()

    def _listen(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._log.seek(0)
            end = self._log.read()[-2000:].decode(errors="replace")
            raise ContenderError(f"The contender {self.module!r} ended early:\n{end}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def rounds(
    contenders: Mapping[str, Contender], networks: Sequence[str], *, turns: int, **order: Any
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Lets contenders take turns on every network.

    Args:
        contenders: By name, ready; they measure in this order.
        networks: One round each, again and again.
        turns: How often.
        **order: What every turn is told beside the network.

    Returns:
        For each network and contender the figures of its turns, in order.
    """
    figures: dict[str, dict[str, list[dict[str, Any]]]] = {
        network: {name: [] for name in contenders} for network in networks
    }
    for _ in range(turns):
        for network in networks:
            for name, contender in contenders.items():
                figures[network][name].append(contender.take_turn(network=network, **order))
    return figures
