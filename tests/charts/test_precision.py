from __future__ import annotations

import numpy as np

from cifar_core.charts import theme
from cifar_core.charts.precision import precision_chart, thinned
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.ranking import precision_recall

RANDOM = np.random.default_rng(5)
LABELS = RANDOM.integers(0, 10, 3000)
PROBABILITIES = RANDOM.dirichlet(np.full(10, 0.4), size=3000)
CURVES = precision_recall(PROBABILITIES, LABELS)


def test_every_class_has_a_line_in_its_own_colour() -> None:
    chart = precision_chart(CURVES)
    assert {line.name: line.line.color for line in chart.data} == dict(
        zip(theme.names(list(range(10))), CIFAR10.class_colours, strict=True)
    )


def test_the_chosen_class_stands_out_and_lies_on_top() -> None:
    *others, last = precision_chart(CURVES, chosen=3).data
    assert last.name == "cat"
    assert all(line.opacity < 0.5 < last.opacity for line in others)


def test_a_line_goes_on_until_every_picture_is_found_and_stays_light() -> None:
    places = thinned(CURVES[0])
    assert places[0] == 0
    assert CURVES[0].recall[places[-1]] == 1
    assert len(precision_chart(CURVES).to_json()) < 25_000


def test_a_class_without_pictures_is_an_empty_line() -> None:
    curves = precision_recall(PROBABILITIES, np.where(LABELS == 3, 5, LABELS))
    assert not precision_chart(curves).data[3].x
