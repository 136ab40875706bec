"""The figures of everything shipped, counted again from the stored predictions by other libraries.

Nothing here uses the lab's own metrics: scikit-learn, SciPy and NumPy say what evaluation.json and
the cards must say. So a forged figure fails, in the file as in the card.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    precision_score,
    recall_score,
    top_k_accuracy_score,
)

from cifar_core.dataset import CIFAR10
from cifar_core.dataset.sample import load_labels
from cifar_core.dataset.splits import held_out
from cifar_core.networks import NETWORKS
from cifar_core.settings import PROJECT_DIR

MODELS = PROJECT_DIR / "models"
SHIPPED = sorted(path.name for path in MODELS.iterdir())
CALIBRATED = [name for name in SHIPPED if "tutorial" not in name]
SMALLEST = 2.0**-24
CLASSES = np.arange(10)


@dataclass(frozen=True)
class Shipped:
    """A shipped run as it lies there, and what its stored predictions say."""

    path: Path

    def json(self, name: str) -> Any:
        return json.loads((self.path / name).read_bytes())

    @cached_property
    def labels(self) -> NDArray[np.uint8]:
        return load_labels()[1]

    @cached_property
    def answers(self) -> NDArray[np.float64]:
        stored = np.load(self.path / "test_predictions.npy").astype(np.float64)
        assert stored.shape == (10_000, 10)
        return np.asarray(stored)

    @cached_property
    def guesses(self) -> NDArray[np.int64]:
        return np.asarray(self.answers.argmax(axis=1))

    @cached_property
    def card(self) -> str:
        return (self.path / "README.md").read_text(encoding="utf-8")

    def error(self, temperature: float = 1.0) -> float:
        """Returns the calibration error in 15 bins, counted one by one."""
        answers = self.answers
        if temperature != 1:
            answers = softmax(np.log(np.maximum(answers, SMALLEST)) / temperature, axis=1)
        confidence, right = answers.max(axis=1), self.guesses == self.labels
        total = 0.0
        for number in range(15):
            inside = (confidence > number / 15) & (confidence <= (number + 1) / 15)
            if inside.any():
                total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
        return total


@cache
def shipped(name: str) -> Shipped:
    return Shipped(MODELS / name)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_stored_figures_are_those_of_the_stored_predictions(name: str) -> None:
    run = shipped(name)
    figures, right = run.json("evaluation.json"), int((run.guesses == run.labels).sum())
    interval = binomtest(right, 10_000).proportion_ci(0.95, method="wilson")
    wanted = {
        "pictures": 10_000,
        "right": right,
        "accuracy": accuracy_score(run.labels, run.guesses),
        "interval": [interval.low, interval.high],
        "loss": -np.log(np.maximum(run.answers[np.arange(10_000), run.labels], 1e-7)).mean(),
        "ece": run.error(),
        "confusion_matrix": confusion_matrix(run.labels, run.guesses, labels=CLASSES).tolist(),
    }
    assert {key: figures[key] for key in wanted} == {
        key: value if key == "confusion_matrix" else pytest.approx(value, abs=1e-9)
        for key, value in wanted.items()
    }
    assert figures["split"] == "test"


@pytest.mark.parametrize("name", SHIPPED)
def test_the_stored_top5_is_scikit_learns_up_to_ties(name: str) -> None:
    run = shipped(name)
    ties = 1e-9 * np.random.default_rng(5).random(run.answers.shape)
    low, high = (
        top_k_accuracy_score(run.labels, run.answers + sign * _own(run) + ties, k=5)
        for sign in (-1e-8, 1e-8)
    )
    assert low - 1e-9 <= run.json("evaluation.json")["top5"] <= high + 1e-9
    assert high - low < 0.002 or name.endswith("tutorial")  # it says the same of every picture


def _own(run: Shipped) -> NDArray[np.float64]:
    """Returns 1 at each picture's true class: its ties are lost, or won, by a hair."""
    return np.asarray(np.eye(10)[run.labels])


@pytest.mark.parametrize("name", CALIBRATED)
def test_the_stored_calibrated_error_is_that_of_the_predictions_at_the_temperature(
    name: str,
) -> None:
    run = shipped(name)
    figures = run.json("evaluation.json")
    assert figures["ece_calibrated"] == pytest.approx(run.error(figures["temperature"]), abs=1e-9)
    assert figures["ece_calibrated"] < figures["ece"]


@pytest.mark.parametrize("name", sorted(set(SHIPPED) - set(CALIBRATED)))
def test_a_run_that_held_nothing_out_has_no_temperature(name: str) -> None:
    figures = shipped(name).json("evaluation.json")
    assert (figures["temperature"], figures["ece_calibrated"]) == (None, None)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_the_shipped_temperature_is_scipys_of_the_stored_validation_predictions(name: str) -> None:
    """The run fitted it to what the exported network says; stored is what was trained, rounded."""
    run = shipped(name)
    train = load_labels()[0]
    pictures = run.json("recipe.json")["validation_pictures"]
    labels = train[held_out(train, pictures, classes=CIFAR10.classes)[1]]
    stored = np.fromfile(run.path / "predictions", np.float16).reshape(-1, pictures, 10)[-1]
    logits = np.log(np.maximum(stored.astype(np.float64), SMALLEST))

    def loss(temperature: float, of: Any = logits, true: Any = labels) -> float:
        return -float(log_softmax(of / temperature, axis=1)[np.arange(len(true)), true].mean())

    wanted = minimize_scalar(loss, bounds=(0.05, 20), method="bounded").x
    assert run.json("evaluation.json")["temperature"] == pytest.approx(wanted, rel=0.005)


