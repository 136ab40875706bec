"""Puts a finished run among those that come with the lab, with a card that tells its figures.

``python -m tools.ship_run RUN NAME`` copies what serving, Results and Compare need to
models/NAME. Left behind are the checkpoint and model.keras, which the recipe makes again.
A long run's answers after some epochs are left behind too, so that the lab stays small.
``--record`` copies the history alone: Compare shows how the run learnt, nothing can be classified.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import numpy as np

from cifar_core import files, services, settings
from cifar_core.networks import NETWORKS
from cifar_core.runs import digests
from cifar_core.runs.folder import Label
from cifar_core.runs.reading import Run
from cifar_core.runs.results import PREDICTIONS_EVERY
from cifar_core.ui.kit.runs.labels import recipe_title

HISTORY = (
    "recipe.json",
    "status.json",
    "metrics.jsonl",
    "network.json",
    "test_predictions.npy",
    "evaluation.json",
    "manifest.json",
)
MODEL = ("predictions", "model.tflite")
"""What makes a history whole: the answers after its epochs, and the network."""


MOST_EPOCHS = 100
"""Answers after so many epochs are shipped at most; 100 KB each."""


def thin(target: Path, epochs: int) -> None:
    """Keeps the answers after every second, third … epoch, and says so in the manifest.

    The step divides the epochs, so that the last one is kept; of 101 it alone would be.
    """
    every = next(k for k in range(1, epochs + 1) if epochs % k == 0 and epochs // k <= MOST_EPOCHS)
    path = target / "predictions"
    whole = np.frombuffer(path.read_bytes(), np.uint8).reshape(epochs, -1)
    path.write_bytes(whole[every - 1 :: every].tobytes())
    digests.write_manifest(target, {**digests.read_manifest(target), PREDICTIONS_EVERY: every})
    digests.record(target, [path])


def ship(run: Run, name: str, *, is_record: bool = False) -> Path:
    """Copies a finished run to models/name and writes its card; returns the folder."""
    recipe, figures = run.recipe, services.read_evaluation(run)
    if recipe is None or figures is None:
        sys.exit(f"Run {run.id} is {run.state}: only a finished run can be shipped.")
    parts = HISTORY if is_record else HISTORY + MODEL
    missing = [part for part in parts if not (run.folder.path / part).is_file()]
    target = settings.current().models_dir / name
    if missing or target == run.folder.path:
        sys.exit(f"Run {run.id} cannot become {target}: {', '.join(missing) or 'it lies there'}.")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for part in parts:
        shutil.copy(run.folder.path / part, target / part)
    if not is_record and recipe.epochs > MOST_EPOCHS:
        thin(target, recipe.epochs)
    network = NETWORKS[recipe.network].title
    seed = f", seed {recipe.seed}" if recipe.seed != 1 else ""
    named = f"{recipe_title(recipe).lower()}{seed}" if is_record else "shipped"
    shipped = services.read_run(name)
    shipped.folder.write_label(Label(f"{network}, {named}", "", run.label.created_at))
    if not is_record:
        if run.folder.novelty_path.is_file():  # a run that held no pictures out has none
            shutil.copy(run.folder.novelty_path, target / run.folder.novelty_path.name)
        with services.acting_for(services.OWNER):
            times = services.measure_timing(shipped)  # shown until a visitor's machine has its own
        files.write_json(target / "timing.json", times.to_json())
    (target / "README.md").write_text(services.read_card(shipped), encoding="utf-8")
    return target


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("name")
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    print(ship(services.read_run(given.run), given.name, is_record=given.record))
