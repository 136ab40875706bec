"""What stands around the points of a report's charts: titles, axes, names and colours."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cifar_core.charts import theme
from cifar_core.charts.bars import epoch_time_bars
from cifar_core.charts.calibration import reliability_diagram
from cifar_core.charts.curves import accuracy_curve
from tests.pages.oracle_runs import TUTORIAL
from tests.report.reported import ORDER, Reported

CHARTS = ["accuracy", "learning", "times", "reliability", "matrix-0", "matrix-1"]
PAGE_CHARTS: Mapping[str, Callable[..., Any]] = {
    "learning": accuracy_curve,
    "times": epoch_time_bars,
    "reliability": reliability_diagram,
}


def title_of(figure: dict[str, Any]) -> str:
    """Returns a chart's title and origin without their markup."""
    return re.sub("<[^>]+>", " ", figure["layout"]["title"]["text"]).strip()


def levels_of(reported: Reported) -> list[dict[str, Any]]:
    """Returns the lines of the tutorial's levels."""
    lines = reported.page.figures["learning"]["data"]
    return [line for line in lines if line.get("line", {}).get("dash") == "dash"]


def colour_of(reported: Reported, name: str) -> str:
    return theme.network_colour(reported.runs[name].recipe["network"])


def test_each_chart_has_a_title_of_its_own(reported: Reported) -> None:
    titles = [title_of(reported.page.figures[chart]) for chart in CHARTS]
    assert set(CHARTS) == set(reported.page.figures)
    assert all(titles)
    assert len(set(titles)) == len(CHARTS)


def test_the_charts_of_a_report_are_not_titled_as_on_a_page(reported: Reported) -> None:
    for chart, draw in PAGE_CHARTS.items():
        default = inspect.signature(draw).parameters["title"].default
        assert title_of(reported.page.figures[chart]) != default


@pytest.mark.parametrize("name", ORDER)
def test_a_matrix_is_titled_with_its_run_epoch_and_split(reported: Reported, name: str) -> None:
    title = title_of(reported.page.figures[f"matrix-{ORDER.index(name)}"])
    epochs = len(reported.runs[name].metrics)
    _, told = title.split(name)
    assert re.findall(r"\d+", told) == [str(epochs)]
    assert re.findall("train|test|validation", told) == ["test"]


@pytest.mark.parametrize("name", ORDER)
def test_a_run_has_its_networks_colour_in_every_chart(reported: Reported, name: str) -> None:
    figures, own = reported.page.figures, colour_of(reported, name)
    lines = [
        trace
        for chart in ("learning", "reliability")
        for trace in figures[chart]["data"]
        if (trace.get("name") or "").startswith(name) and "best" not in trace["name"]
    ]
    assert [trace["line"]["color"] for trace in lines] == [own] * 4
    (ring,) = [
        trace
        for trace in figures["learning"]["data"]
        if trace["name"].startswith(name) and "best" in trace["name"]
    ]
    assert ring["marker"]["line"]["color"] == own
    accuracy = figures["accuracy"]["data"][ORDER.index(name)]
    assert accuracy["marker"]["color"] == own
    assert figures["times"]["data"][0]["marker"]["color"][ORDER.index(name)] == own
    assert len({colour_of(reported, other) for other in ORDER}) == 2


def test_what_the_tutorial_printed_has_the_colour_of_nothing_measured(reported: Reported) -> None:
    published = theme.LIGHT.published
    assert [line["line"]["color"] for line in levels_of(reported)] == [published] * len(TUTORIAL)
    rows = reported.page.figures["accuracy"]["data"][len(ORDER) :]
    assert [row["marker"]["color"] for row in rows] == [published] * len(TUTORIAL)


def test_the_levels_of_the_tutorial_reach_from_the_first_epoch_to_the_last(
    reported: Reported,
) -> None:
    last = max(len(files.metrics) for files in reported.runs.values())
    ends = [(list(line["x"]), len(set(line["y"]))) for line in levels_of(reported)]
    assert ends == [([1, last], 1)] * len(TUTORIAL)


def test_before_the_temperature_a_line_is_dotted_and_after_it_solid(reported: Reported) -> None:
    dashes = [line["line"]["dash"] for line in reported.page.figures["reliability"]["data"][1:]]
    assert dashes == ["dot", "solid"] * len(ORDER)


@pytest.mark.parametrize("chart", ["accuracy", "learning", "times", "reliability"])
def test_every_point_lies_within_the_named_axes(reported: Reported, chart: str) -> None:
    figure = reported.page.figures[chart]
    layout = figure["layout"]
    assert layout["xaxis"]["title"]["text"]
    for axis in "xy":
        ends = layout[f"{axis}axis"].get("range")
        values = [value for trace in figure["data"] for value in trace[axis]]
        numbers = [value for value in values if isinstance(value, int | float)]
        if ends and numbers:
            assert min(ends) <= min(numbers) <= max(numbers) <= max(ends)
    assert layout["xaxis"].get("range")


def test_a_click_on_a_matrix_of_a_report_asks_for_nothing(reported: Reported) -> None:
    modes = [reported.page.figures[f"matrix-{place}"]["layout"]["clickmode"] for place in (0, 1)]
    assert modes == ["none"] * 2


def test_the_style_sheet_has_the_labs_own_colours(reported: Reported) -> None:
    sheets = "".join(one.text or "" for one in reported.page.root.iter("style"))
    shown = dict(re.findall(r"--(\w+):(#\w+);", sheets))
    colours = theme.LIGHT
    assert shown == {
        "ink": colours.ink,
        "muted": colours.muted,
        "grid": colours.grid,
        "right": colours.right,
        "wrong": colours.wrong,
        "tutorial": colours.published,
        **colours.networks,
    }
