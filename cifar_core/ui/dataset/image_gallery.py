"""The pictures themselves: the tutorial's figure, and the gallery of all with its filters."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import services
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.runs.reading import Run
from cifar_core.ui.dataset.image_filter import (
    DOUBTFUL,
    RIGHT,
    WRONG,
    Found,
    ImageFilter,
    find_images,
)
from cifar_core.ui.kit.images import choose_page, gallery, picture_address, to_first_page
from cifar_core.ui.kit.page import empty_state
from cifar_core.ui.kit.runs.labels import model_labels

PAGE_PICTURES = 48
ALL = "all"


def captions(split: Split, places: NDArray[np.int64]) -> list[str]:
    """Returns each picture's official index and, in the train split, its batch."""
    indices = [int(index) for index in split.indices[places]]
    if split.name == "test":
        return [str(index) for index in indices]
    return [f"{index}, batch {index // CIFAR10.batch_images + 1}" for index in indices]


def links(split: Split, places: NDArray[np.int64], **query: str) -> list[str]:
    """Returns the addresses of the pictures' own pages, with what else they are to know."""
    return [picture_address(split.name, int(index), **query) for index in split.indices[places]]


@st.fragment
def gallery_section(dataset: Dataset) -> None:
    """All pictures by split, class, batch, answer and doubt, page by page; a click opens one."""
    with st.container(horizontal=True):
        name = st.segmented_control(
            "Split",
            ["train", "test"],
            default="train",
            required=True,
            key="split",
            bind="query-params",
            on_change=to_first_page,
            args=("page",),
        )
        split = dataset.train if name == "train" else dataset.test
        label = _choice("Class", [ALL, *CIFAR10.class_names], "class")
        batch = ALL
        if name == "train":
            batch = _choice(
                "Training batch",
                [ALL, *map(str, range(1, CIFAR10.train_batches + 1))],
                "batch",
                help="The training pictures come in five files of 10,000.",
            )
        doubt = _choice(
            "Label",
            [ALL, DOUBTFUL],
            "label",
            help="Doubtful: networks that never learned from the picture are confident that "
            "it shows another class. Most of these labels are right all the same; see the part "
            "Doubtful labels.",
        )
        answer = _choice(
            "Answered",
            [ALL, RIGHT, WRONG],
            "answered",
            help="What a trained network said: of the test pictures, and of those training "
            "pictures that were held out of its training.",
        )
        model = _choice_of_model() if answer != ALL else None
    wanted = ImageFilter(
        str(name),
        class_="" if label == ALL else label,
        batch="" if batch == ALL else batch,
        label="" if doubt == ALL else doubt,
        answered="" if answer == ALL else answer,
        by=model.id if model is not None else "",
    )
    _page(split, find_images(dataset, wanted), wanted)


def _choice(title: str, options: list[str], key: str, *, help: str | None = None) -> str:  # noqa: A002
    return str(
        st.selectbox(
            title,
            options,
            key=key,
            bind="query-params",
            width=150,
            on_change=to_first_page,
            args=("page",),
            help=help,
        )
    )


def _choice_of_model() -> Run | None:
    models = services.list_models()
    names = model_labels(models)
    by_name = {name: run for run in models if (name := names[run.id])}
    if not by_name:
        return None
    return by_name[_choice("by", list(by_name), "model")]


def _page(split: Split, found: Found, wanted: ImageFilter) -> None:
    """Draws one page of the pictures that were found."""
    if found.note:
        st.text(found.note)
    if not len(found.places):
        empty_state("No picture fits these choices.", "Choose fewer of them, or another class.")
        return
    kind = "Training" if split.name == "train" else "Test"
    page = choose_page(
        len(found.places), PAGE_PICTURES, key="page", in_address=True,
        words=f"{kind} pictures {{}}, each with its class and its number. Choose one to look "
        "closer.",
    )  # fmt: skip
    places = found.places[page]
    gallery(
        split.images[places],
        captions(split, places),
        truths=[CIFAR10.class_names[label] for label in split.labels[places]],
        predictions=None
        if found.guesses is None
        else [CIFAR10.class_names[guess] for guess in found.guesses[page]],
        links=links(split, places, **wanted.query()),
    )
