"""The choice of a test image by its number."""

from __future__ import annotations

import random

import streamlit as st

from cifar_core.dataset.arrays import Dataset


def choose_test_image(dataset: Dataset) -> int:
    """Draws the choice of a test picture and returns its number; the address keeps it."""
    indices = dataset.test.indices
    row = st.container(horizontal=True, vertical_alignment="bottom")
    index = row.number_input(
        "Number of the test picture",
        min_value=0,
        max_value=9_999,
        value=int(indices[0]),
        key="picture",
        bind="query-params",
        width=220,
    )
    row.button(
        "Another one",
        icon=":material/casino:",
        on_click=lambda: st.session_state.update(picture=int(random.choice(indices))),  # noqa: S311
    )
    if dataset.is_sample:
        st.caption(f"From the shipped sample: {len(indices):,} of the 10,000 test pictures.")
    return int(index)
