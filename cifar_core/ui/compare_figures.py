"""The figures of runs side by side, the tutorial's in columns of their own, and as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cifar_core import formats
from cifar_core.errors import RunError
from cifar_core.evaluation import published
from cifar_core.evaluation.comparison import (
    LEVELS,
    Spread,
    best_epoch,
    over_seeds,
    time_to_accuracy,
)
from cifar_core.evaluation.learning import epoch_time
from cifar_core.networks import NETWORKS
from cifar_core.runs.conditions import unlike_conditions
from cifar_core.runs.reading import Run
from cifar_core.runs.results import data_digest
from cifar_core.ui import compare_agreement, compare_pair, stored
from cifar_core.ui.run_words import (
    machine_words,
    network_title,
    recipe_title,
    time_words,
    waiting_seconds,
)

if TYPE_CHECKING:
    import pandas as pd


def figure_table(runs: Sequence[Run], names: dict[str, str]) -> pd.DataFrame:
    """Returns one row per figure, one column per run, and the tutorial's two columns."""
    import pandas as pd

    table = pd.DataFrame({"": _labels()})
    for run in runs:
        table[names[run.id]] = _run_column(run)
    for network in published.BEST_EPOCHS:
        known = published.published(network)
        first, last = known.best_epochs
        blank = [formats.UNKNOWN] * (4 + len(LEVELS))
        table[f"Tutorial {NETWORKS[network].title}"] = [
            NETWORKS[network].title, "As printed", known.accuracy.words(),
            formats.UNKNOWN, f"{first} to {last}", *blank,
            "test", formats.UNKNOWN, formats.UNKNOWN,
        ]  # fmt: skip
    return table


def _labels() -> list[str]:
    return [
        "Network",
        "Recipe",
        "Test accuracy, 95% interval",
        "Best watched accuracy",
        "Best epoch",
        "Time per epoch, median",
        "… middle half of the epochs",
        "Training in all",
        "Waited in line",
        *(f"Time to {level:.0%}" for level in LEVELS),
        "Pictures watched",
        "Device",
        "Data digest",
    ]


def _run_column(run: Run) -> list[str]:
    learnt = stored.learning(run)
    best = best_epoch(learnt.accuracy)
    answers = stored.final_answers(run)
    took = epoch_time(learnt.epoch_seconds)
    reached = time_to_accuracy(learnt.accuracy, learnt.seconds)
    return [
        NETWORKS[run.recipe.network].marked_title if run.recipe else formats.UNKNOWN,
        recipe_title(run.recipe),
        stored.shown_share(answers).words() if answers else "not measured yet",
        formats.percent(learnt.accuracy[best - 1]) if best else formats.UNKNOWN,
        f"{learnt.epochs[best - 1]} of {learnt.epochs[-1]}" if best else formats.UNKNOWN,
        formats.duration(took.median_seconds if took else None),
        f"{formats.duration(took.low_seconds)} to {formats.duration(took.high_seconds)}"
        if took
        else formats.UNKNOWN,
        formats.duration(learnt.seconds[-1] if len(learnt) else None),
        time_words(waiting_seconds(run)),
        *(formats.duration(level.seconds) if level.epoch else "not reached" for level in reached),
        watched_words(run),
        machine_words(run),
        data_digest(run) or formats.UNKNOWN,
    ]


def watched_words(run: Run) -> str:
    """Returns on which pictures a run is watched while it learns."""
    if run.recipe is None:
        return formats.UNKNOWN
    if run.recipe.monitored_split == "test":
        return "test"
    return f"{run.recipe.validation_pictures:,} validation"


def seed_groups(runs: Sequence[Run]) -> list[tuple[list[Run], Spread]]:
    """Returns runs that differ in nothing but their seed, with their test accuracy over seeds."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        if run.recipe is not None and stored.final_answers(run) is not None:
            recipe = run.recipe.to_json()
            recipe.pop("seed")
            groups.setdefault(f"{recipe} {data_digest(run)}", []).append(run)
    found = []
    for group in groups.values():
        answers = [stored.final_answers(run) for run in group]
        shares = [stored.shown_share(item).value for item in answers if item is not None]
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
    learnt = stored.learning(run)
    took = epoch_time(learnt.epoch_seconds)
    answers = stored.final_answers(run)
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
    share = stored.shown_share(answers)
    matrix = stored.matrix_of(answers).tolist()
    return {**dataclasses.asdict(share), "origin": answers.origin, "confusion_matrix": matrix}


def _pair_figures(first: Run, second: Run) -> dict[str, Any]:
    """Returns the test of two runs, or why they cannot be compared."""
    both = {"first": first.id, "second": second.id}
    try:
        a, b = compare_pair.common_answers(first, second)
    except RunError as error:
        return {**both, "refused": error.what}
    pair = compare_pair.Pair(first, second, a, b, first.id, second.id)
    groups = compare_agreement.agreement_of(pair)
    return {
        **both,
        "split": a.monitored,
        "epochs": [a.epoch, b.epoch],
        **dataclasses.asdict(compare_pair.difference_of(pair)),
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
