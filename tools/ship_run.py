"""Puts a finished run among the shipped models, with a card that tells its figures.

``python tools/ship_run.py RUN NAME`` copies what serving, Results and Compare need to
models/NAME. Left behind are the checkpoint and model.keras, which the recipe makes again.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from cifar_core import formats, recipes, services, settings
from cifar_core.dataset import CLASS_NAMES
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.networks import NETWORKS
from cifar_core.recipes import NAMED_RECIPES, Recipe
from cifar_core.runs.folder import Label
from cifar_core.runs.manager import Run

KEPT = (
    "recipe.json",
    "status.json",
    "metrics.jsonl",
    "network.json",
    "predictions",
    "test_predictions.npy",
    "evaluation.json",
    "manifest.json",
    "model.tflite",
)


def ship(run: Run, name: str) -> Path:
    """Copies a finished run to models/name and writes its card; returns the folder."""
    recipe, figures = run.recipe, services.read_evaluation(run)
    if recipe is None or figures is None:
        sys.exit(f"Run {run.id} is {run.state}: only a finished run can be shipped.")
    target = settings.current().models_dir / name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for part in KEPT:
        shutil.copy(run.folder.path / part, target / part)
    title = f"{NETWORKS[recipe.network].title}, shipped"
    shipped = services.read_run(name)
    shipped.folder.write_label(Label(title, "", run.label.created_at))
    (target / "README.md").write_text(card(run, recipe, figures), encoding="utf-8")
    return target


def card(run: Run, recipe: Recipe, figures: Evaluation) -> str:
    """Returns the model card in Markdown."""
    matrix = figures.confusion_matrix
    classes = "\n".join(
        f"| {name} | {matrix[i][i] / sum(matrix[i]):.1%} | "
        f"{matrix[i][i] / max(1, sum(row[i] for row in matrix)):.1%} |"
        for i, name in enumerate(CLASS_NAMES)
    )
    took = formats.duration(run.status.running_seconds)
    calibrated = formats.percent(figures.ece_calibrated)
    return f"""# {NETWORKS[recipe.network].title}, recipe `{recipe.name}`

{NETWORKS[recipe.network].summary} Trained by this lab's own run on {run.status.device_name}
({run.status.precision}) in {took}.

| Figure, on the 10,000 test pictures | |
|---|---|
| accuracy ({figures.interval_method}) | {formats.percent(figures.accuracy, figures.interval)} |
| right class among the first five | {formats.percent(figures.top5)} |
| accuracy, averaged with the mirror image | {formats.percent(figures.accuracy_mirrored)} |
| calibration error, 15 bins, as trained | {formats.percent(figures.ece)} |
| calibration error with temperature {figures.temperature:.3f} | {calibrated} |

| Class | found of those there (recall) | right of those named (precision) |
|---|---|---|
{classes}

**Data.** CIFAR-10 (Krizhevsky 2009), {50_000 - recipe.validation_pictures:,} pictures to learn
from, {recipe.validation_pictures:,} held out to watch and to fit the temperature; the test
pictures were read once, at the end.

**Recipe.** {NAMED_RECIPES[recipe.name].reason} {recipe.epochs} epochs, seed {recipe.seed}; every
number is in recipe.json, digests and versions are in manifest.json.

**Limits.** It knows ten classes and must name one of them whatever a picture shows. It has seen
only pictures of 32 × 32 pixels; photographs made smaller differ from them.

**Again.** `{again(recipe)}`;
`python -m cifar_core evaluate {recipe.network}` recomputes the figures from the weights.
"""


def again(recipe: Recipe) -> str:
    """Returns the command that trains this recipe again."""
    named = recipes.recipe(recipe.name, recipe.network).to_json()
    options = {"epochs", "batch_size", "learning_rate", "seed", "training_pictures"}
    changed = {key: value for key, value in recipe.to_json().items() if value != named[key]}
    if not changed.keys() <= options:
        sys.exit(f"The command line cannot set {', '.join(changed.keys() - options)}.")
    words = [f"--{key.replace('_', '-')} {value}" for key, value in sorted(changed.items())]
    start = f"python -m cifar_core train --network {recipe.network} --recipe {recipe.name}"
    return " ".join([start, *words])


if __name__ == "__main__":
    run_id, chosen = sys.argv[1:]
    print(ship(services.read_run(run_id), chosen))
