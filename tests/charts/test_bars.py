from __future__ import annotations

import numpy as np
import pytest

from cifar_core.charts import bars, theme
from cifar_core.charts.bars import EpochTimes
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.predictions import PredictionsError

PROBABILITIES = [0.02, 0.0, 0.05, 0.6, 0.03, 0.25, 0.02, 0.02, 0.005, 0.005]


def test_probabilities_come_largest_first_in_the_colours_of_their_classes() -> None:
    bar = bars.probability_bars(PROBABILITIES).data[0]
    assert bar.y[:2] == ("cat", "dog")
    assert list(bar.x) == sorted(bar.x, reverse=True)
    for name, colour in zip(bar.y, bar.marker.color, strict=True):
        assert colour == CIFAR10.class_colours[CIFAR10.class_names.index(name)]


@pytest.mark.parametrize("order", CIFAR10.class_orders)
def test_probabilities_come_in_the_order_asked_for(order: str) -> None:
    bar = bars.probability_bars(PROBABILITIES, order=order).data[0]
    assert list(bar.y) == theme.names(theme.in_order(order))
    assert bar.text[list(bar.y).index("cat")] == "60.0%"


@pytest.mark.parametrize("values", [[0.1] * 9, [float("nan")] * 10, [3.0, *[0.0] * 9]])
def test_what_are_no_ten_probabilities_is_refused(values: list[float]) -> None:
    with pytest.raises(PredictionsError):
        bars.probability_bars(values)


def test_a_batch_is_drawn_as_its_distance_from_an_even_share() -> None:
    counts = np.full((5, 10), 1000)
    counts[0, 2], counts[0, 5] = 1032, 968
    chart = bars.batch_count_bars(counts)
    assert len(chart.data) == 5
    assert chart.data[0].x[2] == 32
    assert chart.data[0].hovertext[2] == (
        "Batch 1: 1,032 birds,<br>32 above its even share of 1,000"
    )
    assert chart.layout.xaxis5.title.text == "Batch 5"


def test_batches_share_one_scale() -> None:
    counts = np.random.default_rng(0).integers(900, 1100, (5, 10))
    layout = bars.batch_count_bars(counts).layout
    ((low, high),) = {layout[f"xaxis{n}"].range for n in ("", 2, 3, 4, 5)}
    farthest = np.abs(counts - counts.mean(axis=1, keepdims=True)).max()
    assert -low == high
    assert farthest < high < 1.5 * farthest


def test_perfectly_even_batches_are_drawn() -> None:
    assert not any(bars.batch_count_bars(np.full((5, 10), 1000)).data[0].x)


@pytest.mark.parametrize("shape", [(0, 10), (5, 9), (10,)])
def test_counts_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        bars.batch_count_bars(np.zeros(shape))


def test_time_per_epoch_is_a_median_with_its_middle_half() -> None:
    chart = bars.epoch_time_bars([EpochTimes("CNN-4", "cnn4", [10.0, 20.0, 30.0, 40.0, 90.0])])
    bar = chart.data[0]
    assert bar.x[0] == 30
    assert (bar.x[0] - bar.error_x.arrayminus[0], bar.x[0] + bar.error_x.array[0]) == (20, 40)
    assert "half of the 5 epochs took between 20 s and 40 s" in bar.hovertext[0]


def test_the_time_of_a_run_stands_beyond_its_bar_and_a_long_name_leaves_room() -> None:
    name = "a name that somebody made much too long"
    chart = bars.epoch_time_bars([EpochTimes(name, "cnn4", [60.0, 62.0, 64.0])])
    (words,) = chart.layout.annotations
    assert words.text == "1 min 02 s"
    assert words.x == 63 < chart.layout.xaxis.range[1]
    assert chart.layout.yaxis.ticktext[0] == "a name that somebody…"


def test_a_run_without_an_epoch_has_no_bar() -> None:
    runs = [EpochTimes("new", "cnn4", []), EpochTimes("done", "cnn6", [5.0])]
    assert list(bars.epoch_time_bars(runs).data[0].y) == ["done"]
    assert not bars.epoch_time_bars([]).data[0].y


def test_an_even_share_is_a_line_in_the_middle_of_each_panel() -> None:
    layout = bars.batch_count_bars(np.random.default_rng(0).integers(900, 1100, (5, 10))).layout
    lines = [(shape.x0, shape.x1, shape.xref) for shape in layout.shapes]
    assert lines == [(0, 0, f"x{number}") for number in ("", 2, 3, 4, 5)]
    domains = [layout[f"xaxis{number}"].domain for number in ("", 2, 3, 4, 5)]
    ends = [end for domain in domains for end in domain]
    assert ends == sorted(ends)
    assert len(set(ends)) == 10
    ticks = [layout[f"xaxis{number}"].tickvals for number in ("", 2, 3, 4, 5)]
    assert len(set(ticks)) == 1
    assert -ticks[0][0] == ticks[0][1] == int(layout.xaxis.ticktext[1])


@pytest.mark.parametrize(("more", "words"), [(0, "exactly"), (1, "1 above"), (-1, "1 below")])
def test_hovering_says_on_which_side_of_its_even_share_a_batch_is(more: int, words: str) -> None:
    counts = np.full((1, 10), 1000)
    counts[0, :2] += more, -more
    assert f"<br>{words} its even share" in bars.batch_count_bars(counts).data[0].hovertext[0]


def test_hovering_a_bar_says_its_class_and_its_probability() -> None:
    bar = bars.probability_bars(PROBABILITIES).data[0]
    assert bar.hovertemplate.split("<extra>")[0] == "%{y}: %{text}"
    assert (bar.y[0], bar.text[0]) == ("cat", "60.0%")
