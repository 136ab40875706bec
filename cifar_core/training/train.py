"""Training: from a recipe and a folder to a trained, evaluated network."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Mapping

import keras

from cifar_core import files, networks, settings
from cifar_core.dataset import arrays
from cifar_core.dataset.splits import divide
from cifar_core.errors import RunError
from cifar_core.networks import describe
from cifar_core.recipes import Recipe
from cifar_core.runs import surroundings
from cifar_core.runs.devices import computes_bfloat16, list_devices
from cifar_core.runs.forecast import recorded_closing_rate
from cifar_core.runs.status_writer import RunStatusWriter
from cifar_core.training import checkpoint
from cifar_core.training.checkpoint import Progress
from cifar_core.training.engine import steps_per_epoch
from cifar_core.training.engines import make_engine
from cifar_core.training.finish import finish
from cifar_core.training.loop import StopRequested, TrainingLoop
from cifar_core.training.schedule import learning_rate_schedule

LOG = logging.getLogger(__name__)

GPU_PACKAGES: Mapping[str, str] = {"tensorflow": "tensorflow[and-cuda]", "jax": "jax[cuda13]"}


def train(writer: RunStatusWriter, stop_request: StopRequested) -> bool:
    """Carries out the recipe in a run's folder, from its last checkpoint if there is one.

    Args:
        writer: The run's folder and status.
        stop_request: Says whether to stop; asked about once a second.

    Returns:
        Whether the run is finished; False when it was asked to stop.

    Raises:
        LabError: The data is missing, the device is not there or the training diverged.
        OSError: The folder cannot be written.
    """
    folder = writer.folder
    recipe = folder.read_recipe()
    writer.update(phase="opening the pictures")
    dataset = arrays.open_full(settings.current().data_dir, recipe.spec)
    arrays.verify(dataset)
    learned, watched = divide(recipe, dataset)
    saved = checkpoint.load(folder.checkpoint_path)
    device = writer.status.device
    precision = saved.progress.precision if saved else choose_precision(recipe, device)
    name = _device_name(device)
    around = surroundings.observe(os.environ, name)
    recorded = saved.progress.surroundings if saved else around
    writer.update(
        phase="building the network",
        precision=precision,
        device_name=name,
        threads=surroundings.threads(os.environ),
        caution=surroundings.differences(recorded, around),
    )
    _log_beginning(writer, recipe, dataset)
    engine = make_engine(recipe, learned.images, learned.labels, precision=precision)
    description = describe.describe(networks.build(recipe.network, recipe.spec))
    files.write_json(folder.network_path, description.to_json())
    schedule = learning_rate_schedule(recipe, steps_per_epoch(recipe, len(learned.labels)))
    loop = TrainingLoop(
        writer,
        engine,
        pictures=len(learned.labels),
        watched=watched,
        learning_rate=lambda step: float(schedule(step)),
        begin=Progress(precision=precision, backend=keras.backend.backend(), surroundings=around),
        closing_rate=recorded_closing_rate(folder.path.parent, recipe, writer.status),
    )
    loop.restore(saved)
    if not loop.run(stop_request):
        return False
    report_phase = phase_reporter(writer, loop.speed.closing_seconds())
    finish(
        folder,
        engine.model,
        dataset=dataset,
        learned=learned,
        watched=watched,
        status=writer.status,
        report_phase=report_phase,
    )
    report_phase(writer.status.phase)  # counts the time up to the end
    return True


def phase_reporter(
    writer: RunStatusWriter, expected_seconds: float | None
) -> Callable[[str], None]:
    """Returns what reports a phase after the last epoch, its time counted and forecast.

    Args:
        writer: The run's folder and status.
        expected_seconds: How long they will take together, where that is known.
    """
    began, before = time.monotonic(), writer.status.closing_seconds

    def report_phase(phase: str) -> None:
        passed = time.monotonic() - began
        left = None if expected_seconds is None else expected_seconds - passed
        if phase != writer.status.phase:
            LOG.info("%s", phase)
        writer.update(
            now=True,
            phase=phase,
            closing_seconds=before + passed,
            eta_seconds=left if left is not None and left >= 1 else None,
        )

    return report_phase


def _log_beginning(writer: RunStatusWriter, recipe: Recipe, dataset: arrays.Dataset) -> None:
    """Logs what is trained, on what, with what."""
    status = writer.status
    LOG.info(
        "device %s (%s), precision %s, %d cores, %d threads, load %s, backend %s",
        *(status.device, status.device_name, status.precision, status.cores, status.threads),
        *(status.load_at_start, keras.backend.backend()),
    )
    if status.caution:
        LOG.warning("%s", status.caution)
    LOG.info("data from %s, digest %s", dataset.source, dataset.digest)
    LOG.info("recipe %s", json.dumps(recipe.to_json()))


def choose_precision(recipe: Recipe, device: str) -> str:
    """Returns ``bfloat16`` where the recipe allows it and the device computes it natively."""
    if recipe.precision != "auto":
        return recipe.precision
    return "bfloat16" if computes_bfloat16(device) else "float32"


def _device_name(device: str) -> str:
    """Returns the device's own name, for the record.

    Raises:
        RunError: A GPU was asked for and the Keras backend sees none.
    """
    seen = keras.distribution.list_devices()
    if device != "cpu" and not any(name.startswith(("gpu", "cuda")) for name in seen):
        backend = keras.backend.backend()
        raise RunError(
            f"The run asks for {device}, and {backend} sees no GPU here.",
            expected=f"A build of {backend} with CUDA beside the GPU's driver.",
            remedy=f"Install `{GPU_PACKAGES.get(backend, backend)}`, or start the run on the CPU.",
        )
    return next((item.name for item in list_devices() if item.id == device), device)
