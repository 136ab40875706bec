from __future__ import annotations

import numpy as np

from cifar_core.charts import theme
from cifar_core.charts.examples import course_heatmap

LABELS = np.array([0, 3])
ANSWERS = np.full((2, 2, 10), 0.05, np.float32)
ANSWERS[0, 0, 0] = 0.55  # epoch 1: the airplane is one
ANSWERS[0, 1, 5] = 0.55  # the cat is a dog
ANSWERS[1, :, 3] = 0.55  # epoch 2: both are cats


def test_a_row_is_a_picture_and_a_column_an_epoch() -> None:
    (cells,) = course_heatmap([2, 4], ANSWERS, LABELS, title=theme.Title("x")).data
    assert cells.y == ("airplane", "cat")
    assert cells.x == (2, 4)
    np.testing.assert_allclose(cells.z, [[55, 5], [5, 55]])


def test_hovering_tells_what_was_said_and_what_it_is() -> None:
    (cells,) = course_heatmap([2, 4], ANSWERS, LABELS, title=theme.Title("x")).data
    assert cells.text[0][0] == "epoch 2: airplane 55.0%, right"
    assert cells.text[1][0] == "epoch 2: dog 55.0%; cat, what it is, 5.0%"
