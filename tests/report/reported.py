"""A report beside the files it was made from, and what it should show of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

from cifar_core.dataset.sample import load_sample
from tests.pages.oracle import CLASSES, Answers, RunFiles, coverage
from tests.pages.oracle_images import numbers_in, tempered
from tests.pages.oracle_runs import percent
from tests.report.oracle import Example, Page

ORDER = ["Another", "Mine"]
"""The names of the runs in the order of the report; the first is the more accurate one."""


@dataclass(frozen=True, eq=False)
class Reported:
    """A report and the files it was made from, by the name each run has in it."""

    page: Page
    runs: dict[str, RunFiles]

    def test(self, name: str) -> Answers:
        return self.runs[name].test()

    def calibrated(self, name: str) -> Answers:
        """Returns the answers with the temperature applied, in double precision."""
        answers = self.test(name)
        shares = tempered(answers.shares, self.runs[name].temperature)
        return dataclasses.replace(answers, shares=shares)


def pairs_of(answers: Answers, count: int) -> list[list[float]]:
    """Returns the cells off the diagonal with the most images: count, images of the class."""
    matrix = answers.matrix.copy()
    np.fill_diagonal(matrix, 0)
    largest = np.sort(matrix.ravel())[::-1][:count]
    return [[float(cell), 1_000.0, round(float(cell) / 10, 1)] for cell in largest]


def right_places(reported: Reported, name: str) -> list[int]:
    """Returns of each class the image of the sample that was rightly named most confidently."""
    answers, here = reported.calibrated(name), load_sample().test.indices
    confidence = answers.shares.max(axis=1)
    found = []
    for label in range(10):
        places = [
            place for place in here if answers.is_right[place] and answers.labels[place] == label
        ]
        found.append(int(max(places, key=lambda place: (confidence[place], -place))))
    return found


def wrong_places(reported: Reported, name: str) -> list[int]:
    """Returns the ten images of the sample that were wrongly named most confidently."""
    answers, here = reported.calibrated(name), load_sample().test.indices
    confidence = answers.shares.max(axis=1)
    places = [int(place) for place in here if not answers.is_right[place]]
    return sorted(places, key=lambda place: (-confidence[place], place))[:10]


def check_examples(reported: Reported, name: str, shown: list[Example], places: list[int]) -> None:
    """Compares a gallery's images, classes and confidences with those of test images."""
    answers, test = reported.calibrated(name), load_sample().test
    assert len(shown) == len(places)
    for example, place in zip(shown, places, strict=True):
        at = int(np.flatnonzero(test.indices == place)[0])
        assert np.array_equal(example.pixels, test.images[at])
        assert example.true == CLASSES[answers.labels[place]]
        assert example.predicted == CLASSES[answers.guesses[place]]
        named = [name for name in CLASSES if name in example.alt]
        assert set(named) == {example.true, example.predicted}
        confidence = 100 * float(answers.shares[place].max())
        assert numbers_in(example.confidence)[0] == pytest.approx(confidence, abs=0.11)


def check_threshold(reported: Reported, name: str, sentence: str) -> None:
    """Compares a sentence with the first threshold that makes 95 of 100 right, if one does."""
    rows = coverage(reported.calibrated(name))
    enough = [row for row in rows if row[2] >= 0.95]
    assert bool(enough) == (name == "Another")  # there is a run of each kind
    assert sentence.startswith(name)
    if not enough:
        assert "%" not in sentence
        return
    threshold, kept, _ = enough[0]
    assert f"{100 * threshold:.0f}%" in sentence
    assert percent(kept) in sentence
