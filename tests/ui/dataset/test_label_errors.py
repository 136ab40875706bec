"""What Dataset says above its doubtful labels."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cifar_core.services import DoubtfulLabels
from cifar_core.ui.dataset.label_errors import summary


def doubts(split: str) -> DoubtfulLabels:
    """Returns three doubtful labels of a split of 1,500 images."""
    return DoubtfulLabels(
        split=split,
        indices=np.array([7, 21, 40]),
        given=np.array([3, 5, 1]),
        suggested=np.array([5, 3, 9]),
        margins=np.array([-0.9, -0.5, -0.1]),
        pictures=1_500,
        origin="three networks",
    )


@pytest.mark.parametrize(("split", "published"), [("train", []), ("test", ["0.5%"])])
def test_the_summary_gives_count_total_and_share(split: str, published: list[str]) -> None:
    numbers = re.findall(r"\d[\d,]*(?:\.\d+)?%?", summary(doubts(split)))
    assert numbers == ["3", "1,500", "0.2%", *published]
