"""What a person can do with runs: start, stop, resume, name, list, look."""

from __future__ import annotations

import functools
from pathlib import Path

from cifar_core import files, settings
from cifar_core.dataset import arrays
from cifar_core.errors import RunError
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe
from cifar_core.runs import devices, manager, reading, results
from cifar_core.runs.folder import MetricRow
from cifar_core.runs.reading import Run
from cifar_core.runs.watch import MetricsWatch, RunsWatch
from cifar_core.services.access import check_may_change


def list_devices() -> list[devices.Device]:
    """Returns the CPU and every GPU of this machine."""
    return devices.list_devices()


def start_run(recipe: Recipe, *, device: str = "cpu", token: str = "", name: str = "") -> str:
    """Starts a run, or puts it into the queue; see :func:`cifar_core.runs.manager.start`.

    Raises:
        NotAllowedError: The lab is read-only.
        RunError: The device is unknown or the runs' folder cannot be written.
        DataError: The full dataset is not there.
    """
    check_may_change()
    _check_device(device)
    arrays.open_full(settings.current().data_dir)  # says what to do when it is missing
    return manager.start(_runs_dir(), recipe, device=device, token=token, name=name)


def stop_run(run_id: str) -> None:
    """Asks a run to stop and keep everything."""
    check_may_change()
    manager.stop(_runs_dir(), _own(run_id))


def resume_run(run_id: str, *, device: str | None = None) -> None:
    """Lets a stopped, failed or interrupted run go on, on another device if one is named."""
    check_may_change()
    if device is not None:
        _check_device(device)
    manager.resume(_runs_dir(), _own(run_id), device=device)


def move_run(run_id: str, device: str) -> None:
    """Puts a waiting run into the queue of another device."""
    check_may_change()
    _check_device(device)
    manager.move(_runs_dir(), _own(run_id), device)


def label_run(run_id: str, *, name: str | None = None, note: str | None = None) -> None:
    """Changes a run's name or note."""
    check_may_change()
    manager.relabel(_runs_dir(), _own(run_id), name=name, note=note)


def delete_run(run_id: str) -> list[str]:
    """Removes a run that no process works on; returns the names of foreign files that stay."""
    check_may_change()
    return manager.delete(_runs_dir(), _own(run_id))


def list_runs(*, with_shipped: bool = True) -> list[Run]:
    """Returns all runs, the newest first, the shipped ones last; ended ones are read once."""
    own = watch_runs().look()
    return own + (list_shipped() if with_shipped else [])


def find_unlisted() -> reading.Unlisted:
    """Returns the folders among the runs that no list shows."""
    return watch_runs().find_unlisted()


def list_shipped() -> list[Run]:
    """Returns the runs that came with the lab, in the order of their networks."""
    order = list(NETWORKS)
    shipped = reading.list_runs(settings.current().models_dir, is_shipped=True)
    readable = [run for run in shipped if run.recipe is not None]
    return sorted(readable, key=lambda run: (order.index(results.recipe_of(run).network), run.id))


def read_run(run_id: str) -> Run:
    """Returns one run as it stands now.

    Raises:
        RunError: There is no such run.
    """
    if _is_shipped(run_id):
        return reading.read(settings.current().models_dir, run_id, is_shipped=True)
    return reading.read(_runs_dir(), run_id)


def position_in_line(run: Run) -> int:
    """Returns how many runs have the device before a waiting one."""
    return manager.position(_runs_dir(), run)


def read_metrics(run_id: str) -> list[MetricRow]:
    """Returns the rows of metrics of a run so far."""
    return read_run(run_id).folder.read_metrics()


def watch_metrics(run: Run) -> MetricsWatch:
    """Returns what reads the metrics of a run again and again."""
    return MetricsWatch(run.folder)


def watch_runs() -> RunsWatch:
    """Returns what lists the lab's own runs again and again: one for the whole process."""
    known = settings.current()
    return _watch(known.runs_dir, keeps_index=not known.read_only)


def read_log(run_id: str, *, last_bytes: int = 64_000) -> str:
    """Returns the end of what a run's worker printed."""
    try:
        with files.open_regular(read_run(run_id).folder.log_path) as log:
            log.seek(-min(last_bytes, log.seek(0, 2)), 2)
            return log.read(last_bytes).decode(errors="replace")
    except OSError:
        return ""


def _is_shipped(run_id: str) -> bool:
    """Says whether a run of this name came with the lab."""
    is_name = reading.IDENTITY.fullmatch(run_id) is not None
    return is_name and (settings.current().models_dir / run_id / "recipe.json").is_file()


def _own(run_id: str) -> str:
    """Returns the name of a run that may be changed.

    Raises:
        RunError: It came with the lab.
    """
    if _is_shipped(run_id):
        raise RunError(
            f"Run “{run_id}” came with the lab.",
            expected="Only runs that were started here can be changed.",
            remedy="Start one with the same settings on Train, or: python -m cifar_core train",
        )
    return run_id


def _check_device(device: str) -> None:
    """Refuses a device that is not here.

    Raises:
        RunError: Names the devices that are.
    """
    known = [item.id for item in devices.list_devices()]
    if device not in known:
        raise RunError(
            f"There is no device “{device}” here.",
            expected=f"Devices found: {', '.join(known)}.",
            remedy="Choose one of them.",
        )


@functools.lru_cache(maxsize=4)
def _watch(runs_dir: Path, *, keeps_index: bool) -> RunsWatch:
    return RunsWatch(runs_dir, keeps_index=keeps_index)


def _runs_dir() -> Path:
    return settings.current().runs_dir
