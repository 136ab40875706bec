"""What every chart owes a reader: its title, its mode, named axes that hold all of it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from scipy.special import softmax

from cifar_core import charts
from cifar_core.charts import bars, calibration, curves, examples, intervals, matrix, theme
from cifar_core.charts import places as maps
from cifar_core.charts import precision as precisions
from cifar_core.charts.curves import CurveSeries
from cifar_core.charts.theme import Title
from cifar_core.evaluation import metrics, ranking
from cifar_core.evaluation.calibration import reliability
from cifar_core.evaluation.published import published_matrix

RANDOM = np.random.default_rng(5)
LABELS = RANDOM.integers(0, 10, 400)
SHARES = softmax(3 * RANDOM.normal(size=(400, 10)) + 4 * np.eye(10)[LABELS], axis=1)
LINES = [
    CurveSeries("One", "cnn4", [1, 2, 3], [0.31, 0.52, 0.73]),
    CurveSeries("Two", "cnn6", [1, 2, 3, 4], [0.25, 0.44, 0.67, 0.58], best_epoch=3),
]
POINTS = RANDOM.normal(size=(400, 2)).astype(np.float32)
IS_TEST = RANDOM.random(400) < 0.5
KEPT = metrics.kept_against_accuracy(SHARES, LABELS)
COUNTS = RANDOM.integers(900, 1_100, (5, 10))
TIMES = [bars.EpochTimes("One", "cnn4", [9.0, 11.0, 14.0])]
NAMED = [intervals.NamedShare("One", "cnn4", metrics.share(7_110, 10_000))]
CNN4, CNN6 = published_matrix("cnn4"), published_matrix("cnn6")
WORDS = [str(place) for place in range(400)]
ROWS = np.arange(400)

DRAWN: dict[str, Callable[..., go.Figure]] = {
    "probability_bars": lambda **look: bars.probability_bars(SHARES[0], **look),
    "batch_count_bars": lambda **look: bars.batch_count_bars(COUNTS, **look),
    "epoch_time_bars": lambda **look: bars.epoch_time_bars(TIMES, **look),
    "reliability_diagram": lambda **look: calibration.reliability_diagram(
        [calibration.ReliabilitySeries("One", "cnn4", reliability(SHARES, LABELS))], **look
    ),
    "kept_chart": lambda **look: calibration.kept_chart(
        [calibration.KeptSeries("One", "cnn4", KEPT)], **look
    ),
    "accuracy_curve": lambda **look: curves.accuracy_curve(LINES, **look),
    "loss_curve": lambda **look: curves.loss_curve(LINES, **look),
    "learning_rate_curve": lambda **look: curves.learning_rate_curve(LINES, **look),
    "course_heatmap": lambda **look: examples.course_heatmap(
        [1, 2], np.stack([SHARES[:2], SHARES[2:4]]), np.array([3, 8]), **look
    ),
    "interval_chart": lambda **look: intervals.interval_chart(NAMED, **look),
    "confusion_heatmap": lambda **look: matrix.confusion_heatmap(CNN4, **look),
    "difference_heatmap": lambda **look: matrix.difference_heatmap(CNN4, CNN6, **look),
    "places_map": lambda **look: maps.places_map(
        POINTS, LABELS, ROWS, WORDS, is_test=IS_TEST, **look
    ),
    "precision_chart": lambda **look: precisions.precision_chart(
        ranking.precision_recall(SHARES, LABELS), **look
    ),
}
UNNAMED = {
    **dict.fromkeys(("probability_bars", "places_map"), "xy"),
    **dict.fromkeys(
        ("batch_count_bars", "epoch_time_bars", "course_heatmap", "interval_chart"), "y"
    ),
}
"""Axes that need no name: of classes or runs, of shares with their sign, of a map."""

TITLE = Title("A title", run="Some run", epoch=7, split="test")


def test_every_chart_there_is_is_held_to_these_laws() -> None:
    found = {
        name
        for module in pkgutil.iter_modules(charts.__path__, f"{charts.__name__}.")
        for name, one in inspect.getmembers(importlib.import_module(module.name))
        if inspect.isfunction(one) and one.__module__ == module.name and not name.startswith("_")
        if {"title", "dark"} <= set(inspect.signature(one).parameters) and name != "style"
    }
    assert found - {"colour_bar"} == set(DRAWN)


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_has_the_title_it_is_given_and_the_colours_of_its_mode(name: str) -> None:
    for dark in (False, True):
        layout = DRAWN[name](title=TITLE, dark=dark).layout
        wanted = theme.style(go.Figure(), title=TITLE, dark=dark).layout
        assert layout.title.text == wanted.title.text
        assert layout.paper_bgcolor == wanted.paper_bgcolor == theme.palette(dark).background
        assert layout.font.color == wanted.font.color


@pytest.mark.parametrize("name", DRAWN)
def test_the_axes_of_a_chart_are_named(name: str) -> None:
    layout = DRAWN[name](title=TITLE).layout
    for axis in "xy":
        is_named = bool(layout[f"{axis}axis"].title.text)
        assert is_named == (axis not in UNNAMED.get(name, ""))


@pytest.mark.parametrize("name", DRAWN)
def test_an_axis_holds_every_point_and_little_more(name: str) -> None:
    chart = DRAWN[name](title=TITLE)
    for axis in "xy":
        ends = chart.layout[f"{axis}axis"].range
        points = [
            float(value)
            for trace in chart.data
            for value in (trace[axis] if trace[axis] is not None else ())
            if isinstance(value, int | float)
        ]
        if ends is None or not points:
            continue
        low, high = sorted(ends)
        assert low <= min(points) <= max(points) <= high
        assert max(points) - min(points) >= (high - low) / 5 or len(set(points)) == 1


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_takes_the_height_it_is_given(name: str) -> None:
    given: dict[str, Any] = {}
    if "height" in inspect.signature(getattr(module_of(name), name)).parameters:
        given["height"] = 345
    height = DRAWN[name](title=TITLE, **given).layout.height
    assert height == 345 if given else height > 0


def module_of(name: str) -> Any:
    modules = (bars, calibration, curves, examples, intervals, matrix, maps, precisions)
    return next(module for module in modules if hasattr(module, name))


@pytest.mark.parametrize(
    "name", ["probability_bars", "batch_count_bars", "epoch_time_bars", "course_heatmap"]
)
def test_what_is_listed_first_stands_on_top(name: str) -> None:
    assert DRAWN[name](title=TITLE).layout.yaxis.autorange == "reversed"
