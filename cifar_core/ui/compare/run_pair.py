"""Two runs on the same pictures: found, or refused in a sentence; never mixed silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cifar_core.errors import RunError
from cifar_core.evaluation.comparison import PairedDifference, mcnemar
from cifar_core.glossary import explain
from cifar_core.runs.conditions import caveat
from cifar_core.runs.reading import Run
from cifar_core.runs.results import Predictions, data_digest
from cifar_core.ui.kit.page import origin_line
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.session import keep_in_address


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
        with left:
            a = _choose("First", list(by_id), names, key="a")
        with right:
            b = _choose("Second", [run_id for run_id in by_id if run_id != a], names, key="b")
        first, second = by_id[a], by_id[b]
    a_answers, b_answers = common_answers(first, second)
    return Pair(first, second, a_answers, b_answers, names[first.id], names[second.id])


def settled(runs: Sequence[Run]) -> list[Run]:
    """Returns the runs that a verdict can be asked for: two as they are, of more the finished."""
    return list(runs) if len(runs) < 3 else [run for run in runs if results.final_answers(run)]


def _choose(label: str, ids: list[str], names: dict[str, str], *, key: str) -> str:
    """Draws the choice of one of two runs; the address keeps it."""
    noted = keep_in_address(key, {run_id: names[run_id] for run_id in ids}, ids[0])
    return st.selectbox(label, ids, format_func=names.__getitem__, key=key, on_change=noted)


def difference_of(pair: Pair) -> PairedDifference:
    """Returns whether the two truly differ."""
    guesses = pair.a.probabilities.argmax(axis=1), pair.b.probabilities.argmax(axis=1)
    return mcnemar(pair.a.labels, *guesses)


def verdict(pair: Pair) -> None:
    """Says in one sentence whether the two truly differ."""
    difference = difference_of(pair)
    with st.container(border=True, key="verdict", width=820):
        names = said(pair.run_a, pair.name_a), said(pair.run_b, pair.name_b)
        st.text(difference.sentence(*names), help=explain("McNemar's test"))
        unlike = caveat(pair.run_a, pair.run_b)
        if unlike:
            st.text(unlike)
        origin_line(
            f"{len(pair.a.labels):,} {pair.a.monitored} pictures; epochs {pair.a.epoch} and "
            f"{pair.b.epoch}; interval: {difference.interval.method}"
        )


def said(run: Run, name: str) -> str:
    """Returns a run's name for a sentence: what a person called it stands in quotation marks."""
    return f"“{name}”" if run.label.name and not run.is_shipped else name


def common_answers(first: Run, second: Run) -> tuple[Predictions, Predictions]:
    """Returns the answers of two runs for the same pictures.

    Both on the test pictures where both are finished, else both on the pictures they watched,
    after the last epoch of each.

    Raises:
        RunError: The runs saw other data, watched other pictures, or one has no predictions.
    """
    digests = data_digest(first), data_digest(second)
    if all(digests) and digests[0] != digests[1]:
        raise RunError(
            f"“{first.name}” and “{second.name}” were trained on different data "
            f"(digests {digests[0]} and {digests[1]}).",
            expected="Two runs on the same data: only then do their pictures mean the same.",
            remedy="Choose two runs with the same digest, or train one of them again.",
        )
    finals = [results.final_answers(run) for run in (first, second)]
    if finals[0] is not None and finals[1] is not None:
        return finals[0], finals[1]
    watched = [
        finals[place]
        if finals[place] is not None and run.recipe and run.recipe.monitored_split == "test"
        else results.epoch_answers(run)
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
