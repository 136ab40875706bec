"""Near-duplicates: test pictures that the training pictures hold nearly the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cifar_core import formats
from cifar_core.analysis import duplicates
from cifar_core.analysis.duplicates import Pair
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.glossary import explain
from cifar_core.ui.dataset import analysis_results
from cifar_core.ui.dataset.analysis_panel import analysis_panel
from cifar_core.ui.dataset.image_pairs import Side, pair_gallery
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.images import choose_page, to_first_page
from cifar_core.ui.kit.page import empty_state, origin_line
from cifar_core.ui.kit.tables import csv_download

PAGE_PAIRS = 24
ALL = "all"
OTHER_LABEL = "two labels"
MIRRORED = "mirrored"

PUBLISHED = 0.0325
"""Share of the test split with a duplicate in the training or the test split itself, by ciFAIR:
B. Barz, J. Denzler, "Do We Train on Test Data?", Journal of Imaging 6 (6), 2020."""


def duplicates_section(dataset: Dataset) -> None:
    """How many there are, what that means, and the pairs side by side."""
    found = analysis_results.pairs()
    st.text(summary(found.pairs), help=explain("near-duplicate"))
    st.text(
        "Whoever learns such a training picture by heart knows the test picture too: a small "
        "part of every accuracy on CIFAR-10 is memory."
    )
    with st.container(horizontal=True):
        name = st.selectbox(
            "Class", [ALL, *CIFAR10.class_names], key="pair_class", bind="query-params", width=180,
            on_change=to_first_page, args=("pair_page",),
        )  # fmt: skip
        kind = st.selectbox(
            "Kind", [ALL, OTHER_LABEL, MIRRORED], key="pair_kind", bind="query-params", width=180,
            on_change=to_first_page, args=("pair_page",),
            help="Two labels: the same picture, and the dataset names it differently in the two "
            "splits. Mirrored: one is the mirror image of the other.",
        )  # fmt: skip
    chosen = choose_pairs(found.pairs, class_name=name or ALL, kind=kind or ALL)
    here = [pair for pair in chosen if _is_here(dataset, pair)]
    if len(here) < len(chosen):
        st.text(
            f"This machine has only the sample and the closest pairs: {len(here):,} of these "
            f"{len(chosen):,} can be shown. The full dataset shows them all."
        )
    if here:
        _page(dataset, here)
    elif not chosen:
        empty_state("No pair fits these choices.", "Choose fewer of them, or another class.")
    _table(chosen)
    with st.expander("How they were found"):
        st.text(METHOD)
    origin_line(f"Pairs found by {found.origin.words()}")
    analysis_panel()


METHOD = (
    "For every test picture and its mirror image, the training pictures with the most similar "
    "thumbnail (16 × 16 pixels) and with the most similar features of a network are looked up "
    "among all 50,000. Then the fine detail of both pictures is compared, moved by up to three "
    "pixels where that fits better. A pair counts when the detail agrees by at least "
    f"{duplicates.LEAST_DETAIL:g} and the features by at least {duplicates.LEAST_COSINE:g}, both "
    "at most 1. docs/dataset.md says how many of them are truly the same picture."
)


def summary(pairs: Sequence[Pair]) -> str:
    """Says how many test pictures have a near-duplicate, beside the published figure."""
    tests = {pair.test for pair in pairs}
    train_labels, test_labels = caches.all_labels()
    other = {pair.test for pair in pairs if train_labels[pair.train] != test_labels[pair.test]}
    return (
        f"{len(tests):,} of the {CIFAR10.test_images:,} test pictures "
        f"({formats.percent(len(tests) / CIFAR10.test_images)}) are found in the training split "
        f"nearly the same, {len(other):,} of them with another label there. ciFAIR, where people "
        f"looked at the pairs, counts {PUBLISHED:.2%}, doubles within the test split included. "
        "Here a program decided: in a sample, about nine in ten were truly the same photograph."
    )


def choose_pairs(pairs: Sequence[Pair], *, class_name: str, kind: str) -> list[Pair]:
    """Returns the pairs of a class (of the test picture) and a kind, in their order."""
    train_labels, test_labels = caches.all_labels()
    kept = []
    for pair in pairs:
        if class_name != ALL and CIFAR10.class_names[test_labels[pair.test]] != class_name:
            continue
        if kind == MIRRORED and not pair.is_mirrored:
            continue
        if kind == OTHER_LABEL and train_labels[pair.train] == test_labels[pair.test]:
            continue
        kept.append(pair)
    return kept


def side_of(split: Split, index: int) -> Side:
    """Returns one picture of a pair."""
    position = split.position(index)
    label = CIFAR10.class_names[int(split.labels[position])]
    return Side(np.asarray(split.images[position]), split.name, index, label)


def note_of(pair: Pair) -> str:
    """Says how far the two agree."""
    mirrored = ", mirrored" if pair.is_mirrored else ""
    return f"detail {pair.detail:.2f}, features {pair.cosine:.2f}{mirrored}"


def _is_here(dataset: Dataset, pair: Pair) -> bool:
    if not dataset.is_sample or pair in analysis_results.exhibits():
        return True
    return _in_sample(dataset, pair)


def _sides(dataset: Dataset, pair: Pair) -> tuple[Side, Side]:
    """Returns both pictures: of the dataset that is here, else as they came with the lab."""
    if not dataset.is_sample or _in_sample(dataset, pair):
        return side_of(dataset.test, pair.test), side_of(dataset.train, pair.train)
    exhibit = analysis_results.exhibits()[pair]
    train, test = caches.all_labels()
    return (
        Side(exhibit.test, "test", pair.test, CIFAR10.class_names[test[pair.test]], has_page=False),
        Side(
            exhibit.train,
            "train",
            pair.train,
            CIFAR10.class_names[train[pair.train]],
            has_page=False,
        ),
    )


def _in_sample(dataset: Dataset, pair: Pair) -> bool:
    test = analysis_results.rows_of(dataset, "test", np.array([pair.test]))
    train = analysis_results.rows_of(dataset, "train", np.array([pair.train]))
    return bool(test[0] >= 0 and train[0] >= 0)


def _page(dataset: Dataset, pairs: Sequence[Pair]) -> None:
    page = choose_page(
        len(pairs), PAGE_PAIRS, key="pair_page", in_address=True,
        words="Pairs {}, the closest first.",
    )  # fmt: skip
    shown = pairs[page]
    pair_gallery(
        [_sides(dataset, pair) for pair in shown],
        [note_of(pair) for pair in shown],
    )


def _table(pairs: Sequence[Pair]) -> None:
    import pandas as pd

    if not pairs:
        return
    train_labels, test_labels = caches.all_labels()
    with st.expander("These pairs as a table"):
        table = pd.DataFrame(
            {
                "test": [pair.test for pair in pairs],
                "test class": [CIFAR10.class_names[test_labels[pair.test]] for pair in pairs],
                "train": [pair.train for pair in pairs],
                "train class": [CIFAR10.class_names[train_labels[pair.train]] for pair in pairs],
                "detail": [pair.detail for pair in pairs],
                "features": [pair.cosine for pair in pairs],
                "mirrored": [pair.is_mirrored for pair in pairs],
            }
        )
        st.dataframe(table, hide_index=True, height=320)
        csv_download(table, "cifar10-near-duplicates", key="csv_pairs")
