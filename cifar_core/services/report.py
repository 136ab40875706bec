"""What a person can take away: a report on finished runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from cifar_core import files
from cifar_core.errors import ModelError, RunError
from cifar_core.networks import NETWORKS
from cifar_core.report import card, document
from cifar_core.runs import digests, results
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run
from cifar_core.services.data import open_dataset
from cifar_core.services.runs import list_runs

MODEL_FILES: Final = ("model.keras", "model.tflite")

FACTS_FILES: Final = ("recipe.json", "manifest.json")
"""What the card of a model points to beside the files of the network."""
"""What a trained network can be taken away as: for Keras, and for LiteRT."""


def reportable_runs() -> list[Run]:
    """Returns the runs that a report can be made of: finished ones, the newest first."""
    return [
        run
        for run in list_runs()
        if run.state is State.FINISHED
        and run.recipe is not None
        and run.folder.evaluation_path.is_file()
    ]


def headline_runs() -> list[Run]:
    """Returns the best finished run of each network, see :func:`best_runs`."""
    return best_runs(reportable_runs())


def best_runs(runs: Sequence[Run]) -> list[Run]:
    """Returns the best run of each network, judged by held-out training pictures.

    The test pictures have no say in the choice. A run that watched them is taken only where
    its network has no other. Of equally good ones the first is taken.
    """
    found = []
    for network in NETWORKS:
        own = [run for run in runs if run.recipe and run.recipe.network == network]
        if own:
            found.append(max(own, key=validation_accuracy))
    return found


def validation_accuracy(run: Run) -> float:
    """Returns a run's accuracy on its validation split; -1 where it watched the test split."""
    is_honest = run.recipe is not None and run.recipe.monitored_split == "validation"
    return (run.status.accuracy or 0.0) if is_honest else -1.0


def make_report(runs: Sequence[Run], *, made_at: datetime | None = None) -> bytes:
    """Returns a report as one HTML file that needs no network; see :func:`document.make`.

    Args:
        runs: Finished runs, in the order they are told of.
        made_at: The moment that the report names; now by default.

    Raises:
        RunError: A run has no final figures, or there are too few or too many runs.
    """
    return document.make(runs, open_dataset(), made_at=made_at or datetime.now(UTC))


def read_card(run: Run) -> str:
    """Returns the card of a finished run's model, in Markdown.

    Raises:
        RunError: The run has no final figures.
    """
    return card.card(run)


def list_model_files(run: Run) -> dict[str, int]:
    """Returns the files of a trained network that there are, by name, with their bytes."""
    paths = [run.folder.path / name for name in MODEL_FILES]
    return {path.name: path.stat().st_size for path in paths if path.is_file()}


def read_facts_file(run: Run, name: str) -> bytes:
    """Returns a file that a model's card points to, its digest checked.

    Args:
        run: A finished run.
        name: One of :data:`FACTS_FILES`.

    Raises:
        RunError: It cannot be read, or is not what the run wrote.
    """
    path = run.folder.path / name
    results.read_manifest(run)
    digests.check(path)
    try:
        return files.read_bytes(path)
    except OSError as error:
        raise RunError(
            f"{name} of run “{run.name}” cannot be read ({error.strerror}).",
            expected="A finished run keeps it.",
            remedy="Choose another run, or train this one again.",
        ) from error


def read_model_file(run: Run, name: str) -> bytes:
    """Returns a file of a trained network, its digest checked.

    Args:
        run: A finished run.
        name: One of :data:`MODEL_FILES`.

    Raises:
        ModelError: There is no such file, or it is not the recorded one.
    """
    recorded = results.read_manifest(run).get("sha256")
    wanted = recorded.get(name) if isinstance(recorded, dict) and name in MODEL_FILES else None
    try:
        data = files.read_bytes(run.folder.path / name) if wanted else b""
    except OSError:
        data = b""
    if hashlib.sha256(data).hexdigest() != wanted:
        raise ModelError(
            f"The file “{name}” of run “{run.name}” is missing or not the recorded one.",
            expected="A file with the digest in manifest.json.",
            remedy="Restore it from a copy, or train the run again.",
        )
    return data
