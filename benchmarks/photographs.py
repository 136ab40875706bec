"""How the shipped networks do on photographs, and how well they tell what is none of the ten.

``python -m benchmarks.photographs FOLDER`` reads FOLDER/labels.csv (``file,label``; the label one
of the ten classes, or ``none``) and writes benchmarks/photographs.json, which docs/classify.md
quotes. Every label's photographs are divided in two by a fixed rule: choices were made on the
development half, the reporting half is looked at for the figures alone. Needs the full dataset.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import foreign, photograph_tables, photograph_trials
from cifar_core import services
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset
from cifar_core.dataset.splits import divide
from cifar_core.errors import LabError
from cifar_core.evaluation.calibration import expected_calibration_error
from cifar_core.inference.upload import read_picture, to_network_input
from cifar_core.networks import NETWORKS
from cifar_core.runs import results
from cifar_core.services import Model

OUTPUT = Path(__file__).with_name("photographs.json")
NONE = -1
REPORTING_SEED, DEVELOPMENT_SEED = 2, 1
FOREIGN_PICTURES = 250
"""Of each family of generated pictures."""


@dataclass(frozen=True, eq=False)
class Photographs:
    """Photographs with what they show.

    Attributes:
        pixels: Each as the upload reads it, (h, w, 3) uint8.
        labels: (n,) classes; :data:`NONE` where it is none of the ten.
        is_development: (n,) whether it belongs to the half that choices were made on.
    """

    pixels: list[NDArray[np.uint8]]
    labels: NDArray[np.int64]
    is_development: NDArray[np.bool_]


def read_folder(folder: Path) -> Photographs:
    """Reads the photographs of a folder and divides them: of each label, by digest of the name."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["file"], row["label"]) for row in csv.DictReader(file)]
    pixels = [read_picture((folder / name).read_bytes(), name).pixels for name, _ in rows]
    labels = [NONE if label == "none" else CIFAR10.class_names.index(label) for _, label in rows]
    halves = development_half([name for name, _ in rows], labels)
    return Photographs(pixels, np.array(labels), halves)


def development_half(names: list[str], labels: list[int]) -> NDArray[np.bool_]:
    """Returns which files choices may be made on: of each label every second, by digest."""
    chosen = np.zeros(len(names), bool)
    for label in set(labels):
        places = [place for place, other in enumerate(labels) if other == label]
        places.sort(key=lambda place: _digest(names[place]))
        chosen[places[::2]] = True
    return chosen


