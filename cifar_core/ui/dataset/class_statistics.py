"""What the classes are like on the whole: counts per batch, mean pictures, pixel statistics."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.charts import bars
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset
from cifar_core.dataset.statistics import COUNT_ROWS, Statistics, class_counts
from cifar_core.evaluation.words import counted
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.downloads import chart_format, draw_chart
from cifar_core.ui.kit.images import gallery
from cifar_core.ui.kit.page import origin_line
from cifar_core.ui.kit.tables import csv_download
from cifar_core.ui.kit.theme import is_dark

PUBLISHED_MEAN = (0.4914, 0.4822, 0.4465)
PUBLISHED_DEVIATION = (0.2470, 0.2435, 0.2616)
"""Per channel, of x/255, over the 50,000 training pictures, as commonly printed."""


def count_sentence(counts: NDArray[np.int64]) -> str:
    """Says how uneven the training batches are.

    Args:
        counts: As :func:`cifar_core.dataset.statistics.class_counts` returns them.
    """
    batches = counts[: CIFAR10.train_batches]
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
    draw_chart(
        bars.batch_count_bars(counts[: CIFAR10.train_batches], dark=is_dark()),
        key="batch_counts",
        name="cifar10-training-batches",
        alt="Images of each class in each training batch; the table below holds the counts.",
    )
    with st.expander("The counts as a table"):
        table = pd.DataFrame(
            counts, index=pd.Index(COUNT_ROWS, name="part"), columns=CIFAR10.class_names
        )
        st.dataframe(table, height="content")
        csv_download(table.reset_index(), "cifar10-counts", key="csv_counts")


def statistics_section(dataset: Dataset) -> None:
    """Mean picture and spread of each class, and the statistics of the channels."""
    figures = caches.measure(dataset, dataset.train)
    st.header("The mean picture of each class", anchor=False)
    st.text(
        "What is left when all pictures of a class are laid over each other: ships and "
        "airplanes keep their blue, horses a hint of their shape. A network needs more."
    )
    gallery(figures.class_means, factor=3, columns=5, truths=CIFAR10.class_names)
    st.header("Where the pictures of a class differ", anchor=False)
    st.text(
        "Bright: here the pictures of the class differ most. Dark: here they agree more, as in "
        "the middle of frogs. Below each class how far its pixels stray from the mean picture."
    )
    gallery(
        spread_pictures(figures.class_spreads),
        [f"± {spread:.0f} of 255" for spread in figures.class_spreads.mean(axis=(1, 2))],
        factor=3,
        columns=5,
        truths=CIFAR10.class_names,
    )
    _channel_table(dataset, figures)


def spread_pictures(spreads: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Returns spreads (10, 32, 32) as grey pictures on one scale, the smallest black."""
    low, high = float(spreads.min()), float(spreads.max())
    grey = np.rint(255 * (spreads - low) / max(high - low, 1e-9)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=3)


def _channel_table(dataset: Dataset, figures: Statistics) -> None:
    """The mean and the deviation of each channel, beside the published ones for the full set."""
    import pandas as pd

    st.header("Pixel values", anchor=False)
    columns = {"mean": figures.mean, "deviation": figures.deviation}
    if not dataset.is_sample:
        columns |= {
            "mean, as published": np.array(PUBLISHED_MEAN),
            "deviation, as published": np.array(PUBLISHED_DEVIATION),
        }
    table = pd.DataFrame(columns, index=pd.Index(["red", "green", "blue"], name="channel"))
    st.dataframe(table.style.format("{:.4f}"), width="content")
    csv_download(table.reset_index(), "cifar10-pixels", key="csv_pixels")
    origin_line(
        f"Pixel values from 0 (dark) to 1 (light), over {figures.pictures:,} training "
        f"pictures; {dataset.source}"
    )
    chart_format()
