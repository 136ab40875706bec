"""What a person can ask about the networks themselves."""

from __future__ import annotations

from cifar_core import settings
from cifar_core.inference.timing import Timing
from cifar_core.networks.description import NetworkDescription, load_description
from cifar_core.runs import timing
from cifar_core.runs.reading import Run
from cifar_core.services.access import check_may_change


def describe_network(name: str) -> NetworkDescription:
    """Returns layers, shapes, parameters and arithmetic of a network."""
    return load_description(name)


def read_timing(run: Run) -> timing.TimingStatus:
    """Returns how long each step of a run's network takes, as far as it was measured."""
    return timing.read(settings.current().runs_dir, run.folder)


def start_timing(run: Run) -> None:
    """Starts to measure a run's network on this machine, in a process of its own.

    Raises:
        NotAllowedError: Who asks may only look.
        RunError: The process could not be started.
    """
    check_may_change()
    timing.start(settings.current().runs_dir, run.folder)


def measure_timing(run: Run) -> Timing:
    """Measures a run's network in this process and keeps the figures.

    Raises:
        NotAllowedError: Who asks may only look.
        LabError: The network cannot be read or measured.
    """
    check_may_change()
    return timing.measure_run(settings.current().runs_dir, run.folder)
