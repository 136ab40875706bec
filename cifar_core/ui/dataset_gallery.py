"""The pictures themselves: the tutorial's figure, and the gallery of all with its filters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import services
from cifar_core.dataset import BATCH_PICTURES, CLASS_NAMES, TRAIN_BATCHES
from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.runs.reading import Run
from cifar_core.runs.results import Predictions
from cifar_core.ui import analysed, stored
from cifar_core.ui.answers import model_labels
from cifar_core.ui.page import empty_state
from cifar_core.ui.pictures import gallery, picture_address

PAGE_PICTURES = 48
ALL = "all"
RIGHT = "right"
WRONG = "wrong"
DOUBTFUL = "doubtful"


@dataclass(frozen=True)
class Found:
    """The pictures that fit the choices.

    Attributes:
        places: (m,) int64, positions in the split, in the order to be shown.
        guesses: (m,) int64, what the chosen model says, or None.
        note: A sentence on what was left out and why; empty if nothing was.
    """

    places: NDArray[np.int64]
    guesses: NDArray[np.int64] | None = None
    note: str = ""


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


def keep_answered(
    split: Split, places: NDArray[np.int64], answers: Predictions, *, right: bool
) -> Found:
    """Keeps the pictures that a model answered rightly, or wrongly.

    Args:
        split: The pictures.
        places: (n,) positions to choose from.
        answers: What the model answered; pictures that are not among them are left out.
        right: Which to keep.
    """
    at = np.searchsorted(answers.indices, split.indices[places])
    at = np.minimum(at, len(answers.indices) - 1)
    was_asked = answers.indices[at] == split.indices[places]
    guesses = answers.probabilities.argmax(axis=1)[at].astype(np.int64)
    fits = was_asked & ((guesses == split.labels[places]) == right)
    return Found(places[fits], guesses[fits])


def keep_doubtful(split: Split, found: Found, indices: NDArray[np.int64]) -> Found:
    """Keeps the pictures whose label is doubtful, the most doubtful first.

    Args:
        split: The pictures.
        found: What to choose from.
        indices: Official indices of doubtful labels in the order of doubt.
    """
    rank = {int(index): place for place, index in enumerate(indices)}
    ranks = np.array([rank.get(int(index), -1) for index in split.indices[found.places]])
    kept = np.flatnonzero(ranks >= 0)
    kept = kept[np.argsort(ranks[kept], kind="stable")]
    guesses = None if found.guesses is None else found.guesses[kept]
    return Found(found.places[kept], guesses, found.note)


def captions(split: Split, places: NDArray[np.int64]) -> list[str]:
    """Returns each picture's official index and, in the train split, its batch."""
    indices = [int(index) for index in split.indices[places]]
    if split.name == "test":
        return [str(index) for index in indices]
    return [f"{index}, batch {index // BATCH_PICTURES + 1}" for index in indices]


def links(split: Split, places: NDArray[np.int64]) -> list[str]:
    """Returns the addresses of the pictures' own pages."""
    return [picture_address(split.name, int(index)) for index in split.indices[places]]


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
            on_change=_to_first_page,
        )
        split = dataset.train if name == "train" else dataset.test
        label = _choice("Class", [ALL, *CLASS_NAMES], "class")
        batch = ALL
        if name == "train":
            batch = _choice(
                "Training batch",
                [ALL, *map(str, range(1, TRAIN_BATCHES + 1))],
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
    found = Found(
        choose_pictures(
            split,
            label=None if label == ALL else CLASS_NAMES.index(label),
            batch=None if batch == ALL else int(batch),
        )
    )
    if model is not None:
        found = _by_answer(split, found.places, model, right=answer == RIGHT)
    if doubt == DOUBTFUL:
        doubts = analysed.doubtful("test" if name == "test" else "validation")
        found = keep_doubtful(split, found, doubts.indices)
    _page(split, found)


def _choice(title: str, options: list[str], key: str, *, help: str | None = None) -> str:  # noqa: A002
    return str(
        st.selectbox(
            title,
            options,
            key=key,
            bind="query-params",
            width=150,
            on_change=_to_first_page,
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


def _by_answer(split: Split, places: NDArray[np.int64], run: Run, *, right: bool) -> Found:
    """Keeps what a run's network answered rightly or wrongly, of the pictures it was asked."""
    answers = stored.final_answers(run) if split.name == "test" else stored.latest_answers(run)
    if answers is None or answers.split != split.name:
        return Found(places[:0], note="This network was not asked about these pictures.")
    found = keep_answered(split, places, answers, right=right)
    note = ""
    if split.name == "train":
        note = (
            f"Among the {len(answers.indices):,} training pictures that were held out: of those "
            "it learned from, a network's answers say little."
        )
    return Found(found.places, found.guesses, note)


def _page(split: Split, found: Found) -> None:
    """Draws one page of the pictures that were found."""
    if found.note:
        st.text(found.note)
    if not len(found.places):
        empty_state("No picture fits these choices.", "Choose fewer of them, or another class.")
        return
    pages = -(-len(found.places) // PAGE_PICTURES)
    page = st.pagination(pages, key="page", bind="query-params")
    first = (page - 1) * PAGE_PICTURES
    places = found.places[first : first + PAGE_PICTURES]
    kind = "Training" if split.name == "train" else "Test"
    st.text(
        f"{kind} pictures {first + 1:,} to {first + len(places):,} of "
        f"{len(found.places):,}, each with its class and its number. Choose one to look closer."
    )
    gallery(
        split.images[places],
        captions(split, places),
        truths=[CLASS_NAMES[label] for label in split.labels[places]],
        predictions=None
        if found.guesses is None
        else [CLASS_NAMES[guess] for guess in found.guesses[first : first + PAGE_PICTURES]],
        links=links(split, places),
    )


def _to_first_page() -> None:
    """Another choice of pictures is read from its beginning."""
    st.session_state["page"] = 1
