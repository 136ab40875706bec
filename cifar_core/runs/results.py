"""What a run's folder tells of its network's answers: figures and predictions, with origin."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cifar_core import files
from cifar_core.dataset import DatasetSpec, sample, splits
from cifar_core.errors import RunError, reason
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.evaluation.learning import Learning
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe, bounds
from cifar_core.runs import answers, digests, refusals
from cifar_core.runs.folder import UNREADABLE, MetricRow
from cifar_core.runs.reading import Run

PREDICTIONS_EVERY = "predictions_every"
"""In a shipped run's manifest: after how many epochs each it kept its answers."""


@dataclass(frozen=True)
class Predictions:
    """What a network answered for the pictures of a split.

    Attributes:
        probabilities: (n, classes) float32.
        labels: (n,) uint8, the true classes.
        indices: (n,) int64, the pictures' positions in the official order of their split.
        split: ``train`` or ``test``: where ``indices`` point. Held-out validation pictures
            are training pictures.
        monitored: ``validation`` or ``test``, in words for a title.
        epoch: Counted from 1.
        origin: Where the numbers come from, in a line.
        temperature: What the probabilities were divided by as scores; None: as trained.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    indices: np.ndarray
    split: str
    monitored: str
    epoch: int
    origin: str
    temperature: float | None = None


def read_evaluation(run: Run) -> Evaluation | None:
    """Returns the final figures of a run, or None while it has none.

    Raises:
        RunError: They cannot be read, or are not those the run wrote.
    """
    try:
        figures = files.read_json(run.folder.evaluation_path, Evaluation)
        classes = run.recipe.spec.classes if run.recipe else len(figures.confusion_matrix)
        if {len(figures.confusion_matrix), *map(len, figures.confusion_matrix)} != {classes}:
            raise ValueError(f"its confusion matrix is not {classes} × {classes}")
    except FileNotFoundError:
        return None
    except UNREADABLE as error:
        raise RunError(
            f"The final figures of run “{run.name}” cannot be read: {reason(error)}",
            expected="evaluation.json as the run wrote it.",
            remedy="Delete the file and resume the run: it measures again.",
        ) from error
    digests.check(run.folder.evaluation_path)
    return figures


def read_predictions(run: Run, *, epoch: int | None = None) -> Predictions:
    """Returns what a run's network answered on its monitored split after an epoch.

    Args:
        run: The run; it may still be running.
        epoch: Counted from 1; the last one by default.

    Raises:
        RunError: The run has no predictions (yet), not of that epoch, or of other data.
    """
    recipe = recipe_of(run)
    _refuse_other_data(run)
    train_labels, test_labels = sample.labels_of(recipe.spec)
    if recipe.monitored_split == "validation":
        split, labels = "train", train_labels
        _, indices = splits.positions(recipe, labels)
    else:
        split, labels = "test", test_labels
        indices = np.arange(len(labels), dtype=np.int64)
    every = answers_every(run)
    kept = range(every, _count_epochs(run, len(indices)) * every + 1, every)
    wanted = kept[-1] if epoch is None else epoch
    if wanted not in kept:
        first = ", ".join(map(str, kept[:3]))
        more = f" and so on to {kept[-1]}" if len(kept) > 3 else ""
        raise RunError(
            f"Run “{run.name}” has no predictions of epoch {wanted}.",
            expected=f"It has those of epoch {first}{more}.",
            remedy="Choose one of them, or wait until the run is there.",
        )
    return Predictions(
        _read_epochs(run, len(indices), [wanted // every - 1])[0],
        labels[indices],
        indices,
        split,
        recipe.monitored_split,
        wanted,
        origin_of(run, epoch=wanted, split=recipe.monitored_split, pictures=len(indices)),
    )


def read_course(
    run: Run, given: Predictions, places: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns what a run's network answered for some watched pictures, epoch by epoch.

    Args:
        run: The run; it may still be running.
        given: What :func:`read_predictions` gave of it; the course ends there.
        places: (k,) positions of the pictures in these answers.

    Returns:
        The epochs (e,), counted from 1, and probabilities (e, k, classes) float32.

    Raises:
        RunError: The run has no predictions any more.
    """
    every = answers_every(run)
    pictures = len(given.indices)
    count = min(_count_epochs(run, pictures), given.epoch // every)
    epochs = np.arange(1, count + 1) * every
    return epochs, _read_epochs(run, pictures, range(count), np.asarray(places))


def answers_every(run: Run) -> int:
    """Returns after how many epochs each there are predictions of a run: 1, or more if it shipped.

    A run keeps those of every epoch; of a long one some are left behind when it is shipped.
    """
    every = read_manifest(run).get(PREDICTIONS_EVERY, 1)
    return every if type(every) is int and 1 <= every <= bounds("epochs")[1] else 1


def read_test_predictions(run: Run) -> Predictions:
    """Returns what a finished run's network answered on the test pictures.

    Raises:
        RunError: The run is not finished, or was trained on other data.
    """
    _refuse_other_data(run)
    _, labels = sample.labels_of(spec_of(run))
    path = run.folder.test_predictions_path
    digests.check(path)
    try:
        probabilities = answers.read_table(path, len(labels), spec_of(run).classes)
    except FileNotFoundError as error:
        raise RunError(
            f"Run “{run.name}” has no predictions of the test pictures.",
            expected="A finished run keeps them.",
            remedy="Wait until it is finished, or resume it.",
        ) from error
    except (OSError, ValueError) as error:
        raise refusals.unreadable(run.name, path, error) from error
    epoch = run.status.epoch
    return Predictions(
        probabilities,
        labels,
        np.arange(len(labels), dtype=np.int64),
        "test",
        "test",
        epoch,
        origin_of(run, epoch=epoch, split="test", pictures=len(labels)),
    )


def learning_of(rows: Sequence[MetricRow]) -> Learning:
    """Returns the figures after each epoch; of an epoch measured twice the later row counts."""
    ends = {round(row.epoch): row for row in rows if row.kind == "epoch"}
    kept = [ends[epoch] for epoch in sorted(ends)]
    return Learning(
        epochs=tuple(round(row.epoch) for row in kept),
        train_accuracy=tuple(_number(row.accuracy) for row in kept),
        train_loss=tuple(_number(row.loss) for row in kept),
        accuracy=tuple(_number(row.monitored_accuracy) for row in kept),
        loss=tuple(_number(row.monitored_loss) for row in kept),
        seconds=tuple(_number(row.seconds) for row in kept),
        epoch_seconds=tuple(_number(row.epoch_seconds) for row in kept),
    )


def read_manifest(run: Run) -> dict[str, Any]:
    """Returns digests, versions and device of a finished run; nothing where it has none.

    Raises:
        RunError: The manifest cannot be read, or is not what the run wrote.
    """
    return run.folder.read_manifest()


def origin_of(run: Run, *, epoch: int, split: str = "", pictures: int = 0) -> str:
    """Says where a figure of a run comes from: run, epoch, split, device, data.

    Without a split it says which network answers a picture of somebody's own.
    """
    title = NETWORKS[recipe_of(run).network].title
    where = run.status.device_name or run.status.device
    measured = f"{pictures:,} {split} pictures, " if split else ""
    return (
        f"{title}, run “{run.name}”, epoch {epoch}, {measured}trained on {where}, "
        f"data {data_digest(run) or spec_of(run).digest}"
    )


def data_digest(run: Run) -> str:
    """Returns the digest of the data a finished run was trained on; empty while unknown."""
    return str(read_manifest(run).get("data_digest", ""))


def recipe_of(run: Run) -> Recipe:
    """Returns what a run carries out.

    Raises:
        RunError: Its recipe cannot be read.
    """
    return run.recipe if run.recipe is not None else run.folder.read_recipe()


def spec_of(run: Run) -> DatasetSpec:
    """Returns the dataset of a run; raises a RunError where its recipe cannot be read."""
    return recipe_of(run).spec


def _refuse_other_data(run: Run) -> None:
    """Refuses answers about other pictures than those whose classes are known here.

    Raises:
        RunError: The run says that it was trained on other data.
    """
    digest, spec = data_digest(run), spec_of(run)
    if digest and digest != spec.digest:
        raise RunError(
            f"Run “{run.name}” was trained on other data (digest {digest}): its stored answers "
            "are about pictures that are not here.",
            expected=f"A run on {spec.title} itself (digest {spec.digest}).",
            remedy="Choose another run, or train this one again.",
        )


def _count_epochs(run: Run, pictures: int) -> int:
    """Counts the epochs of which a run has predictions; an unfinished one is left out.

    Raises:
        RunError: There are none, or they are not those the run wrote.
    """
    path = run.folder.predictions_path
    digests.check(path)
    try:
        epochs = answers.count_epochs(path, pictures, spec_of(run).classes)
    except FileNotFoundError:
        epochs = 0
    except OSError as error:
        raise refusals.unreadable(run.name, path, error) from error
    if not epochs and run.is_shipped:
        raise RunError(
            f"Run “{run.name}” came with the lab without its answers after each epoch.",
            expected="The shipped models and all runs of your own have them.",
            remedy="Choose one of these.",
        )
    if not epochs:
        raise RunError(
            f"Run “{run.name}” has no predictions yet.",
            expected="They come with the end of the first epoch.",
            remedy="Wait until then, or choose another run.",
        )
    return epochs


def _read_epochs(
    run: Run, pictures: int, epochs: Iterable[int], places: np.ndarray | None = None
) -> np.ndarray:
    """Returns predictions (epochs, places, classes) float32, at all places if none are given.

    Raises:
        RunError: They cannot be read, or are no probabilities.
    """
    path = run.folder.predictions_path
    places = np.arange(pictures) if places is None else places
    try:
        return answers.read_epochs(path, pictures, epochs, places, classes=spec_of(run).classes)
    except (OSError, ValueError) as error:
        raise refusals.unreadable(run.name, path, error) from error


def _number(value: float | None) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else math.nan
