"""The dataset as arrays: shapes, types and ranges, and one image on its way into a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import streamlit as st

from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset
from cifar_core.dataset.encoding import ArrayFacts, as_prepared, one_hot, scaled
from cifar_core.glossary import explain
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.images import gallery, picture_address
from cifar_core.ui.kit.page import origin_line
from cifar_core.ui.kit.tables import csv_download

if TYPE_CHECKING:
    import pandas as pd

LOAD_CODE: Final = """\
(x_train, y_train), (x_test, y_test) = (
    cifar10.load_data()
)"""
PREPARE_CODE: Final = """\
x_train = x_train.astype("float32") / 255
x_test = x_test.astype("float32") / 255
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)"""

FIRST_IMAGE: Final = 11
PIXELS_SHOWN: Final = 3


def arrays_section(dataset: Dataset) -> None:
    """The four arrays as loaded and as prepared, and a worked example."""
    loaded = caches.array_facts(dataset)
    prepared = as_prepared(loaded, CIFAR10.classes)
    left, right = st.columns(2, gap="large")
    with left:
        st.header("As loaded", anchor=False)
        st.code(LOAD_CODE, language="python")
        st.dataframe(facts_table(loaded), hide_index=True, width="content")
    with right:
        st.header("As a network takes them", anchor=False)
        st.code(PREPARE_CODE, language="python")
        st.dataframe(facts_table(prepared), hide_index=True, width="content")
    st.text(
        "The tutorial prepares the arrays before it trains. The lab keeps the images as uint8: "
        "dividing by 255 is the first layer of its networks, and the loss encodes the labels. "
        "Keras gives the labels a second axis of length 1, as in (50000, 1)."
    )
    if dataset.is_sample:
        st.text(
            "These are the arrays of the included sample. With the full dataset x_train has 50,000 "
            "images and x_test 10,000."
        )
    csv_download(facts_table([*loaded, *prepared]), "cifar10-arrays", key="csv_arrays")
    _worked(dataset)


def facts_table(arrays: Sequence[ArrayFacts]) -> pd.DataFrame:
    """Returns a row per array: name, shape, type, smallest and largest number."""
    return _frame(
        [
            {
                "array": facts.name,
                "shape": str(facts.shape),
                "dtype": facts.dtype,
                "min": facts.minimum,
                "max": facts.maximum,
            }
            for facts in arrays
        ]
    )


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)


def _worked(dataset: Dataset) -> None:
    """One training image: its first pixels divided by 255, its label as a one-hot vector."""
    st.header("One image, worked out", anchor=False)
    place = st.number_input(
        "Training image",
        min_value=0,
        max_value=len(dataset.train.labels) - 1,
        value=FIRST_IMAGE,
        key="image",
        bind="query-params",
        width=150,
        help="Its place in x_train, counted from 0.",
    )
    pixels, label = np.asarray(dataset.train.images[place]), int(dataset.train.labels[place])
    index = int(dataset.train.indices[place])
    left, right = st.columns([1, 4], gap="large")
    with left:
        gallery(
            pixels[None],
            factor=4,
            truths=[CIFAR10.class_names[label]],
            links=[picture_address("train", index)],
        )
    with right:
        st.text(f"Its first {PIXELS_SHOWN} pixels, from the upper left corner to the right.")
        st.dataframe(pixel_table(pixels, index), hide_index=True, width="content")
        st.text(
            f"Its label is {label}, {CIFAR10.class_names[label]}. One-hot encoded it is a vector "
            "of ten.",
            help=explain("one-hot encoding"),
        )
        st.dataframe(one_hot_table(label), hide_index=True, width="content")
    origin_line(f"Training image {index}; {dataset.source}")


def pixel_table(pixels: np.ndarray, index: int) -> pd.DataFrame:
    """Returns the first pixels of an image (32, 32, 3) as loaded and divided by 255."""
    first = pixels[0, :PIXELS_SHOWN]
    return _frame(
        [
            {
                "pixel": f"x_train[{index}, 0, {column}]",
                "red, green, blue": ", ".join(map(str, before)),
                "divided by 255": ", ".join(f"{value:.4f}" for value in after),
            }
            for column, (before, after) in enumerate(zip(first, scaled(first), strict=True))
        ]
    )


def one_hot_table(label: int) -> pd.DataFrame:
    """Returns a label as one row of ten numbers, a column per class."""
    vector = one_hot([label], CIFAR10.classes)[0]
    return _frame([dict(zip(CIFAR10.class_names, (int(value) for value in vector), strict=True))])