def test_the_document_says_which_models_reach_the_aim_of_one_and_a_half_percent() -> None:
    text = (PROJECT_DIR / "docs" / "recipes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (CNN-\d) \| (\d\.\d\d)% \| (missed|reached) \|$", text, re.MULTILINE)
    wanted = []
    for name, network in NETWORKS.items():
        error = shipped(name).error(shipped(name).json("evaluation.json")["temperature"])
        word = "reached" if error <= 0.015 else "missed"
        wanted.append((network.title, f"{100 * error:.2f}", word))
    assert rows == wanted


def _percents(text: str) -> list[float]:
    return [float(value) for value in re.findall(r"(\d+(?:\.\d+)?)%", text)]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_percentage_on_a_card_is_counted_again(name: str) -> None:
    run = shipped(name)
    figures = run.json("evaluation.json")
    right = int((run.guesses == run.labels).sum())
    interval = binomtest(right, 10_000).proportion_ci(0.95, method="wilson")
    wanted = [0.95, right / 10_000, figures["top5"], figures["accuracy_mirrored"], run.error()]
    if figures["temperature"] is not None:
        wanted.append(run.error(figures["temperature"]))
    per_class = [
        score(run.labels, run.guesses, labels=CLASSES, average=None, zero_division=0)
        for score in (recall_score, precision_score)
    ]
    wanted += np.stack(per_class, axis=1).ravel().tolist()
    shown = _percents(run.card.split("**Recipe.**")[0])  # behind it: what a recipe is for
    assert shown == pytest.approx([100 * value for value in wanted], abs=0.05 + 1e-6)
    half = float(re.findall(r"± (\d+\.\d)", run.card)[0])
    assert half == pytest.approx(50 * (interval.high - interval.low), abs=0.05 + 1e-6)
    rows = [line.split("|")[1].strip() for line in run.card.splitlines() if line.startswith("| ")]
    assert [row for row in rows if row in CIFAR10.class_names] == list(CIFAR10.class_names)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_other_number_on_a_card_is_the_runs(name: str) -> None:
    run = shipped(name)
    recipe, status = run.json("recipe.json"), run.json("status.json")
    text = " ".join(run.card.split())
    for pattern, wanted in {
        r"with temperature (\d\.\d{3})": run.json("evaluation.json")["temperature"],
        r"seed (\d+); every": recipe["seed"],
        r"(\d+) epochs(?: instead of \d+)?, seed": recipe["epochs"],
        r"on the ([\d,]+) test images": len(run.labels),
        r"([\d,]+) validation images": recipe["validation_pictures"] or None,
        r"2009\), ([\d,]+) training images": (recipe["training_pictures"] or 50_000)
        - (recipe["validation_pictures"] if not recipe["training_pictures"] else 0),
        r"in (\d+) (?:h|min) ": status["running_seconds"] // 3600
        or status["running_seconds"] // 60,
    }.items():
        found = [float(value.replace(",", "")) for value in re.findall(pattern, text)]
        assert found == ([] if wanted is None else [pytest.approx(wanted, abs=5e-4)]), pattern


@pytest.mark.data
@pytest.mark.parametrize("name", list(NETWORKS))
def test_the_mirrored_accuracy_is_that_of_the_shipped_network(name: str) -> None:
    """LiteRT itself is asked about each picture and its mirror image."""
    from ai_edge_litert.interpreter import Interpreter

    from cifar_core import settings
    from cifar_core.dataset.arrays import open_full

    run = shipped(name)
    test = open_full(settings.current().data_dir).test
    interpreter = Interpreter(str(run.path / "model.tflite"), num_threads=1)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    interpreter.resize_tensor_input(source["index"], [500, 32, 32, 3])
    interpreter.allocate_tensors()
    parts = []
    for start in range(0, 2_000, 500):
        images = np.ascontiguousarray(test.images[start : start + 500])
        both = []
        for view in (images, np.ascontiguousarray(images[:, :, ::-1])):
            interpreter.set_tensor(source["index"], view)
            interpreter.invoke()
            both.append(interpreter.get_tensor(target["index"]).copy())
        parts.append(np.mean(both, axis=0).argmax(axis=1) == test.labels[start : start + 500])
    share = float(np.concatenate(parts).mean())
    spread = np.sqrt(share * (1 - share) / 2_000)
    stored = run.json("evaluation.json")["accuracy_mirrored"]
    assert abs(share - stored) < 4 * spread
