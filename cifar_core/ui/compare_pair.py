"""Two runs on the same pictures: found, or refused in a sentence; never mixed silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cifar_core.errors import RunError
from cifar_core.runs.manager import Run
from cifar_core.runs.results import Predictions
from cifar_core.ui import stored
from cifar_core.ui.run_picker import run_label


@dataclass(frozen=True)
class Pair:
    """The answers of two runs for the same pictures.

    Attributes:
        run_a: The first run.
        run_b: The second.
        a: Its answers.
        b: Likewise, about the same pictures in the same order.
        name_a: What the first is called in charts and sentences.
        name_b: The second.
    """

    run_a: Run
    run_b: Run
    a: Predictions
    b: Predictions
    name_a: str
    name_b: str


def choose_pair(runs: Sequence[Run], names: dict[str, str]) -> Pair:
    """Draws the choice of two runs where there are more, and returns their common answers.

    Raises:
        RunError: The two cannot be compared; says why.
    """
    first, second = runs[0], runs[1]
    if len(runs) > 2:
        by_id = {run.id: run for run in runs}
        left, right = st.columns(2)
        a = left.selectbox("First", list(by_id), format_func=lambda i: run_label(by_id[i]), key="a")
        others = [run_id for run_id in by_id if run_id != a]
        b = right.selectbox("Second", others, format_func=lambda i: run_label(by_id[i]), key="b")
        first, second = by_id[a], by_id[b or others[0]]
    a_answers, b_answers = common_answers(first, second)
    return Pair(first, second, a_answers, b_answers, names[first.id], names[second.id])


def common_answers(first: Run, second: Run) -> tuple[Predictions, Predictions]:
    """Returns the answers of two runs for the same pictures.

    Both on the test pictures where both are finished, else both on the pictures they watched,
    after the last epoch of each.

    Raises:
        RunError: The runs saw other data, watched other pictures, or one has no predictions.
    """
    digests = stored.data_digest(first), stored.data_digest(second)
    if all(digests) and digests[0] != digests[1]:
        raise RunError(
            f"“{first.name}” and “{second.name}” were trained on different data "
            f"(digests {digests[0]} and {digests[1]}).",
            expected="Two runs on the same data: only then do their pictures mean the same.",
            remedy="Choose two runs with the same digest, or train one of them again.",
        )
    finals = [stored.final_answers(run) for run in (first, second)]
    if finals[0] is not None and finals[1] is not None:
        return finals[0], finals[1]
    watched = [
        finals[place]
        if finals[place] is not None and run.recipe and run.recipe.monitored_split == "test"
        else stored.epoch_answers(run)
        for place, run in enumerate((first, second))
    ]
    a, b = watched
    assert a is not None
    assert b is not None
    if a.split != b.split or not np.array_equal(a.indices, b.indices):
        raise RunError(
            f"“{first.name}” has answered {len(a.labels):,} {a.monitored} pictures and "
            f"“{second.name}” {len(b.labels):,} {b.monitored} pictures: not the same ones.",
            expected="Two finished runs (both have answered the test pictures), or two that "
            "watch the same pictures.",
            remedy="Wait until both are finished, or choose another pair.",
        )
    return a, b
