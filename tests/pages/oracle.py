"""What Results and Compare have to show, computed anew from the files of a run.

With NumPy, SciPy and scikit-learn, and nothing of the lab's own evaluation or services.
"""

from __future__ import annotations

import dataclasses
import functools
import gzip
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from scipy.stats import binomtest
from sklearn import metrics as sk

from cifar_core import settings
from cifar_core.settings import PROJECT_DIR

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"
)  # fmt: skip
VEHICLES_FIRST = (0, 1, 8, 9, 2, 3, 4, 5, 6, 7)
HELD_OUT_SEED = 20_090_408
LEAST_STORED = 2.0**-24
"""What a probability stored as zero in float16 counts as."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Answers:
    """What a network answered: shares (n, 10) float32, labels (n,), indices (n,), and where."""

    shares: Array
    labels: Array
    indices: Array
    split: str

    @property
    def guesses(self) -> Array:
        return np.asarray(self.shares.argmax(axis=1))

    @property
    def is_right(self) -> Array:
        return np.asarray(self.guesses == self.labels)

    @property
    def accuracy(self) -> float:
        return float(sk.accuracy_score(self.labels, self.guesses))

    @property
    def matrix(self) -> Array:
        return np.asarray(sk.confusion_matrix(self.labels, self.guesses, labels=range(10)))

    @property
    def top5(self) -> float:
        """Of equal shares the first class counts as the likelier one."""
        first = np.argsort(-self.shares, axis=1, kind="stable")[:, :5]
        return float((first == self.labels[:, None]).any(axis=1).mean())

    def calibrated(self, temperature: float) -> Answers:
        """Returns the answers with a temperature applied."""
        logits = np.log(np.maximum(self.shares.astype(np.float64), LEAST_STORED))
        milder = softmax(logits / temperature, axis=1).astype(np.float32)
        return dataclasses.replace(self, shares=milder)

    def of_cell(self, true: int | None, predicted: int | None) -> list[int]:
        """Returns the places of a cell's images, the most confident first; else mistakes only."""
        places = [
            place
            for place, (label, guess) in enumerate(zip(self.labels, self.guesses, strict=True))
            if true in (None, label)
            and predicted in (None, guess)
            and (label != guess or (true is not None and true == predicted))
        ]
        return sorted(places, key=lambda place: -self.shares[place].max())


@dataclass(frozen=True)
class RunFiles:
    """A run's folder, read file by file."""

    path: Path

    def read(self, name: str) -> Any:
        return json.loads((self.path / name).read_bytes())

    @property
    def recipe(self) -> dict[str, Any]:
        return dict(self.read("recipe.json"))

    @property
    def evaluation(self) -> dict[str, Any]:
        return dict(self.read("evaluation.json"))

    @property
    def temperature(self) -> float:
        return float(self.evaluation["temperature"])

    @functools.cached_property
    def metrics(self) -> list[dict[str, float]]:
        """What was measured after each epoch."""
        lines = (self.path / "metrics.jsonl").read_text(encoding="ascii").splitlines()
        return [json.loads(line) for line in lines]

    def column(self, name: str) -> list[float]:
        return [row[name] for row in self.metrics]

    def test(self) -> Answers:
        """Returns the answers on the test images."""
        shares = np.load(self.path / "test_predictions.npy").astype(np.float32)
        return Answers(shares, labels()[1], np.arange(len(shares)), "test")

    def served(self) -> Answers:
        """Returns the answers on the test images, with the temperature applied."""
        return self.test().calibrated(self.temperature)

    def epoch(self, number: int) -> Answers:
        """Returns the answers on the watched images after an epoch, counted from 1."""
        split, places = "test", np.arange(10_000)
        if self.recipe["monitored_split"] == "validation":
            split, places = "train", held_out(self.recipe["validation_pictures"])
        stored = np.fromfile(self.path / "predictions", np.float16).reshape(-1, len(places), 10)
        own = labels()[0 if split == "train" else 1][places]
        return Answers(stored[number - 1].astype(np.float32), own, places, split)


