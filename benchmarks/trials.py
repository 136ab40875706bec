"""What one change of a recipe brings: ``python -m benchmarks.trials NETWORK RECIPE CHANGE…``.

A change is written ``setting=value``. The recipe as it is and with each change alone is carried
out by the engine that runs train with, with several seeds, in turns. Judged is on the held-out
training pictures; the test pictures are not read. ``--epochs`` and ``--pictures`` make the
trainings short. An example, whether the fast arithmetic costs accuracy:

    python -m benchmarks.trials cnn4 quick precision=float32 --epochs 6 --pictures 10000
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cifar_core import settings
from cifar_core.dataset import arrays
from cifar_core.dataset.arrays import Dataset
from cifar_core.dataset.augmentation import plan_epoch
from cifar_core.dataset.splits import divide
from cifar_core.errors import LabError
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe, recipe

AS_IT_IS = "as it is"


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains in turns, prints a table and returns the exit status."""
    options = _parse(arguments)
    try:
        wanted = variants(options.recipe, options.network, options.changes, _shortened(options))
        dataset = arrays.open_full(settings.current().data_dir)
    except LabError as error:
        print(f"{error.what} {error.expected}", file=sys.stderr)
        return 2
    found: dict[str, list[float]] = {name: [] for name in wanted}
    for seed in range(1, options.seeds + 1):
        for name, changed in wanted.items():
            again = recipe(options.recipe, options.network, **changed, seed=seed)
            found[name].append(reach(again, dataset))
            print(f"seed {seed}, {name}: {found[name][-1]:.2%}", file=sys.stderr, flush=True)
    print(render(found))
    return 0


def variants(
    name: str, network: str, changes: Sequence[str], shortened: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Returns the settings of each training, by what was changed; the recipe itself first.

    Raises:
        RecipeError: A change names no setting, or a value that it cannot have.
    """
    found: dict[str, dict[str, Any]] = {AS_IT_IS: dict(shortened)}
    for change in changes:
        setting, _, text = change.partition("=")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        found[change] = {**shortened, setting: value}
    for changed in found.values():
        recipe(name, network, **changed)
    return found


def reach(wanted: Recipe, dataset: Dataset) -> float:
    """Carries out a recipe; returns the accuracy on its watched pictures after the last epoch."""
    import keras

    from cifar_core.training.engine import steps_per_epoch
    from cifar_core.training.engines import make_engine
    from cifar_core.training.train import choose_precision

    keras.utils.clear_session()
    learned, watched = divide(wanted, dataset)
    pictures = len(learned.labels)
    precision = choose_precision(wanted, "cpu")
    engine = make_engine(wanted, learned.images, learned.labels, precision=precision)
    for epoch in range(wanted.epochs):
        plan = plan_epoch(wanted, pictures, epoch)
        engine.train(plan, epoch, 0, steps_per_epoch(wanted, pictures))
    answers = engine.predict(watched.images).argmax(axis=1)
    return float(np.mean(answers == watched.labels))


def render(found: Mapping[str, Sequence[float]]) -> str:
    """Returns a Markdown table: mean ± standard deviation over the seeds, and the difference."""
    lines = ["| Change | watched pictures right | difference |", "|---|---:|---:|"]
    base = statistics.mean(found[AS_IT_IS])
    for name, values in found.items():
        mean = statistics.mean(values)
        spread = f" ± {statistics.stdev(values):.2%}" if len(values) > 1 else ""
        difference = "" if name == AS_IT_IS else f"{100 * (mean - base):+.2f} points"
        lines.append(f"| {name} | {mean:.2%}{spread} | {difference} |")
    return "\n".join(lines)


def _shortened(options: argparse.Namespace) -> dict[str, Any]:
    given = {"epochs": options.epochs, "training_pictures": options.pictures}
    return {name: value for name, value in given.items() if value is not None}


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trials", description=__doc__)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("recipe", choices=NAMED_RECIPES)
    parser.add_argument("changes", nargs="*", metavar="SETTING=VALUE")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--pictures", type=int, help="learn from only so many")
    parser.add_argument("--seeds", type=int, default=3)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
