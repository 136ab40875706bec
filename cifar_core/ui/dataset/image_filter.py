"""Which images of the dataset are looked at: the gallery's choices, and how an address keeps them.

The page of a single image reads the same choices from its address: so “Next” stays among what was
chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cifar_core import services
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.runs.reading import Run
from cifar_core.runs.results import Predictions
from cifar_core.ui.dataset import analysis_results
from cifar_core.ui.kit.runs import results

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


@dataclass(frozen=True)
class ImageFilter:
    """What the gallery was asked for; empty texts ask for nothing.

    Attributes:
        split: ``train`` or ``test``.
        class_: A class by its name.
        batch: ``1`` to ``5``.
        label: ``doubtful``.
        answered: ``right`` or ``wrong``, by the network of a run.
        by: Identity of that run.
    """

    split: str
    class_: str = ""
    batch: str = ""
    label: str = ""
    answered: str = ""
    by: str = ""

    def query(self) -> dict[str, str]:
        """Returns what an address says of the filter, the split left out."""
        named = {"class": self.class_, "batch": self.batch, "label": self.label}
        if self.by:
            named |= {"answered": self.answered, "by": self.by}
        return {name: value for name, value in named.items() if value}


def read_filter(split: str, query: Mapping[str, str]) -> ImageFilter:
    """Returns the filter of an address; what it does not know asks for nothing."""

    def given(name: str, known: tuple[str, ...]) -> str:
        value = query.get(name, "")
        return value if value in known else ""

    batches = tuple(map(str, range(1, CIFAR10.train_batches + 1))) if split == "train" else ()
    return ImageFilter(
        split,
        class_=given("class", CIFAR10.class_names),
        batch=given("batch", batches),
        label=given("label", (DOUBTFUL,)),
        answered=given("answered", (RIGHT, WRONG)),
        by=given("by", tuple(run.id for run in services.list_models())) if "by" in query else "",
    )


def find_images(dataset: Dataset, wanted: ImageFilter) -> Found:
    """Returns the images that fit a filter.

    Raises:
        LabError: What a run answered, or the doubtful labels, cannot be read.
    """
    split = dataset.train if wanted.split == "train" else dataset.test
    found = Found(
        choose_pictures(
            split,
            label=CIFAR10.class_names.index(wanted.class_) if wanted.class_ else None,
            batch=int(wanted.batch) if wanted.batch else None,
        )
    )
    if wanted.answered and wanted.by:
        run = services.read_run(wanted.by)
        found = _by_answer(split, found.places, run, right=wanted.answered == RIGHT)
    if wanted.label == DOUBTFUL:
        doubts = analysis_results.doubtful("test" if wanted.split == "test" else "validation")
        found = keep_doubtful(split, found, doubts.indices)
    return found


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
        fits &= split.indices // CIFAR10.batch_images == batch - 1
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


def _by_answer(split: Split, places: NDArray[np.int64], run: Run, *, right: bool) -> Found:
    """Keeps what a run's network answered rightly or wrongly, of the pictures it was asked."""
    answers = results.final_answers(run) if split.name == "test" else results.latest_answers(run)
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
