from __future__ import annotations

import pytest

from cifar_core.charts import theme
from cifar_core.charts.intervals import NamedShare, interval_chart
from cifar_core.evaluation.metrics import share

ROWS = [
    NamedShare("CNN-4", "cnn4", share(801, 1000)),
    NamedShare("Tutorial, CNN-4", "tutorial", share(671, 1000)),
]


def test_each_accuracy_stands_on_the_line_of_its_interval() -> None:
    dot = interval_chart(ROWS).data[0]
    interval = ROWS[0].share.interval
    assert dot.x == (80.1,)
    assert dot.x[0] + dot.error_x.array[0] == pytest.approx(100 * interval.high, abs=0.01)
    assert dot.x[0] - dot.error_x.arrayminus[0] == pytest.approx(100 * interval.low, abs=0.01)


def test_the_first_row_is_on_top() -> None:
    assert interval_chart(ROWS).layout.yaxis.categoryarray == ("Tutorial, CNN-4", "CNN-4")


@pytest.mark.parametrize("dark", [False, True])
def test_what_was_published_is_grey_and_of_another_shape(dark: bool) -> None:
    ours, published = interval_chart(ROWS, dark=dark).data
    assert ours.marker.color == theme.network_colour("cnn4", dark=dark)
    assert published.marker.color == theme.palette(dark).published
    assert published.marker.symbol != ours.marker.symbol


def test_a_name_is_shown_as_it_is_typed() -> None:
    named = NamedShare("<b>x</b>", "cnn4", share(1, 2))
    assert "&lt;b&gt;" in interval_chart([named]).data[0].hovertext[0]


def test_no_accuracies_are_an_empty_chart() -> None:
    assert not interval_chart([]).data
