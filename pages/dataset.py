"""Dataset: what the pictures look like that the networks learn from."""

from __future__ import annotations

import streamlit as st

from cifar_core.dataset.arrays import Dataset
from cifar_core.errors import DataError
from cifar_core.ui.dataset.arrays_section import arrays_section
from cifar_core.ui.dataset.augmentation import augmentation_section
from cifar_core.ui.dataset.class_statistics import count_section, statistics_section
from cifar_core.ui.dataset.embedding_map import map_section
from cifar_core.ui.dataset.image_gallery import gallery_section
from cifar_core.ui.dataset.label_errors import doubts_section
from cifar_core.ui.dataset.near_duplicates import duplicates_section
from cifar_core.ui.dataset.tutorial_figure import figure_section
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.jobs.dataset_download import download_panel
from cifar_core.ui.kit.page import guard, origin_line, page_header, show_error
from cifar_core.ui.kit.session import keep_in_address


def pictures(dataset: Dataset) -> None:
    """The tutorial's figure and the gallery of all pictures."""
    st.header("One of each class, drawn at random", anchor=False)
    figure_section(dataset)
    st.header("All pictures", anchor=False)
    gallery_section(dataset)


def classes(dataset: Dataset) -> None:
    """Counts per batch, mean pictures and pixel statistics."""
    st.header("How many of each class", anchor=False)
    count_section()
    statistics_section(dataset)


PARTS = {
    "Pictures": pictures,
    "Classes": classes,
    "Arrays": arrays_section,
    "Augmentation": augmentation_section,
    "Map": lambda _: map_section(),
    "Near-duplicates": duplicates_section,
    "Doubtful labels": doubts_section,
}

page_header("Dataset", "What do the pictures look like that the networks learn from?")
with guard():
    try:
        dataset = caches.open_dataset()
    except DataError as error:
        show_error(error)
        download_panel()
        st.stop()
    if dataset.is_sample:
        st.text(
            f"You are looking at a sample: {len(dataset.train.labels):,} of the 50,000 training "
            f"pictures and {len(dataset.test.labels):,} of the 10,000 test pictures."
        )
    else:
        st.text(
            "CIFAR-10: 60,000 photographs of 32 × 32 pixels in ten classes, 50,000 to learn from "
            "and 10,000 that are kept aside for the test."
        )
    download_panel()
    part = st.segmented_control(
        "What to look at",
        list(PARTS),
        required=True,
        key="dataset_part",
        on_change=keep_in_address("dataset_part", PARTS.keys(), "Pictures", name="part"),
        label_visibility="collapsed",
    )
    with guard():
        PARTS[part or "Pictures"](dataset)

    origin_line(
        f"CIFAR-10 (Krizhevsky 2009); source: {dataset.source}; data digest {dataset.digest}. "
        "Labels and counts are those of all 60,000 pictures."
    )