def auroc(usual: NDArray[np.float64], foreign_scores: NDArray[np.float64]) -> float:
    """Returns how often a foreign picture scores higher than a usual one; ties count half."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([usual, foreign_scores]))[len(usual) :]
    count = len(foreign_scores)
    return float((ranks.sum() - count * (count + 1) / 2) / (count * len(usual)))


def measure_novelty(model: Model, photographs: Photographs, dataset: Dataset) -> dict[str, Any]:
    """Returns what the score and each of its signs reach, and the largest softmax beside them."""
    assert model.novelty is not None
    novelty, inspector = model.novelty, model.inspector
    seen = np.stack([to_network_input(pixels) for pixels in photographs.pixels])
    made = {name: foreign.draw(name, FOREIGN_PICTURES, REPORTING_SEED) for name in foreign.FAMILIES}
    reporting = ~photographs.is_development
    known = photographs.labels != NONE
    pictures = {"test": np.asarray(dataset.test.images), "photographs": seen, **made}
    scores: dict[str, dict[str, NDArray[np.float64]]] = {}
    for name, some in pictures.items():
        signs = novelty.signs(inspector, some)
        scores[name] = {
            "score": _combined(novelty, signs),
            "energy": signs[:, 0],
            "relative distance of features": signs[:, 1],
            "distance of channels": signs[:, 2],
            "largest softmax": -model.classifier.classify(some).max(axis=1).astype(np.float64),
        }
    families = {**{name: scores[name] for name in made}}
    families["photographs of other things"] = {
        kind: values[~known & reporting] for kind, values in scores["photographs"].items()
    }
    kinds = list(scores["test"])
    everything = {
        kind: np.concatenate([part[kind] for part in families.values()]) for kind in kinds
    }
    photos = scores["photographs"]
    return {
        "threshold": novelty.threshold,
        "false_alarms": {
            "test": float((scores["test"]["score"] > novelty.threshold).mean()),
            "known photographs, reporting half": _above(
                photos, known & reporting, novelty.threshold
            ),
        },
        "noticed": {
            **{
                name: float((part["score"] > novelty.threshold).mean())
                for name, part in families.items()
            }
        },
        "auroc": {
            kind: {
                "known against other photographs, development half": auroc(
                    photos[kind][known & ~reporting], photos[kind][~known & ~reporting]
                ),
                "known against other photographs, reporting half": auroc(
                    photos[kind][known & reporting], photos[kind][~known & reporting]
                ),
                "known against other photographs, all": auroc(
                    photos[kind][known], photos[kind][~known]
                ),
                **{
                    f"test against {name}": auroc(scores["test"][kind], part[kind])
                    for name, part in families.items()
                },
                "test against all of these": auroc(scores["test"][kind], everything[kind]),
            }
            for kind in kinds
        },
        "pictures": {
            "test": len(dataset.test.labels),
            "known photographs": [int((known & ~reporting).sum()), int((known & reporting).sum())],
            "other photographs": [
                int((~known & ~reporting).sum()),
                int((~known & reporting).sum()),
            ],
            "of each generated family": FOREIGN_PICTURES,
        },
    }


def measure_calibration(model: Model, dataset: Dataset) -> dict[str, Any]:
    """Returns accuracy and calibration error on the test split, plain and mirrored, as served."""
    found = {}
    for name, mirror in (("plain", False), ("mirrored", True)):
        answers = model.probabilities(np.asarray(dataset.test.images), flip=mirror)
        right = answers.argmax(axis=1) == dataset.test.labels
        found[name] = {
            "accuracy": float(right.mean()),
            "ece_15_bins": expected_calibration_error(answers, dataset.test.labels),
        }
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measures and writes what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.photographs", description=__doc__)
    parser.add_argument("folder", type=Path, help="photographs with labels.csv")
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args(arguments)
    photographs = read_folder(options.folder)
    dataset = services.open_dataset()
    if dataset.is_sample:
        parser.error("the full dataset is missing: python -m cifar_core data")
    models = {
        name: services.open_model(services.find_model(name), threads=None) for name in NETWORKS
    }
    found: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "models": {
            name: services.recorded_digest(model.run)[:16] for name, model in models.items()
        },
        "data": dataset.digest,
        "photographs_per_class": _counts(photographs),
        "accuracy": photograph_trials.accuracies(photographs, models),
    }
    for name, model in models.items():
        print(f"{name} …", file=sys.stderr, flush=True)
        learned, watched = divide(results.recipe_of(model.run), dataset)
        found[name] = {
            "none_of_these": measure_novelty(model, photographs, dataset),
            "tried": photograph_trials.scores(
                model.inspector,
                learned=learned,
                watched=watched,
                photographs=photographs,
                families={
                    family: foreign.draw(family, FOREIGN_PICTURES, DEVELOPMENT_SEED)
                    for family in foreign.FAMILIES
                },
            ),
            "calibration": measure_calibration(model, dataset),
        }
    options.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.output == OUTPUT:
        photograph_tables.write(found)
    print(json.dumps(found, indent=1))
    return 0


def _combined(novelty: Any, signs: NDArray[np.float64]) -> NDArray[np.float64]:
    from cifar_core.inference.novelty import combine

    return combine(signs, novelty.centres, novelty.scales)


def _above(
    scores: Mapping[str, NDArray[np.float64]], which: NDArray[np.bool_], threshold: float
) -> float:
    return float((scores["score"][which] > threshold).mean())


def _counts(photographs: Photographs) -> dict[str, int]:
    return {
        name: int((photographs.labels == label).sum())
        for label, name in enumerate(CIFAR10.class_names)
    }


def _digest(name: str) -> str:
    return hashlib.sha256(f"cifar-10-lab:{name}".encode()).hexdigest()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (LabError, OSError) as error:
        sys.exit(str(error))
