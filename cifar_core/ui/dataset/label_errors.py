"""Labels that are probably wrong, and how little a list of them proves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import formats
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset
from cifar_core.glossary import explain
from cifar_core.services import DoubtfulLabels
from cifar_core.services.analysis import Unseen
from cifar_core.ui.dataset import analysis_results
from cifar_core.ui.kit.images import choose_page, gallery, picture_address, to_first_page
from cifar_core.ui.kit.page import empty_state, origin_line
from cifar_core.ui.kit.tables import csv_download

PAGE_PICTURES = 48
ALL = "all"
PARTS: Mapping[str, Unseen] = {"test": "test", "held-out training": "validation"}


def doubts_section(dataset: Dataset) -> None:
    """The pictures whose label is doubtful, the most doubtful first."""
    with st.container(horizontal=True):
        part = st.segmented_control(
            "Pictures", list(PARTS), default="test", required=True, key="doubt_part",
            bind="query-params", on_change=to_first_page, args=("doubt_page",),
            help="Only pictures that the networks did not learn from can be judged: the test "
            "split, and the training pictures that were held out. For the other training "
            "pictures there are no such answers.",
        )  # fmt: skip
        name = st.selectbox(
            "Label", [ALL, *CIFAR10.class_names], key="doubt_class", bind="query-params", width=180,
            on_change=to_first_page, args=("doubt_page",),
        )  # fmt: skip
    doubts = analysis_results.doubtful(PARTS[part or "test"])
    st.text(summary(doubts), help=explain("label error"))
    chosen = np.arange(len(doubts.indices))
    if name not in (ALL, None):
        chosen = chosen[doubts.given[chosen] == CIFAR10.class_names.index(name)]
    rows = analysis_results.rows_of(dataset, doubts.split, doubts.indices[chosen])
    here = chosen[rows >= 0]
    if len(here) < len(chosen):
        st.text(
            f"This machine has only the sample: {len(here):,} of these {len(chosen):,} pictures "
            "are in it. The full dataset shows them all."
        )
    if len(here):
        _page(dataset, doubts, here)
    else:
        empty_state("No picture fits these choices.", "Choose another class.")
    _table(doubts, chosen)
    with st.expander("How they were found"):
        st.text(METHOD)
    origin_line(doubts.origin)


METHOD = (
    "Confident learning (Northcutt, Jiang, Chuang 2021): a class counts as predicted when its "
    "probability reaches what pictures of that class are given on average. A label is doubtful "
    "when another class counts as predicted more strongly. The probabilities are calibrated and "
    "averaged over networks that never learned from these pictures. The order: the label's "
    "probability less that of the best other class, the lowest first."
)


def summary(doubts: DoubtfulLabels) -> str:
    """Says how many labels are doubtful and what to make of that."""
    count = len(doubts.indices)
    published = (
        " Of the test labels about 0.5% are wrong, found by better networks and checked by people "
        "(labelerrors.com)."
        if doubts.split == "test"
        else ""
    )
    return (
        f"{count:,} of {doubts.pictures:,} pictures ({formats.percent(count / doubts.pictures)}) "
        "look like another class than their label says. That is where to look, not a verdict: "
        f"most of these labels are right and the networks are mistaken.{published}"
    )


def _page(dataset: Dataset, doubts: DoubtfulLabels, here: NDArray[np.int64]) -> None:
    page = choose_page(
        len(here), PAGE_PICTURES, key="doubt_page", in_address=True,
        words="Pictures {}, the most doubtful first: below each its label, then what the "
        "networks see.",
    )  # fmt: skip
    shown = here[page]
    rows = analysis_results.rows_of(dataset, doubts.split, doubts.indices[shown])
    pixels, _, _, indices = analysis_results.pictures_at(dataset, rows)
    gallery(
        pixels,
        [
            f"perhaps {CIFAR10.class_names[seen]}\n{doubts.split} {index}"
            for seen, index in zip(doubts.suggested[shown], indices, strict=True)
        ],
        truths=[CIFAR10.class_names[label] for label in doubts.given[shown]],
        links=[picture_address(doubts.split, int(index)) for index in indices],
    )


def _table(doubts: DoubtfulLabels, chosen: NDArray[np.int64]) -> None:
    import pandas as pd

    with st.expander("These labels as a table"):
        table = pd.DataFrame(
            {
                "split": doubts.split,
                "index": doubts.indices[chosen],
                "label": [CIFAR10.class_names[label] for label in doubts.given[chosen]],
                "networks see": [CIFAR10.class_names[label] for label in doubts.suggested[chosen]],
                "margin": doubts.margins[chosen].round(4),
            }
        )
        st.dataframe(table, hide_index=True, height=320)
        csv_download(table, "cifar10-doubtful-labels", key="csv_doubts")
