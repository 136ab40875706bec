"""What Dataset says of the images that are circled on its map."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cifar_core.ui.dataset.embedding_map import selection_words


@pytest.mark.parametrize(
    ("counts", "numbers"),
    [
        ({2: 5}, [5]),
        ({2: 5, 7: 8}, [8, 5]),
        ({0: 2, 2: 5, 7: 8, 9: 3}, [8, 5, 3, 2]),
        ({0: 2, 1: 1, 2: 5, 4: 6, 7: 8, 9: 3}, [8, 6, 5, 3, 3]),
    ],
)
def test_the_four_largest_classes_are_counted_and_the_rest_in_one_number(
    counts: dict[int, int], numbers: list[int]
) -> None:
    words = selection_words(np.repeat(list(counts), list(counts.values())))
    assert [int(number) for number in re.findall(r"\d+", words)] == numbers
