"""The figures of runs and pairs of runs as plain values, and their means over seeds."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from cifar_core.errors import RunError
from cifar_core.evaluation import published
from cifar_core.evaluation.comparison import (
    Spread,
    best_epoch,
    over_seeds,
    time_to_accuracy,
)
from cifar_core.evaluation.learning import epoch_time
from cifar_core.runs.conditions import unlike_conditions
from cifar_core.runs.reading import Run
from cifar_core.runs.results import data_digest
from cifar_core.ui.compare import agreement, run_pair
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.runs.labels import (
    network_title,
    recipe_title,
    waiting_seconds,
)


def seed_groups(runs: Sequence[Run]) -> list[tuple[list[Run], Spread]]:
    """Returns runs that differ in nothing but their seed, with their test accuracy over seeds."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        if run.recipe is not None and results.final_answers(run) is not None:
            recipe = run.recipe.to_json()
            recipe.pop("seed")
            groups.setdefault(f"{recipe} {data_digest(run)}", []).append(run)
    found = []
    for group in groups.values():
        answers = [results.final_answers(run) for run in group]
        shares = [results.shown_share(item).value for item in answers if item is not None]
        seeds = {run.recipe.seed for run in group if run.recipe}
        if len(shares) > 1 and len(seeds) == len(group):
            found.append((group, over_seeds(shares)))
    return found


def seed_sentences(runs: Sequence[Run]) -> list[str]:
    """Returns mean and deviation for runs that differ in nothing but their seed."""
    return [
        f"{network_title(group[0].recipe)}, {recipe_title(group[0].recipe)}, over seeds: "
        f"{spread.words()} (test pictures, mean ± standard deviation)."
        for group, spread in seed_groups(runs)
    ]


def comparison_figures(runs: Sequence[Run], names: dict[str, str]) -> dict[str, Any]:
    """Returns what Compare shows of these runs, ready for JSON."""
    return {
        "runs": [_run_figures(run, names[run.id]) for run in runs],
        "seeds": [
            {"runs": [run.id for run in group], **dataclasses.asdict(spread)}
            for group, spread in seed_groups(runs)
        ],
        "pairs": [
            _pair_figures(first, second)
            for place, first in enumerate(runs)
            for second in runs[place + 1 :]
        ],
        "tutorial": [_published(network) for network in published.BEST_EPOCHS],
    }


def _run_figures(run: Run, name: str) -> dict[str, Any]:
    learnt = results.learning(run)
    took = epoch_time(learnt.epoch_seconds)
    answers = results.final_answers(run)
    reached = time_to_accuracy(learnt.accuracy, learnt.seconds)
    return {
        "run": run.id,
        "name": name,
        "recipe": run.recipe.to_json() if run.recipe else None,
        "device": run.status.device_name or run.status.device,
        "data_digest": data_digest(run) or None,
        "test": _share(answers) if answers else None,
        "best_epoch": best_epoch(learnt.accuracy),
        "epoch_time": dataclasses.asdict(took) if took else None,
        "training_seconds": learnt.seconds[-1] if len(learnt) else None,
        "waiting_seconds": waiting_seconds(run),
        "time_to_accuracy": [dataclasses.asdict(level) for level in reached],
        "learning": dataclasses.asdict(learnt),
    }


def _share(answers: Any) -> dict[str, Any]:
    share = results.shown_share(answers)
    matrix = results.matrix_of(answers).tolist()
    return {**dataclasses.asdict(share), "origin": answers.origin, "confusion_matrix": matrix}


def _pair_figures(first: Run, second: Run) -> dict[str, Any]:
    """Returns the test of two runs, or why they cannot be compared."""
    both = {"first": first.id, "second": second.id}
    try:
        a, b = run_pair.common_answers(first, second)
    except RunError as error:
        return {**both, "refused": error.what}
    pair = run_pair.Pair(first, second, a, b, first.id, second.id)
    groups = agreement.agreement_of(pair)
    return {
        **both,
        "split": a.monitored,
        "epochs": [a.epoch, b.epoch],
        **dataclasses.asdict(run_pair.difference_of(pair)),
        "trained_differently": unlike_conditions(pair.run_a, pair.run_b),
        "agreement": {group: len(places) for group, places in groups.items()},
    }


def _published(network: str) -> dict[str, Any]:
    known = published.published(network)
    return {
        "network": network,
        **dataclasses.asdict(known.accuracy),
        "best_epochs": list(known.best_epochs),
        "confusion_matrix": known.matrix.tolist(),
        "confusion_matrix_as_printed": published.published_matrix(
            network, corrected=False
        ).tolist(),
    }
