"""The card of a model, in Markdown: what it is, how good, trained on what, its limits."""

from __future__ import annotations

import re

from cifar_core import formats
from cifar_core.dataset import CLASS_NAMES
from cifar_core.errors import RunError
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe
from cifar_core.report.judgement import command
from cifar_core.runs import results
from cifar_core.runs.reading import Run

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~$&^=])")

_USE_CALIBRATED = """
# Calibrated by the temperature, as the lab shows them:
heated = np.maximum(probabilities, 1e-12) ** (1 / {:.6f})
calibrated = heated / heated.sum(axis=1, keepdims=True)
"""


def card(run: Run) -> str:
    """Returns the card of a finished run's model.

    Raises:
        RunError: The run has no final figures.
    """
    figures = results.read_evaluation(run)
    if figures is None:
        raise RunError(
            f"Run “{run.name}” has no final figures, so there is no card of its model.",
            expected="A finished run.",
            remedy="Wait until it is finished.",
        )
    recipe = results.recipe_of(run)
    named = NAMED_RECIPES.get(recipe.name)
    reason = f"{named.reason} " if named else ""
    usual = named.own[recipe.network]["epochs"] if named else recipe.epochs
    instead = f" instead of {usual}" if usual != recipe.epochs else ""
    device = _plain(run.status.device_name or run.status.device)
    took = formats.duration(run.status.running_seconds)
    return f"""# {NETWORKS[recipe.network].title}, recipe `{recipe.name}`

{NETWORKS[recipe.network].summary} Trained by this lab's own run on {device}
({_plain(run.status.precision)}) in {took}.

{_figures(figures)}

{_classes(figures)}

{_data(recipe)}

**Recipe.** {reason}{recipe.epochs} epochs{instead}, seed {recipe.seed}; every
number is in recipe.json, digests and versions are in manifest.json.

**Limits.** It knows ten classes and must name one of them whatever a picture shows. It has seen
only pictures of 32 × 32 pixels; photographs made smaller differ from them.
{_use(run, figures)}
**Again.** `{command(recipe)}`;
{_proof(run)}
"""


def _use(run: Run, figures: Evaluation) -> str:
    """Says what the network's file takes and gives; nothing where the file is not kept."""
    if not run.folder.litert_path.is_file():
        return ""
    order = ", ".join(f"{label} {name}" for label, name in enumerate(CLASS_NAMES))
    keeps_keras = run.folder.keras_path.is_file()
    same = " The same holds for model.keras." if keeps_keras else ""
    heat = "" if figures.temperature is None else _USE_CALIBRATED.format(figures.temperature)
    return f"""
**Use.** Input: `images`, uint8 of shape (n, 32, 32, 3), red, green, blue, **from 0 to 255**; the
network divides by 255 itself, so do not divide before. Output: float32 of shape (n, 10),
probabilities in this order: {order}.{same}

```python
import numpy as np
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(model_path="model.tflite")
interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], images.shape)
interpreter.allocate_tensors()
interpreter.set_tensor(interpreter.get_input_details()[0]["index"], images)
interpreter.invoke()
probabilities = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
{heat}```
"""


def _proof(run: Run) -> str:
    if run.folder.litert_path.is_file():
        return f"`python -m cifar_core evaluate {run.id}` recomputes the figures from the weights."
    return (
        "its weights are not kept here, its answers to the test pictures are "
        "(test_predictions.npy)."
    )


def _figures(figures: Evaluation) -> str:
    rows = [
        (
            f"accuracy ({figures.interval_method})",
            formats.percent(figures.accuracy, figures.interval),
        ),
        ("right class among the first five", formats.percent(figures.top5)),
        ("accuracy, averaged with the mirror image", formats.percent(figures.accuracy_mirrored)),
        ("calibration error, 15 bins, as trained", formats.percent(figures.ece)),
    ]
    if figures.temperature is not None:
        calibrated = formats.percent(figures.ece_calibrated)
        rows.append((f"calibration error with temperature {figures.temperature:.3f}", calibrated))
    body = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"| Figure, on the {figures.pictures:,} test pictures | |\n|---|---|\n{body}"


def _classes(figures: Evaluation) -> str:
    matrix = figures.confusion_matrix
    body = "\n".join(
        f"| {name} | {formats.percent(matrix[i][i] / max(1, sum(matrix[i])))} | "
        f"{formats.percent(matrix[i][i] / max(1, sum(row[i] for row in matrix)))} |"
        for i, name in enumerate(CLASS_NAMES)
    )
    heads = "| Class | found of those there (recall) | right of those named (precision) |"
    return f"{heads}\n|---|---|---|\n{body}"


def _data(recipe: Recipe) -> str:
    start = "**Data.** CIFAR-10 (Krizhevsky 2009), "
    if recipe.monitored_split == "test":
        return (
            f"{start}{recipe.learnt_pictures:,} pictures to learn from.\nThis recipe "
            "watches the test pictures while it learns, as the tutorial does."
        )
    return (
        f"{start}{recipe.learnt_pictures:,} pictures to learn\nfrom, "
        f"{recipe.validation_pictures:,} held out to watch and to fit the temperature; the test\n"
        "pictures were read once, at the end."
    )


def _plain(text: str) -> str:
    """Returns a text that Markdown shows as it is: what a device calls itself is not ours."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))
