"""Which image of the dataset the Picture page shows, and which come before and after it."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.ui.dataset.image_filter import find_images, read_filter
from cifar_core.ui.kit.session import set_address


def choose_picture(dataset: Dataset) -> tuple[Split, int]:
    """Draws the choice of split and number, kept in the address, and returns it."""
    asked = st.query_params.get("index", "")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            "Split", ["train", "test"], default="train", required=True, key="split",
            bind="query-params", on_change=_leave_choices,
        )  # fmt: skip
        split = dataset.train if name == "train" else dataset.test
        last = (CIFAR10.train_images if name == "train" else CIFAR10.test_images) - 1
        index = st.number_input(
            "Number", min_value=0, max_value=last, value=None, key="index", bind="query-params",
            placeholder=f"{int(split.indices[0])}", width=150,
            help="The picture's official place in its split, counted from 0.",
        )  # fmt: skip
        shown = int(split.indices[0]) if index is None else index
        wanted = read_filter(split.name, st.query_params.to_dict())
        chosen = find_images(dataset, wanted).places if wanted.query() else None
        indices = split.indices if chosen is None else split.indices[chosen]
        before, after = beside(indices, shown)
        st.button(
            "Previous", icon=":material/chevron_left:", disabled=before is None,
            on_click=lambda: st.session_state.update(index=before),
        )  # fmt: skip
        st.button(
            "Next", icon=":material/chevron_right:", icon_position="right",
            disabled=after is None, on_click=lambda: st.session_state.update(index=after),
        )  # fmt: skip
        if chosen is not None:
            st.button(
                "All images", on_click=_leave_choices, kwargs={"keep": shown}, type="tertiary"
            )
    if asked and index is None:
        st.text(
            f"There is no {split.name} image “{asked[:20]}”: they are numbered from 0 to {last:,}. "
            f"This is number {shown:,}."
        )
    if chosen is not None:
        st.text(_choice_words(indices, shown, list(wanted.query().values())))
    return split, shown


def beside(indices: NDArray[np.int64], index: int) -> tuple[int | None, int | None]:
    """Returns the official indices before and after one, in the order of a list of them.

    One that is not in the list lies between those of the next smaller and larger number.
    """
    place = np.flatnonzero(indices == index)
    if not len(place):
        smaller, larger = indices[indices < index], indices[indices > index]
        return (
            int(smaller.max()) if len(smaller) else None,
            int(larger.min()) if len(larger) else None,
        )
    here = int(place[0])
    return (
        int(indices[here - 1]) if here > 0 else None,
        int(indices[here + 1]) if here + 1 < len(indices) else None,
    )


def _choice_words(indices: NDArray[np.int64], shown: int, choices: list[str]) -> str:
    named = ", ".join(choices)
    place = np.flatnonzero(indices == shown)
    if not len(place):
        return f"This image is none of the {len(indices):,} of your choice: {named}."
    return f"Image {int(place[0]) + 1:,} of the {len(indices):,} of your choice: {named}."


def _leave_choices(keep: int | None = None) -> None:
    for name in ("class", "batch", "label", "answered", "by"):
        set_address(name, None)
    st.session_state["index"] = keep
