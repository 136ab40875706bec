"""What a person can do with the lab: the table of contents.

Pages and the command line call these functions and nothing below them. Each one asks the
settings where things lie and, where it changes something, whether that is allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from cifar_core import files, settings
from cifar_core.dataset import arrays, download, mirrors, sources
from cifar_core.errors import LabError, ModelError, RunError
from cifar_core.evaluation.calibration import apply_temperature
from cifar_core.evaluation.evaluation import Evaluation, evaluate
from cifar_core.inference import upload
from cifar_core.inference.classifier import Classifier
from cifar_core.networks import NETWORKS
from cifar_core.networks.description import NetworkDescription, load_description
from cifar_core.recipes import Recipe
from cifar_core.runs import devices, manager, results
from cifar_core.runs.folder import MetricRow, State
from cifar_core.runs.manager import Run
from cifar_core.runs.watch import MetricsWatch, RunsWatch

Fit = Literal["squash", "crop"]
"""How a picture becomes 32 × 32: the whole of it squashed, or its middle square."""


class NotAllowedError(LabError):
    """The lab is read-only here, or the person may only look."""


@dataclass(frozen=True)
class Answer:
    """What one model says of one picture.

    Attributes:
        run: The model's run.
        probabilities: (10,) float32, calibrated where the run has a temperature.
        is_calibrated: Whether it has one.
    """

    run: Run
    probabilities: np.ndarray
    is_calibrated: bool


# Dataset


def open_dataset() -> arrays.Dataset:
    """Opens the full dataset, or the shipped sample where it is missing."""
    return arrays.open_dataset(settings.current().data_dir)


def fetch_dataset(progress: Callable[[mirrors.Progress], None]) -> arrays.Dataset:
    """Finds or downloads the full dataset and returns it; waits until it is there.

    Raises:
        DataError: No source could give it; names every reason.
    """
    _check_may_change()
    return sources.prepare(settings.current().data_dir, progress=progress)


def start_download() -> None:
    """Starts to find or download the full dataset in a process of its own."""
    _check_may_change()
    download.start_download(settings.current().data_dir)


def stop_download() -> None:
    """Ends the download; what has arrived is kept for the next one."""
    _check_may_change()
    download.stop_download(settings.current().data_dir)


def read_download() -> download.DownloadStatus | None:
    """Returns how far the download is, or None when there has been none."""
    return download.read_download(settings.current().data_dir)


# Networks


def describe_network(name: str) -> NetworkDescription:
    """Returns layers, shapes, parameters and arithmetic of a network."""
    return load_description(name)


# Runs


def list_devices() -> list[devices.Device]:
    """Returns the CPU and every GPU of this machine."""
    return devices.list_devices()


def start_run(recipe: Recipe, *, device: str = "cpu", token: str = "", name: str = "") -> str:
    """Starts a run, or puts it in line; see :func:`cifar_core.runs.manager.start`.

    Raises:
        NotAllowedError: The lab is read-only.
        RunError: The device is unknown or the runs' folder cannot be written.
        DataError: The full dataset is not there.
    """
    _check_may_change()
    _check_device(device)
    arrays.open_full(settings.current().data_dir)  # says what to do when it is missing
    return manager.start(_runs_dir(), recipe, device=device, token=token, name=name)


def stop_run(run_id: str) -> None:
    """Asks a run to stop and keep everything."""
    _check_may_change()
    manager.stop(_runs_dir(), run_id)


def resume_run(run_id: str, *, device: str | None = None) -> None:
    """Lets a stopped, failed or interrupted run go on, on another device if one is named."""
    _check_may_change()
    if device is not None:
        _check_device(device)
    manager.resume(_runs_dir(), run_id, device=device)


def move_run(run_id: str, device: str) -> None:
    """Puts a waiting run in the line of another device."""
    _check_may_change()
    _check_device(device)
    manager.move(_runs_dir(), run_id, device)


def label_run(run_id: str, *, name: str | None = None, note: str | None = None) -> None:
    """Changes a run's name or note."""
    _check_may_change()
    manager.relabel(_runs_dir(), run_id, name=name, note=note)


def delete_run(run_id: str) -> None:
    """Removes a run that no process works on."""
    _check_may_change()
    manager.delete(_runs_dir(), run_id)


def list_runs(*, with_shipped: bool = True) -> list[Run]:
    """Returns all runs, the newest first, the shipped ones last."""
    own = manager.list_runs(_runs_dir())
    return own + (_shipped_runs() if with_shipped else [])


def read_run(run_id: str) -> Run:
    """Returns one run as it stands now.

    Raises:
        RunError: There is no such run.
    """
    shipped = settings.current().models_dir
    is_name = manager.IDENTITY.fullmatch(run_id) is not None
    if is_name and (shipped / run_id / "recipe.json").is_file():
        return manager.read(shipped, run_id, is_shipped=True)
    return manager.read(_runs_dir(), run_id)


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
    """Returns what lists the lab's own runs again and again."""
    return RunsWatch(_runs_dir())