@functools.cache
def labels() -> tuple[Array, Array]:
    """Returns the labels of the training (50000,) and the test images (10000,)."""
    packed = (PROJECT_DIR / "cifar_core/dataset/sample/labels.gz").read_bytes()
    whole = np.frombuffer(gzip.decompress(packed), np.uint8)
    return whole[:50_000], whole[50_000:]


@functools.cache
def images(split: str) -> Array:
    """Returns the images (n, 32, 32, 3) of the full dataset."""
    stored = settings.current().data_dir / "cifar10" / f"{split}_images.npy"
    return np.asarray(np.load(stored, mmap_mode="r"))


@functools.cache
def held_out(number: int) -> Array:
    """Returns the ascending positions of the training images held out, equally many a class."""
    random = np.random.Generator(np.random.PCG64(HELD_OUT_SEED))
    train, _ = labels()
    parts = [random.permutation(np.flatnonzero(train == label)) for label in range(10)]
    return np.sort(np.concatenate([part[: number // 10] for part in parts]))


def wilson(right: int, total: int) -> tuple[float, float]:
    """Returns SciPy's Wilson interval at 95%."""
    found = binomtest(right, total).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def accuracy_words(right: int, total: int) -> str:
    """Returns an accuracy in the middle of the scale with half of its Wilson interval."""
    low, high = wilson(right, total)
    return f"{100 * (right / total):.1f}% ± {50 * (high - low):.1f}"


def paired_interval(a: Array, b: Array) -> tuple[float, float]:
    """Returns Newcombe's hybrid interval (1998, method 10) of the difference of two accuracies.

    Args:
        a: Whether the first is right (n,).
        b: Whether the second is right about the same images (n,).
    """
    n = len(a)
    table = sk.confusion_matrix(a, b, labels=[True, False])
    ((both, only_a), (only_b, neither)) = table.tolist()
    numerator: float = both * neither - only_a * only_b
    if numerator > 0:
        numerator = max(0.0, numerator - n / 2)
    edges = math.prod((*table.sum(axis=0).tolist(), *table.sum(axis=1).tolist()))
    phi = numerator / math.sqrt(edges)
    p, q = a.mean(), b.mean()
    (p_low, p_high), (q_low, q_high) = wilson(int(a.sum()), n), wilson(int(b.sum()), n)

    def width(one: float, other: float) -> float:
        return math.sqrt(one**2 - 2 * phi * one * other + other**2)

    return (
        float(p - q - width(p - p_low, q_high - q)),
        float(p - q + width(p_high - p, q - q_low)),
    )


def reliability(answers: Answers, bins: int = 15) -> list[tuple[int, float, float]]:
    """Returns count, mean confidence and accuracy of each bin that holds an answer."""
    confidence = answers.shares.astype(np.float64).max(axis=1)
    number = np.ceil(confidence * bins).clip(1, bins)
    rows = []
    for wanted in range(1, bins + 1):
        inside = number == wanted
        if inside.any():
            mean = float(confidence[inside].mean())
            rows.append((int(inside.sum()), mean, float(answers.is_right[inside].mean())))
    return rows


def calibration_error(answers: Answers) -> float:
    """Returns the expected calibration error over 15 bins."""
    rows = reliability(answers)
    gaps = [count * abs(confidence - accuracy) for count, confidence, accuracy in rows]
    return sum(gaps) / len(answers.labels)


def coverage(answers: Answers) -> list[tuple[float, float, float]]:
    """Returns threshold, share kept and accuracy of the kept at 0%, 1% … while any are kept."""
    confidence = answers.shares.astype(np.float64).max(axis=1)
    kept = [(percent / 100, confidence >= percent / 100) for percent in range(101)]
    return [
        (threshold, float(which.mean()), float(answers.is_right[which].mean()))
        for threshold, which in kept
        if which.any()
    ]
