"""The card of a model, in Markdown: what it is, how good, trained on what, its limits."""

from __future__ import annotations

from cifar_core.errors import RunError
from cifar_core.evaluation.classification import class_report
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.report.judgement import command
from cifar_core.report.rendering import render
from cifar_core.runs import results
from cifar_core.runs.reading import Run


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
    return render(
        "card.md.j2",
        run=run,
        figures=figures,
        classes=class_report(figures.confusion_matrix, recipe.spec.class_names).to_dict("records"),
        class_names=recipe.spec.class_names,
        network=NETWORKS[recipe.network],
        recipe=recipe,
        reason=named.reason if named else "",
        usual_epochs=named.own[recipe.network]["epochs"] if named else recipe.epochs,
        command=command(recipe),
        has_litert=run.folder.litert_path.is_file(),
        has_keras=run.folder.keras_path.is_file(),
    )
