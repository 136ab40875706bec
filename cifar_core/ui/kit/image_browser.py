"""Pictures behind the figures: filtered by true and predicted class, most confident first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st

from cifar_core import formats
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.predictions import Integers
from cifar_core.evaluation.words import plural, taken_for
from cifar_core.runs.results import Predictions
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.images import choose_page, gallery, picture_address
from cifar_core.ui.kit.session import keep_in_address
from cifar_core.ui.kit.tables import csv_download, file_name, share_column

if TYPE_CHECKING:
    import pandas as pd

ANY_TRUE: Final = "any class"
ANY_WRONG: Final = "any other class"
CELL_FIELDS: Final = {"true": ("Shows", ANY_TRUE), "predicted": ("Taken for", ANY_WRONG)}
"""The two fields that name a cell, by key: what they are called, and what stands for all."""

PAGE_PICTURES: Final = 12
CALIBRATED: Final = "Probabilities calibrated on pictures that were held out of the training."
NO_BREAK_SPACE: Final = "\u00a0"


@dataclass(frozen=True)
class Cell:
    """Which pictures are looked at: None stands for any true, any wrong predicted class."""

    true: int | None = None
    predicted: int | None = None


def choose_cell() -> Cell:
    """Draws the two select boxes that name a cell of the matrix, and returns it.

    They are the keyboard's way to what a click on the matrix does.
    """
    for place, key in zip(st.columns(2), CELL_FIELDS, strict=True):
        label, whole = CELL_FIELDS[key]
        options = [whole, *CIFAR10.class_names]
        noted = keep_in_address(key, options, whole)
        place.selectbox(label, options, key=key, on_change=noted, filter_mode="prefix")
    return cell_now()


def cell_now() -> Cell:
    """Returns the chosen cell, also before its select boxes are drawn further down the page."""
    for key, (_, whole) in CELL_FIELDS.items():
        keep_in_address(key, [whole, *CIFAR10.class_names], whole)
    return Cell(*(_label(st.session_state[key]) for key in CELL_FIELDS))


def set_cell(cell: Cell) -> None:
    """Sets the select boxes; to be called in a callback, before they are drawn."""
    chosen = {
        key: whole if label is None else CIFAR10.class_names[label]
        for (key, (_, whole)), label in zip(
            CELL_FIELDS.items(), (cell.true, cell.predicted), strict=True
        )
    }
    for key, name in chosen.items():
        st.session_state[key] = name
    st.query_params.update(chosen)  # at once: one entry in the browser's history


def places_in(cell: Cell, answers: Predictions) -> Integers:
    """Returns the positions (m,) of the answers in a cell, most confident first.

    Only a cell that names one class twice holds right answers; any other choice means mistakes.
    """
    guesses = answers.probabilities.argmax(axis=1)
    fits = np.ones(len(guesses), bool)
    if cell.true is not None:
        fits &= answers.labels == cell.true
    if cell.predicted is not None:
        fits &= guesses == cell.predicted
    if cell.true is None or cell.true != cell.predicted:
        fits &= guesses != answers.labels
    places = np.flatnonzero(fits)
    order = np.argsort(-answers.probabilities[places].max(axis=1), kind="stable")
    return places[order].astype(np.int64)


def words_for(cell: Cell, answers: Predictions, count: int) -> str:
    """Returns how many pictures are in a cell, as a sentence."""
    if cell.true is None:
        whole = len(answers.labels)
        if cell.predicted is None:
            share = f" ({formats.percent(count / whole)})" if whole else ""
            return f"{count:,} of {whole:,} pictures were answered wrongly{share}."
        return f"{count:,} pictures of other classes were taken for {plural(cell.predicted)}."
    total = int(np.count_nonzero(answers.labels == cell.true))
    if cell.predicted is None:
        share = f" ({formats.percent(count / total)})" if total else ""
        return f"{count:,} of {total:,} {plural(cell.true)} were not recognised{share}."
    words = taken_for(true=cell.true, predicted=cell.predicted, count=count, total=total)
    return f"{words[0].upper()}{words[1:]}."


def cell_name(run_id: str, answers: Predictions, cell: Cell) -> str:
    """Returns what tells the pictures of a cell from all others, fit for a file name."""
    true, predicted = (
        "any" if label is None else CIFAR10.class_names[label]
        for label in (cell.true, cell.predicted)
    )
    which = f"{true}-taken-for-{predicted}"
    return file_name(run_id, answers.monitored, "epoch", answers.epoch, which)


def browse(
    answers: Predictions,
    places: Integers,
    *,
    key: str,
    name: str,
    also: Callable[[int], str] | None = None,
) -> None:
    """Draws the pictures at these positions, a page of them at a time.

    Args:
        answers: What the network said.
        places: Positions (m,) in the answers, in the order to be shown.
        key: Identity of the page's widgets; another one for other pictures, so that they begin
            at their first page.
        name: Of the CSV file.
        also: Returns a further line below the picture at a position.
    """
    split = getattr(caches.open_dataset(), answers.split)
    here = places[np.isin(answers.indices[places], split.indices)]
    missing = len(places) - len(here)
    if missing:
        st.text(
            f"This machine has only the sample: {missing:,} of these pictures are not in it. "
            "Download the full dataset on the Dataset page to see them."
        )
    if len(here):
        _page(answers, here, key=key, also=also)
    if len(places):
        csv_download(lambda: as_table(answers, places), name, key=f"csv-{key}")


def as_table(answers: Predictions, places: Integers) -> pd.DataFrame:
    """Returns the pictures as a table: split, index, truth, answer and ten probabilities."""
    import pandas as pd

    guesses = answers.probabilities[places].argmax(axis=1)
    table = pd.DataFrame(
        {
            "split": answers.split,
            "index": answers.indices[places],
            "true": [CIFAR10.class_names[label] for label in answers.labels[places]],
            "predicted": [CIFAR10.class_names[guess] for guess in guesses],
        }
    )
    for label, class_name in enumerate(CIFAR10.class_names):
        table[f"p({class_name})"] = answers.probabilities[places, label].round(4)
    return table


def shares_table(answers: Predictions, places: Integers) -> pd.DataFrame:
    """Returns the ten probabilities of pictures, in the order of the gallery."""
    import pandas as pd

    guesses = answers.probabilities[places].argmax(axis=1)
    table = pd.DataFrame(
        {
            "picture": [f"{answers.split} {index}" for index in answers.indices[places]],
            "shows": [CIFAR10.class_names[label] for label in answers.labels[places]],
            "taken for": [CIFAR10.class_names[guess] for guess in guesses],
        }
    )
    table[list(CIFAR10.class_names)] = answers.probabilities[places].astype(np.float64)
    return table


def caption(answers: Predictions, place: int, also: Callable[[int], str] | None = None) -> str:
    """Returns what stands below a picture: how sure the answer was, and the picture's number."""
    shares = answers.probabilities[place]
    guess, true = int(shares.argmax()), int(answers.labels[place])
    parts = [f"{100 * shares[guess]:.0f}% sure"]
    if guess != true:
        parts.append(f"{100 * shares[true]:.0f}% {CIFAR10.class_names[true]}")
    parts += [also(place)] if also is not None else []
    parts.append(f"{answers.split} {answers.indices[place]}")
    whole = "\n".join(parts).replace(" ", NO_BREAK_SPACE)
    return whole.replace(f",{NO_BREAK_SPACE}", ", ")  # the longest class leaves no room for both


def _page(
    answers: Predictions, here: Integers, *, key: str, also: Callable[[int], str] | None
) -> None:
    places = here[choose_page(len(here), PAGE_PICTURES, key=f"page-{key}")]
    split = getattr(caches.open_dataset(), answers.split)
    positions = np.searchsorted(split.indices, answers.indices[places])
    gallery(
        np.asarray(split.images[positions]),
        [caption(answers, int(place), also) for place in places],
        truths=[CIFAR10.class_names[label] for label in answers.labels[places]],
        predictions=[
            CIFAR10.class_names[guess] for guess in answers.probabilities[places].argmax(axis=1)
        ],
        links=[picture_address(answers.split, index) for index in answers.indices[places]],
    )
    if answers.temperature is not None:
        st.caption(CALIBRATED)
    with st.expander("All ten probabilities of these pictures"):
        st.dataframe(
            shares_table(answers, places),
            hide_index=True,
            height="content",
            column_config={
                "picture": st.column_config.TextColumn(alignment="right"),
                **{name: share_column(width=80) for name in CIFAR10.class_names},
            },
        )


def _label(name: str | None) -> int | None:
    return CIFAR10.class_names.index(name) if name in CIFAR10.class_names else None
