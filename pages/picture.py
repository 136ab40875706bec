"""Picture: everything the lab knows of one picture of the dataset."""

from __future__ import annotations

import streamlit as st

from cifar_core.ui.dataset.image_choice import choose_picture
from cifar_core.ui.dataset.image_sections import (
    answers_section,
    known_section,
    neighbours_section,
    pixels_section,
)
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.page import guard, origin_line, page_header

page_header("Picture", "What is known of this one picture?")
with guard():
    dataset = caches.open_dataset()
    split, index = choose_picture(dataset)
    pixels_section(split, index)

    st.header("What the networks say", anchor=False)
    answers_section(split, index)

    st.header("Twins and doubts", anchor=False)
    with guard():
        known_section(dataset, split, index)

    st.header("What looks alike to a network", anchor=False)
    with guard():
        neighbours_section(split, index)

    origin_line(
        f"CIFAR-10 (Krizhevsky 2009), {split.name} picture {index}; source: {dataset.source}; "
        f"data digest {dataset.digest}"
    )
