from __future__ import annotations

import itertools
import json
import math

import pytest

from cifar_core.charts import curves, theme
from cifar_core.charts.curves import CurveSeries

EPOCHS = [1, 2, 3, 4]
TRAIN = CurveSeries("CNN-4", "cnn4", EPOCHS, [0.4, 0.6, 0.7, 0.75], "train")
WATCHED = CurveSeries("CNN-4", "cnn4", EPOCHS, [0.45, 0.62, 0.71, 0.7], best_epoch=3)


def test_accuracy_is_drawn_in_percent_and_hovered_in_a_sentence() -> None:
    line = curves.accuracy_curve([WATCHED]).data[0]
    assert list(line.y) == pytest.approx([45, 62, 71, 70])
    assert "Epoch %{x}: %{y:.1f}% of the validation pictures right" in line.hovertemplate


def test_over_minutes_hovering_still_says_the_epoch() -> None:
    series = CurveSeries("CNN-4", "cnn4", [0.5, 1.0], [0.4, 0.5], epochs=[1, 2], best_epoch=2)
    chart = curves.accuracy_curve([series], by="minutes")
    assert "Epoch %{customdata}, after %{x:.1f} minutes" in chart.data[0].hovertemplate
    assert list(chart.data[0].customdata) == [1, 2]
    assert chart.layout.xaxis.title.text == "Minutes of training"
    assert list(chart.data[1].x) == [1.0]  # the best epoch, at its minute


def test_the_best_epoch_is_marked_on_its_line() -> None:
    mark = curves.accuracy_curve([WATCHED]).data[1]
    assert (list(mark.x), list(mark.y)) == ([3], [71.0])
    assert "Best epoch, 3" in mark.hovertemplate


def test_train_is_dotted_published_is_dashed_and_both_keep_the_networks_colour() -> None:
    published = CurveSeries("Tutorial", "tutorial", [1, 4], [0.67, 0.67], "test", dashed=True)
    train, watched, _, tutorial = curves.accuracy_curve([TRAIN, WATCHED, published]).data
    assert (train.line.dash, watched.line.dash, tutorial.line.dash) == ("dot", "solid", "dash")
    assert train.line.color == watched.line.color == theme.network_colour("cnn4")
    assert tutorial.line.color == theme.LIGHT.published


def test_lines_are_named_at_their_ends_without_overlap() -> None:
    series = [
        CurveSeries(f"Run {number}", "cnn4", [1, 2], [0.3, 0.8 + number / 1000])
        for number in range(6)
    ]
    chart = curves.accuracy_curve(series, height=400)
    low, high = chart.layout.yaxis.range
    heights = sorted(
        label.y * (400 - 110) / (high - low) + label.yshift for label in chart.layout.annotations
    )
    assert len(heights) == 6
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 15
    assert chart.layout.showlegend is False


def test_many_lines_are_named_in_a_legend() -> None:
    series = [CurveSeries(f"Run {number}", "cnn4", [1, 2], [0.3, 0.8]) for number in range(9)]
    chart = curves.accuracy_curve(series)
    assert chart.layout.showlegend is True
    assert not chart.layout.annotations


@pytest.mark.parametrize("series", [[], [CurveSeries("CNN-4", "cnn4", [1], [math.nan])]])
def test_nothing_measured_is_said(series: list[CurveSeries]) -> None:
    chart = curves.accuracy_curve(series)
    assert [note.text for note in chart.layout.annotations] == ["Nothing measured yet"]


def test_one_point_is_a_dot_and_a_gap_stays_a_gap() -> None:
    dot = curves.loss_curve([CurveSeries("CNN-4", "cnn4", [1], [2.3])])
    assert dot.data[0].mode == "markers"
    gap = curves.loss_curve([CurveSeries("CNN-4", "cnn4", EPOCHS, [2.3, math.nan, math.inf, 1.0])])
    assert list(gap.data[0].y) == [2.3, None, None, 1.0]
    assert "NaN" not in gap.to_json()


def test_a_live_line_grows_into_its_frame() -> None:
    assert curves.accuracy_curve([WATCHED], until=30).layout.xaxis.range == (1, 30)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_accuracies_at_either_end_lie_inside_the_chart(value: float) -> None:
    low, high = (
        curves.accuracy_curve([CurveSeries("A", "cnn4", [1, 2], [value, value])])
        .layout["yaxis"]
        .range
    )
    assert low <= 100 * value <= high
    assert high > low


def test_all_zero_losses_and_rates_are_drawn() -> None:
    zero = CurveSeries("A", "cnn4", [1, 2], [0.0, 0.0])
    for chart in (curves.loss_curve([zero]), curves.learning_rate_curve([zero])):
        low, high = chart.layout.yaxis.range
        assert high > low


def test_a_run_name_stays_text_and_short() -> None:
    name = "<b>" + "long " * 20
    chart = curves.loss_curve([CurveSeries(name, "cnn4", [1, 2], [1.0, 0.5])])
    label = chart.layout.annotations[0].text
    assert "<b>" not in label
    assert label.endswith("…")
    assert "<b>long" not in chart.data[0].hovertemplate


def test_hundred_epochs_stay_light() -> None:
    epochs = list(range(1, 101))
    values = [0.8 - 0.4 / epoch for epoch in epochs]
    chart = curves.accuracy_curve([CurveSeries("CNN-4", "cnn4", epochs, values)])
    text = chart.to_json()
    assert len(text) < 5_000
    json.loads(text)
