"""Fabricated runs: honest fakes of what a training leaves behind, made in milliseconds.

Their figures are invented, nothing was trained. Their files have the form of the real ones: the
labels are those of CIFAR-10, the probabilities are random with the mistakes networks make, and
every figure in evaluation.json and metrics.jsonl is computed from them as for a real run.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cifar_core import files, recipes
from cifar_core.dataset import CIFAR10, splits
from cifar_core.dataset.sample import load_labels
from cifar_core.evaluation.calibration import fit_temperature
from cifar_core.evaluation.evaluation import evaluate
from cifar_core.evaluation.loss import cross_entropy
from cifar_core.runs import digests
from cifar_core.runs.folder import Label, MetricRow, RunFolder, State, Status

Floats = NDArray[np.float32]

LOOK_ALIKES = ((3, 5, 1.6), (1, 9, 1.1), (0, 8, 1.0), (0, 2, 0.9), (4, 7, 1.0), (2, 4, 0.8))
"""Pairs of classes and by how much their logits pull at each other."""

RECORDED = (
    "recipe.json",
    "metrics.jsonl",
    "predictions",
    "test_predictions.npy",
    "evaluation.json",
)
"""Files of a finished run whose digests its manifest holds; who changes one records it again."""


@dataclass(frozen=True, kw_only=True)
class Fake:
    """What is to be fabricated.

    Attributes:
        run_id: Name of the folder.
        network: A key of ``NETWORKS``.
        recipe: A named recipe.
        epochs: Epochs of the recipe.
        done: Epochs that have predictions; all by default.
        accuracy: What the last epoch reaches, roughly.
        seed: Of the recipe and of the invented answers.
        name: What a person calls it.
        created_at: In seconds since 1970.
        state: As the worker last wrote it.
        epoch_seconds: Median time of an epoch.
        changes: Other settings of the recipe.
        data_digest: What the manifest says of the data.
        sharpness: Above 1 the answers are too sure.
        best: The epoch after which accuracy falls again, so that best and last differ; by
            default it rises to the end.
        waiting_seconds: Time in line.
        device_name: The machine's own name.
    """

    run_id: str
    network: str = "cnn4"
    recipe: str = "standard"
    epochs: int = 3
    done: int | None = None
    accuracy: float = 0.7
    seed: int = 1
    name: str = ""
    created_at: float = 1_795_000_000.0
    state: State = State.FINISHED
    epoch_seconds: float = 24.0
    changes: dict[str, Any] | None = None
    data_digest: str = CIFAR10.digest
    sharpness: float = 1.0
    best: int | None = None
    waiting_seconds: float = 12.0
    device_name: str = "invented processor"


def fabricate(runs_dir: Path, fake: Fake) -> RunFolder:
    """Writes the folder of a run that never was.

    Returns:
        The folder; a finished one holds everything but the trained network itself.
    """
    folder = RunFolder(runs_dir / fake.run_id)
    folder.path.mkdir(parents=True)
    changes = {"epochs": fake.epochs, "seed": fake.seed, **(fake.changes or {})}
    recipe = recipes.recipe(fake.recipe, fake.network, **changes)
    files.write_json(folder.recipe_path, recipe.to_json(), durable=False)
    files.write_json(
        folder.label_path, {"name": fake.name, "note": "", "created_at": fake.created_at}
    )
    assert folder.read_label() == Label(fake.name, "", fake.created_at)
    train_labels, test_labels = load_labels()
    labels = test_labels
    if recipe.monitored_split == "validation":
        labels = train_labels[splits.positions(recipe, train_labels)[1]]
    generator = np.random.Generator(np.random.PCG64([fake.seed, *fake.network.encode()]))
    accuracies = _write_epochs(folder, fake, labels, generator)
    _write_status(folder, fake, accuracies)
    if fake.state is State.FINISHED:
        _write_end(folder, fake, test_labels, generator)
    return folder


def add_network(folder: RunFolder, litert_path: Path) -> None:
    """Gives a fabricated finished run a served network, recorded in its manifest."""
    folder.litert_path.write_bytes(litert_path.read_bytes())
    digests.record(folder.path, [folder.litert_path])


def damage(run: RunFolder, draw: random.Random) -> None:
    """Breaks one file of a run as a power cut, a stranger or a later version would."""
    path = draw.choice([run.status_path, run.recipe_path, run.label_path, run.metrics_path])
    kind = draw.randrange(5)
    if kind == 0:
        path.unlink(missing_ok=True)
    else:
        wrong = (b"", b"\0" * 600, b'{"state": "flying"}', b"[" * 200_000)
        path.write_bytes(wrong[kind - 1])


def invented_answers(
    labels: NDArray[np.uint8], noise: Floats, accuracy: float, sharpness: float = 1.0
) -> NDArray[np.float16]:
    """Returns probabilities (n, 10) that are right about as often as asked.

    Args:
        labels: True classes (n,).
        noise: (n, 10), Gumbel distributed; the same noise gives similar answers.
        accuracy: Share of right ones, from 0.1 to 0.99.
        sharpness: Above 1 the answers are surer than they should be.
    """
    pull = np.zeros((10, 10), np.float32)
    for one, other, strength in LOOK_ALIKES:
        pull[one, other] = pull[other, one] = strength
    np.fill_diagonal(pull, math.log(12 * accuracy / (1 - accuracy)))
    logits = noise + pull[labels]
    logits *= sharpness
    logits -= logits.max(axis=1, keepdims=True)
    shares = np.exp(logits)
    shares /= shares.sum(axis=1, keepdims=True)
    answers: NDArray[np.float16] = shares.astype(np.float16)
    return answers


def _write_epochs(
    folder: RunFolder, fake: Fake, labels: NDArray[np.uint8], generator: np.random.Generator
) -> list[float]:
    """Writes predictions and metrics of every epoch done; returns the accuracies."""
    noise = generator.gumbel(size=(len(labels), 10)).astype(np.float32)
    done = fake.epochs if fake.done is None else fake.done
    accuracies, rows, seconds = [], [], 0.0
    with folder.predictions_path.open("wb") as file:
        for epoch in range(1, done + 1):
            learnt = 1 - math.exp(-4 * epoch / fake.epochs)
            aim = 0.2 + (fake.accuracy - 0.2) * learnt / (1 - math.exp(-4))
            if fake.best is not None and epoch > fake.best:
                aim -= 0.03 * (epoch - fake.best)
            answers = invented_answers(labels, noise, aim, fake.sharpness)
            file.write(answers.tobytes())
            right = float((answers.argmax(axis=1) == labels).mean())
            accuracies.append(right)
            took = fake.epoch_seconds * float(generator.lognormal(0, 0.05))
            seconds += took
            rows.append(_row(epoch, right, cross_entropy(answers, labels), seconds, took))
    text = "".join(json.dumps(vars(row)) + "\n" for row in rows)
    folder.metrics_path.write_text(text, encoding="ascii")
    return accuracies


def _row(epoch: int, right: float, loss: float, seconds: float, took: float) -> MetricRow:
    return MetricRow(
        kind="epoch",
        epoch=float(epoch),
        loss=loss + 0.1,
        accuracy=right - 0.03,
        learning_rate=0.05 / epoch,
        images_per_second=45_000 / took,
        seconds=seconds,
        epoch_seconds=took,
        monitored_loss=loss,
        monitored_accuracy=right,
    )


def _write_status(folder: RunFolder, fake: Fake, accuracies: list[float]) -> None:
    best = max(accuracies, default=None)
    folder.write_status(
        Status(
            state=fake.state,
            device_name=fake.device_name,
            precision="float32",
            epoch=len(accuracies),
            queued_at=fake.created_at,
            started_at=fake.created_at + 12,
            heartbeat_at=fake.created_at + 12,
            ended_at=fake.created_at + 60,
            waiting_seconds=fake.waiting_seconds,
            running_seconds=fake.epoch_seconds * len(accuracies),
            accuracy=accuracies[-1] if accuracies else None,
            best_accuracy=best,
            best_epoch=None if best is None else accuracies.index(best) + 1,
            attempts=1,
        )
    )


def _write_end(
    folder: RunFolder, fake: Fake, labels: NDArray[np.uint8], generator: np.random.Generator
) -> None:
    """Writes what a finished run has beyond a running one."""
    noise = generator.gumbel(size=(len(labels), 10)).astype(np.float32)
    answers = invented_answers(labels, noise, fake.accuracy, fake.sharpness)
    np.save(folder.test_predictions_path, answers, allow_pickle=False)
    temperature = None
    if not fake.recipe.startswith("tutorial"):
        other = generator.gumbel(size=(len(labels), 10)).astype(np.float32)
        watched = invented_answers(labels, other, fake.accuracy, fake.sharpness)
        temperature = fit_temperature(watched, labels)
    flipped = invented_answers(
        labels,
        generator.gumbel(size=(len(labels), 10)).astype(np.float32),
        fake.accuracy,
        fake.sharpness,
    )
    averaged = (answers.astype(np.float32) + flipped) / 2  # another accuracy than without it
    figures = evaluate(answers, averaged, labels, split="test", temperature=temperature)
    files.write_json(folder.evaluation_path, figures.to_json())
    folder.write_manifest({"run": fake.run_id, "data_digest": fake.data_digest, "sha256": {}})
    digests.record(folder.path, [folder.path / name for name in RECORDED])
