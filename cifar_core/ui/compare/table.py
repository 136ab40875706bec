"""The table of Compare: a row for each run and for each of the tutorial's networks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cifar_core import formats
from cifar_core.evaluation import published
from cifar_core.evaluation.comparison import LEVELS, best_epoch, time_to_accuracy
from cifar_core.evaluation.learning import epoch_time
from cifar_core.evaluation.metrics import Share
from cifar_core.networks import NETWORKS
from cifar_core.runs.reading import Run
from cifar_core.runs.results import data_digest
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.runs.labels import (
    machine_words,
    recipe_title,
    time_words,
    waiting_seconds,
)
from cifar_core.ui.kit.tables import csv_download, worded

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]

TEXTS: Final = {
    "run": "Run",
    "network": "Network",
    "recipe": "Recipe",
    "monitored on": "Pictures watched",
    "device": "Device",
    "data digest": "Data digest",
}
NUMBERS: Final = {
    "test accuracy": "Test accuracy, 95% interval",
    "best monitored accuracy": "Best watched accuracy",
    "best epoch": "Best epoch",
    "seconds per epoch": "Time per epoch, median (middle half)",
    "training seconds": "Training in all",
    "waiting seconds": "Waited in line",
    **{f"seconds to {level:.0%}": f"Time to {level:.0%}" for level in LEVELS},
}
"""What the page shows, by the columns of the CSV; that has the ends of the intervals besides."""


def figure_section(runs: Sequence[Run], names: Mapping[str, str]) -> None:
    """Draws the figures of the runs with their CSV; each column sorts by its values."""
    table, words = figure_table(runs, names)
    columns: dict[str, ColumnConfig | str | None] = {
        name: st.column_config.TextColumn(label, pinned=name == "run")
        for name, label in TEXTS.items()
    }
    columns |= {name: st.column_config.NumberColumn(label) for name, label in NUMBERS.items()}
    st.dataframe(
        worded(table, words),
        hide_index=True,
        height="content",
        column_config=columns,
        column_order=[*list(TEXTS)[:3], *NUMBERS, *list(TEXTS)[3:]],
        placeholder=formats.UNKNOWN,  # what is missing has no words of its own
    )
    csv_download(table, "comparison", key="comparison_csv")


def figure_table(
    runs: Sequence[Run], names: Mapping[str, str]
) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Returns the values, a row for each run and the tutorial's two, and the words for them.

    Shares are from 0 to 1 and times in seconds; what was not measured is missing.
    """
    import pandas as pd

    rows = [_run_row(run, names[run.id]) for run in runs]
    rows += [_published_row(network) for network in published.BEST_EPOCHS]
    table = pd.DataFrame([values for values, _ in rows])
    kinds = {str(name): "float64" for name in table if name not in TEXTS}
    table = table.astype(kinds | {"best epoch": "Int64"})
    return table, {name: [words[name] for _, words in rows] for name in NUMBERS}


def _share(accuracy: Share | None) -> Row:
    return {
        "test accuracy": accuracy.value if accuracy else None,
        "test accuracy low": accuracy.interval.low if accuracy else None,
        "test accuracy high": accuracy.interval.high if accuracy else None,
    }


def _run_row(run: Run, name: str) -> tuple[Row, dict[str, str]]:
    learnt = results.learning(run)
    best = best_epoch(learnt.accuracy)
    answers = results.final_answers(run)
    accuracy = results.shown_share(answers) if answers else None
    took = epoch_time(learnt.epoch_seconds)
    best_accuracy = learnt.accuracy[best - 1] if best else None
    training = learnt.seconds[-1] if len(learnt) else None
    values: Row = {
        "run": name,
        "network": NETWORKS[run.recipe.network].marked_title if run.recipe else formats.UNKNOWN,
        "recipe": recipe_title(run.recipe),
        **_share(accuracy),
        "best monitored accuracy": best_accuracy,
        "best epoch": learnt.epochs[best - 1] if best else None,
        "seconds per epoch": took.median_seconds if took else None,
        "seconds per epoch low": took.low_seconds if took else None,
        "seconds per epoch high": took.high_seconds if took else None,
        "training seconds": training,
        "waiting seconds": waiting_seconds(run),
    }
    words = {
        "test accuracy": accuracy.words() if accuracy else formats.UNKNOWN,
        "best monitored accuracy": formats.percent(best_accuracy),
        "best epoch": f"{values['best epoch']} of {learnt.epochs[-1]}" if best else formats.UNKNOWN,
        "seconds per epoch": formats.duration(took.median_seconds if took else None),
        "training seconds": formats.duration(training),
        "waiting seconds": time_words(waiting_seconds(run)),
    }
    if took:
        low, high = formats.duration(took.low_seconds), formats.duration(took.high_seconds)
        words["seconds per epoch"] += f" ({low} to {high})"
    for reached in time_to_accuracy(learnt.accuracy, learnt.seconds):
        level = f"seconds to {reached.level:.0%}"
        values[level] = reached.seconds if reached.epoch else None
        words[level] = formats.duration(values[level])
    values |= {
        "monitored on": watched_words(run),
        "device": machine_words(run),
        "data digest": data_digest(run) or formats.UNKNOWN,
    }
    return values, words


def _published_row(network: str) -> tuple[Row, dict[str, str]]:
    """Returns what the tutorial printed of a network; it published no times."""
    known = published.published(network)
    first, last = known.best_epochs
    texts = {
        "run": f"Tutorial {NETWORKS[network].title}",
        "network": NETWORKS[network].title,
        "recipe": f"As printed, best at epoch {first} to {last}",
        "monitored on": "test",
        "device": formats.UNKNOWN,
        "data digest": formats.UNKNOWN,
    }
    values = dict.fromkeys(NUMBERS, math.nan) | texts | _share(known.accuracy)
    words = dict.fromkeys(NUMBERS, formats.UNKNOWN)
    words["test accuracy"] = known.accuracy.words()
    return values, words


def watched_words(run: Run) -> str:
    """Returns on which pictures a run is watched while it learns."""
    if run.recipe is None:
        return formats.UNKNOWN
    if run.recipe.monitored_split == "test":
        return "test"
    return f"{run.recipe.validation_pictures:,} validation"
