"""The parts of the Dataset page: the tutorial's figure, the gallery, counts and statistics."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.charts import bars
from cifar_core.charts.theme import config
from cifar_core.dataset import BATCH_PICTURES, CLASS_NAMES, TRAIN_BATCHES
from cifar_core.dataset.arrays import COUNT_ROWS, Dataset, Split, class_counts
from cifar_core.evaluation.words import counted
from cifar_core.ui import cached
from cifar_core.ui.page import origin_line
from cifar_core.ui.pictures import gallery
from cifar_core.ui.tables import csv_download
from cifar_core.ui.theme import is_dark

PAGE_PICTURES = 48
HIGHEST_SEED = 999_999
ALL = "all"

PUBLISHED_MEAN = (0.4914, 0.4822, 0.4465)
PUBLISHED_DEVIATION = (0.2470, 0.2435, 0.2616)
"""Per channel, of x/255, over the 50,000 training pictures, as commonly printed."""


def draw_figure(split: Split, seed: int) -> NDArray[np.int64]:
    """Draws one random picture per class, as the tutorial's first figure does.

    Args:
        split: Where to draw from; every class occurs in it.
        seed: The same seed draws the same pictures.

    Returns:
        (10,) int64: positions in the split's arrays, in the order of the classes.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    return np.array(
        [generator.choice(np.flatnonzero(split.labels == label)) for label in range(10)]
    )


def choose_pictures(split: Split, *, label: int | None, batch: int | None) -> NDArray[np.int64]:
    """Returns the positions of the pictures of a class and a training batch, ascending int64.

    Args:
        split: Where to look.
        label: The class, or None for all.
        batch: 1 to 5, or None for all; counted by the official index.
    """
    fits = np.ones(len(split.labels), dtype=bool)
    if label is not None:
        fits &= split.labels == label
    if batch is not None:
        fits &= split.indices // BATCH_PICTURES == batch - 1
    return np.flatnonzero(fits)


def captions(split: Split, places: NDArray[np.int64]) -> list[str]:
    """Returns each picture's official index and, in the train split, its batch."""
    indices = [int(index) for index in split.indices[places]]
    if split.name == "test":
        return [str(index) for index in indices]
    return [f"{index}, batch {index // BATCH_PICTURES + 1}" for index in indices]


def figure_section(dataset: Dataset) -> None:
    """The tutorial's figure: one random training picture per class, drawn again on demand."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    seed = row.number_input(
        "Draw",
        min_value=0,
        max_value=HIGHEST_SEED,
        key="seed",
        bind="query-params",
        width=150,
        help="Each number draws its own ten pictures, and the same ones every time.",
    )
    row.button(
        "Draw again",
        icon=":material/casino:",
        type="primary",
        on_click=lambda: st.session_state.update(seed=(seed + 1) % (HIGHEST_SEED + 1)),
    )
    places = draw_figure(dataset.train, seed)
    gallery(
        dataset.train.images[places],
        captions(dataset.train, places),
        factor=4,
        columns=5,
        truths=CLASS_NAMES,
    )


@st.fragment
def gallery_section(dataset: Dataset) -> None:
    """All pictures by split, class and training batch, page by page."""
    with st.container(horizontal=True):
        name = st.segmented_control(
            "Split",
            ["train", "test"],
            default="train",
            required=True,
            key="split",
            bind="query-params",
            on_change=_to_first_page,
        )
        label = st.selectbox(
            "Class",
            [ALL, *CLASS_NAMES],
            key="class",
            bind="query-params",
            width=180,
            on_change=_to_first_page,
        )
        batch = ALL
        if name == "train":
            batch = st.selectbox(
                "Training batch",
                [ALL, *map(str, range(1, TRAIN_BATCHES + 1))],
                key="batch",
                bind="query-params",
                width=150,
                on_change=_to_first_page,
                help="The training pictures come in five files of 10,000.",
            )
    split = dataset.train if name == "train" else dataset.test
    found = choose_pictures(
        split,
        label=None if label == ALL else CLASS_NAMES.index(label),
        batch=None if batch == ALL else int(batch),
    )
    pages = max(1, -(-len(found) // PAGE_PICTURES))
    page = st.pagination(pages, key="page", bind="query-params")
    first = (page - 1) * PAGE_PICTURES
    places = found[first : first + PAGE_PICTURES]
    st.text(
        f"{name.capitalize()} pictures {first + 1:,} to {first + len(places):,} of {len(found):,}, "
        "each with its class and its number"
    )
    gallery(
        split.images[places],
        captions(split, places),
        truths=[CLASS_NAMES[label] for label in split.labels[places]],
    )


def _to_first_page() -> None:
    """Another choice of pictures is read from its beginning."""
    st.session_state["page"] = 1


def count_sentence(counts: NDArray[np.int64]) -> str:
    """Says how uneven the training batches are.

    Args:
        counts: As :func:`cifar_core.dataset.arrays.class_counts` returns them.
    """
    batches = counts[:TRAIN_BATCHES]
    low, few = np.unravel_index(int(batches.argmin()), batches.shape)
    high, most = np.unravel_index(int(batches.argmax()), batches.shape)
    return (
        f"The batches differ: the smallest class in one is {counted(int(batches.min()), int(few))} "
        f"in batch {low + 1}, the largest {counted(int(batches.max()), int(most))} in batch "
        f"{high + 1}. All five together hold {_each(counts[-2])} pictures of each class, the test "
        f"split {_each(counts[-1])}."
    )


def _each(row: NDArray[np.int64]) -> str:
    low, high = int(row.min()), int(row.max())
    return f"exactly {low:,}" if low == high else f"{low:,} to {high:,}"


def count_section() -> None:
    """Pictures per class, training batch and split: chart and table."""
    import pandas as pd

    counts = class_counts()
    st.text(count_sentence(counts))
    st.plotly_chart(
        bars.batch_count_bars(counts[:TRAIN_BATCHES], dark=is_dark()),
        theme=None,
        config=config("cifar10-training-batches"),
        key="batch_counts",
    )
    with st.expander("The counts as a table"):
        table = pd.DataFrame(counts, index=pd.Index(COUNT_ROWS, name="part"), columns=CLASS_NAMES)
        st.dataframe(table, height="content")
        csv_download(table.reset_index(), "cifar10-counts", key="csv_counts")


def statistics_section(dataset: Dataset) -> None:
    """Mean and deviation per channel and the mean picture of each class; measured when opened."""
    import pandas as pd

    part = st.expander(
        "Mean picture of each class, and pixel statistics", key="statistics", on_change="rerun"
    )
    if not part.open:
        return
    with part:
        figures = cached.measure(dataset, dataset.train)
        st.text(
            "What is left when all pictures of a class are laid over each other: ships and "
            "airplanes keep their blue, horses a hint of their shape. A network needs more."
        )
        gallery(figures.class_means, factor=3, columns=5, truths=CLASS_NAMES)
        columns = {"mean": figures.mean, "deviation": figures.deviation}
        if not dataset.is_sample:
            columns |= {
                "mean, as published": np.array(PUBLISHED_MEAN),
                "deviation, as published": np.array(PUBLISHED_DEVIATION),
            }
        table = pd.DataFrame(columns, index=pd.Index(["red", "green", "blue"], name="channel"))
        st.dataframe(table.style.format("{:.4f}"), width="content")
        origin_line(
            f"Pixel values from 0 (dark) to 1 (light), over {figures.pictures:,} training "
            f"pictures; {dataset.source}"
        )
