from __future__ import annotations

import pytest

from cifar_core.evaluation import words


@pytest.mark.parametrize(
    ("true", "predicted", "count", "total", "sentence"),
    [
        (3, 5, 175, 1000, "175 of 1,000 cats were taken for dogs (17.5%)"),
        (3, 0, 1, 1000, "1 of 1,000 cats was taken for an airplane (0.1%)"),
        (4, 3, 2, 1000, "2 of 1,000 deer were taken for cats (0.2%)"),
        (3, 4, 1, 1, "1 of 1 cat was taken for a deer (100.0%)"),
        (3, 1, 0, 1000, "none of 1,000 cats was taken for an automobile"),
        (7, 7, 673, 1000, "673 of 1,000 horses were recognised (67.3%)"),
        (7, 8, 0, 0, "no pictures of horses"),
    ],
)
def test_a_cell_is_told_in_correct_english(
    true: int, predicted: int, count: int, total: int, sentence: str
) -> None:
    told = words.taken_for(true=true, predicted=predicted, count=count, total=total)
    assert told == sentence


@pytest.mark.parametrize(
    ("parts", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_a_list_ends_with_and(parts: list[str], text: str) -> None:
    assert words.listed(parts) == text
