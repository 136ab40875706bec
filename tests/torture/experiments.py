"""The experiments in order, with the numbers of ``make torture`` and of ``make test``."""

from __future__ import annotations

import shutil
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.torture import cuts, disk, faults, figures, kills, pictures, power, races, states
from tests.torture.outcome import Outcome

MEMORY = "/dev/shm"
"""Files that lie in memory on Linux."""


@dataclass(frozen=True)
class Experiment:
    """One way to try promises.

    Attributes:
        promises: The promises it tries.
        carry_out: Takes how much to try, a seed and a folder.
        full: How much ``make torture`` tries.
        share: How much ``make test`` tries.
        share_of_it: How ``make test`` carries it out, where that differs.
        is_alone: Whether nothing else may go on meanwhile.
        in_memory: Whether its files may lie in memory: what it tries needs no disk.
    """

    promises: tuple[str, ...]
    carry_out: Callable[[Any, int, Path], list[Outcome]]
    full: Any
    share: Any
    share_of_it: Callable[[Any, int, Path], list[Outcome]] | None = None
    is_alone: bool = False
    in_memory: bool = False


EXPERIMENTS = (
    Experiment(("A1", "A2"), kills.kill_and_resume, 100, 5),
    Experiment(("A3",), faults.fail_every_operation, 0, 40, in_memory=True),
    Experiment(("A4",), power.lose_power, 0, 60, in_memory=True),
    Experiment(("A5",), faults.damage_checkpoints, 200, 20, in_memory=True),
    Experiment(("A6",), disk.fill_the_disk, 10, 1),
    Experiment(("A7",), disk.refuse_the_folder, 0, 0),
    Experiment(("A8", "A9"), kills.end_by_fault, 10, 1),
    Experiment(("A10",), kills.kill_the_server, (0.0, 20.0, 60.0), (0.0,)),
    Experiment(("A11",), races.look_for_ghosts, 100, 8),
    Experiment(("A12",), races.start_at_once, 200, 8),
    Experiment(("A13",), kills.freeze, 3, 1, partial(kills.freeze, patience=5.0)),
    Experiment(
        ("A14",), kills.stop_at_any_moment, 50, 6, partial(kills.stop_at_any_moment, insist=0.5)
    ),
    Experiment(("A15",), races.read_while_writing, 30.0, 1.0),
    Experiment(("A16",), states.compare_with_model, 10_000, 100),
    Experiment(
        ("B1",),
        pictures.bring_broken,
        10_000,
        200,
        partial(pictures.bring_broken, with_suites=False),
        in_memory=True,
        is_alone=True,
    ),
    Experiment(("B2",), pictures.bring_bombs, 0, 2, is_alone=True),
    Experiment(("B3",), pictures.compare_pixels, 5, 1),
    Experiment(("E5",), cuts.cut_arrays, 1000, 24, in_memory=True),
    Experiment(("list",), figures.list_many, 1000, 40, is_alone=True),
    Experiment(("E10",), figures.list_very_many, 10_000, 40, is_alone=True, in_memory=True),
    Experiment(("wait",), figures.weigh_waiting_worker, 1, 1, is_alone=True),
)


def carry_out(index: int, seed: int) -> list[tuple[Outcome, float]]:
    """Returns what an experiment found; one that broke off has not held."""
    experiment = EXPERIMENTS[index]
    memory = MEMORY if experiment.in_memory and Path(MEMORY).is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="cifar-lab-torture-", dir=memory))
    began = time.monotonic()
    try:
        outcomes = experiment.carry_out(experiment.full, seed, folder)
    except Exception as error:  # noqa: BLE001 - the other experiments are to go on
        traceback.print_exc()
        outcomes = [
            Outcome(promise, "broke off", 1, 0, faults=(repr(error),))
            for promise in experiment.promises
        ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return [(outcome, time.monotonic() - began) for outcome in outcomes]
