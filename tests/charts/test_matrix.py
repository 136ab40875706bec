from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from cifar_core.charts import matrix, theme
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.predictions import PredictionsError
from cifar_core.evaluation.published import published_matrix

COUNTS = published_matrix("cnn4")


def drawn(chart: Any) -> dict[str, Any]:
    """Returns the figure as the browser gets it."""
    return dict(json.loads(chart.to_json()))


@pytest.mark.parametrize("order", CIFAR10.class_orders)
def test_every_cell_can_be_clicked_and_says_which_it_is(order: str) -> None:
    chart = matrix.confusion_heatmap(COUNTS, order=order)
    heatmap, targets = chart.data
    assert sorted(map(tuple, targets.customdata)) == [(t, p) for t in range(10) for p in range(10)]
    for x, y, (true, predicted) in zip(targets.x, targets.y, targets.customdata, strict=True):
        assert (y, x) == (CIFAR10.class_names[true], CIFAR10.class_names[predicted])
        row, column = heatmap.y.index(y), heatmap.x.index(x)
        assert heatmap.z[row][column] == COUNTS[true, predicted]


def test_selecting_a_cell_repaints_nothing() -> None:
    targets = matrix.confusion_heatmap(COUNTS).data[1]
    assert targets.marker.symbol == "square"
    assert (
        targets.marker.opacity
        == targets.selected.marker.opacity
        == targets.unselected.marker.opacity
        == 0
    )


def test_the_nearest_cell_answers_however_large_cells_are() -> None:
    chart = matrix.confusion_heatmap(COUNTS)
    assert chart.layout.hoverdistance == -1
    assert chart.layout.dragmode is False


def test_hovering_says_the_cell_in_words() -> None:
    targets = matrix.confusion_heatmap(COUNTS).data[1]
    place = list(map(tuple, targets.customdata)).index((3, 5))
    assert targets.text[place] == "175 of 1,000 cats were taken for dogs (17.5%)"


def test_by_column_hovering_says_the_share_of_the_answers() -> None:
    targets = matrix.confusion_heatmap(COUNTS, by="column").data[1]
    place = list(map(tuple, targets.customdata)).index((3, 5))
    assert f"{100 * 175 / COUNTS[:, 5].sum():.1f}% of the answers “dog”" in targets.text[place]


@pytest.mark.parametrize(("by", "axis"), [("row", 1), ("column", 0)])
def test_shares_are_shown_in_percent_of_their_line(by: Any, axis: int) -> None:
    heatmap = matrix.confusion_heatmap(COUNTS, by=by).data[0]
    assert np.array(heatmap.z).sum(axis=axis) == pytest.approx(np.full(10, 100.0), abs=0.06)


def test_without_the_diagonal_the_colours_spread_over_the_errors() -> None:
    heatmap = matrix.confusion_heatmap(COUNTS, show_diagonal=False).data[0]
    assert all(heatmap.z[place][place] is None for place in range(10))
    assert heatmap.zmax == 233  # dogs taken for cats, the largest error


def test_the_axes_name_truth_and_prediction_and_the_first_class_is_on_top() -> None:
    layout = matrix.confusion_heatmap(COUNTS).layout
    assert layout.xaxis.title.text == "Predicted class"
    assert layout.yaxis.title.text == "True class"
    assert layout.yaxis.range[0] > layout.yaxis.range[1]


def test_the_two_families_are_set_apart_in_their_order_only() -> None:
    assert len(matrix.confusion_heatmap(COUNTS, order="vehicles | animals").layout.shapes) == 2
    assert not matrix.confusion_heatmap(COUNTS).layout.shapes


@pytest.mark.parametrize("dark", [False, True])
def test_zero_has_the_colour_of_the_background(dark: bool) -> None:
    heatmap = matrix.confusion_heatmap(COUNTS, dark=dark).data[0]
    assert heatmap.zmin == 0
    assert heatmap.colorscale[0][1] == theme.palette(dark).background


def test_a_difference_is_centred_at_zero_and_signed() -> None:
    other = published_matrix("cnn6")
    chart = matrix.difference_heatmap(COUNTS, other, names=("CNN-4", "CNN-6"))
    heatmap, targets = chart.data
    assert heatmap.zmin == -heatmap.zmax == -np.abs(COUNTS - other).max()
    assert heatmap.text[0][0] == "−137"
    assert heatmap.text[3][5] == "+35"
    place = list(map(tuple, targets.customdata)).index((3, 5))
    assert targets.text[place] == "Cats taken for dogs<br>CNN-4: 175, CNN-6: 140 (+35)"


@pytest.mark.parametrize("counts", [np.zeros((10, 10), int), np.eye(10, dtype=int)])
def test_empty_and_perfect_matrices_are_drawn(counts: np.ndarray) -> None:
    for chart in (
        matrix.confusion_heatmap(counts, by="row", show_diagonal=False),
        matrix.difference_heatmap(counts, counts),
    ):
        assert drawn(chart)["data"][0]["zmax"] > 0


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(KeyError):
        matrix.confusion_heatmap(COUNTS, order="alphabet")


def test_what_is_no_matrix_is_refused() -> None:
    with pytest.raises(PredictionsError):
        matrix.confusion_heatmap(np.zeros((2, 2)))


def test_a_matrix_stays_light() -> None:
    assert len(matrix.confusion_heatmap(COUNTS, by="column").to_json()) < 20_000