def read_log(run_id: str, *, last_bytes: int = 64_000) -> str:
    """Returns the end of what a run's worker printed."""
    try:
        data = read_run(run_id).folder.log_path.read_bytes()
    except OSError:
        return ""
    return data[-last_bytes:].decode(errors="replace")


# Results


def read_evaluation(run: Run) -> Evaluation | None:
    """Returns the final figures of a run, or None while it has none."""
    return results.read_evaluation(run)


def read_predictions(run: Run, *, epoch: int | None = None) -> results.Predictions:
    """Returns what a run's network answered on its monitored split after an epoch."""
    return results.read_predictions(run, epoch=epoch)


def read_test_predictions(run: Run) -> results.Predictions:
    """Returns what a finished run's network answered on the test pictures."""
    return results.read_test_predictions(run)


def evaluate_run(run: Run) -> Evaluation:
    """Recomputes the final figures of a finished run from its weights, on the test pictures.

    Raises:
        RunError: The run has no trained network.
        DataError: The full dataset is missing.
    """
    dataset = arrays.open_full(settings.current().data_dir)
    arrays.verify(dataset)
    stored = read_evaluation(run)
    classifier = open_classifier(run, threads=None)
    return evaluate(
        classifier.classify(dataset.test.images).astype(np.float16),  # as the run keeps them
        classifier.classify(dataset.test.images, mirror=True),
        dataset.test.labels,
        split="test",
        temperature=stored.temperature if stored else None,
    )


# Classify


def list_models() -> list[Run]:
    """Returns the finished runs that can classify: shipped ones first, then the newest."""
    usable = [
        run
        for run in list_runs()
        if run.state is State.FINISHED and run.recipe and run.folder.litert_path.is_file()
    ]
    return sorted(usable, key=lambda run: not run.is_shipped)


def find_model(name: str | None) -> Run:
    """Returns the model that a name means: a run, or the first model of a network.

    Args:
        name: A run's identity, a network's name, or None for the first model there is.

    Raises:
        ModelError: There is no trained network yet, or none of that name.
    """
    models = list_models()
    for run in models:
        if name is None or name == run.id or name == results.recipe_of(run).network:
            return run
    raise ModelError(
        f"There is no trained network “{name}”." if name else "There is no trained network yet.",
        expected="Known models: " + (", ".join(run.id for run in models) or "none") + ".",
        remedy="Train one: python -m cifar_core train --network cnn4",
    )


def open_classifier(run: Run, *, threads: int | None = 1) -> Classifier:
    """Loads the trained network of a run, its digest checked.

    Args:
        run: A finished or shipped run.
        threads: Threads to use; None for as many as there are cores.

    Raises:
        ModelError: The network is missing or not the recorded one.
    """
    try:
        digest = files.read_json(run.folder.manifest_path)["sha256"]["model.tflite"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"Run “{run.name}” has no trained network to classify with ({error}).",
            expected="A finished run with its manifest.",
            remedy="Choose a finished run.",
        ) from error
    return Classifier(
        run.folder.litert_path, threads=threads or devices.usable_cores(), sha256=digest
    )


def read_picture(data: bytes, name: str) -> upload.Picture:
    """Reads an uploaded file as a picture.

    Raises:
        PictureError: It is none, or it is too large.
    """
    return upload.read_picture(data, name)


def classify(
    run: Run, classifier: Classifier, picture: upload.Picture, *, fit: Fit = "squash"
) -> Answer:
    """Asks one model what a picture shows.

    Args:
        run: The model's run, for its temperature.
        classifier: Its loaded network.
        picture: As :func:`read_picture` returns it.
        fit: How it becomes 32 × 32: ``squash`` or ``crop``.
    """
    pixels = upload.to_network_input(picture.pixels, fit=fit)
    answers = classifier.classify(pixels[np.newaxis])
    figures = read_evaluation(run)
    temperature = figures.temperature if figures else None
    if temperature is not None:
        answers = apply_temperature(answers, temperature).astype(np.float32)
    return Answer(run, answers[0], temperature is not None)


def _shipped_runs() -> list[Run]:
    order = list(NETWORKS)
    shipped = manager.list_runs(settings.current().models_dir, is_shipped=True)
    readable = [run for run in shipped if run.recipe is not None]
    return sorted(readable, key=lambda run: (order.index(results.recipe_of(run).network), run.id))


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


def _runs_dir() -> Path:
    return settings.current().runs_dir


def _check_may_change() -> None:
    """Refuses a change where the lab is shown and not used.

    Raises:
        NotAllowedError: The lab is read-only.
    """
    if settings.current().read_only:
        raise NotAllowedError(
            "This lab is open for looking and classifying only.",
            expected="Training and changes are done where the lab is not read-only.",
            remedy="Ask whoever runs it, or start your own: see the README.",
        )
