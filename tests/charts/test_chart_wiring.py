"""Where a chart's names, colours and blocks stand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from cifar_core.charts import curves, matrix, network, theme
from cifar_core.charts.curves import CurveSeries
from cifar_core.evaluation.published import published_matrix
from cifar_core.networks.description import load_description

SHORT = CurveSeries("Short", "cnn4", [1, 2], [0.3, 0.4])
LONG = CurveSeries("Long", "cnn6", [1, 2, 3, 4], [0.5, 0.6, 0.7, 0.8])


def test_the_names_of_finished_lines_stand_in_one_column() -> None:
    chart = curves.accuracy_curve([SHORT, LONG])
    assert {name.text: name.x for name in chart.layout.annotations} == {"Short": 4, "Long": 4}


def test_the_name_of_a_line_that_still_grows_stands_at_its_own_end() -> None:
    chart = curves.accuracy_curve([SHORT, LONG], until=9)
    assert {name.text: name.x for name in chart.layout.annotations} == {"Short": 2, "Long": 4}
    assert tuple(chart.layout.xaxis.range) == (1, 9)


def test_two_equal_matrices_are_drawn_on_a_scale_from_minus_one_to_one() -> None:
    counts = published_matrix("cnn4")
    heatmap = matrix.difference_heatmap(counts, counts).data[0]
    assert (heatmap.zmin, heatmap.zmax) == (-1, 1)


def test_two_matrices_are_drawn_on_a_scale_to_their_largest_difference() -> None:
    one = published_matrix("cnn4")
    other = one.copy()
    other[2, 5] += 7
    other[8, 1] -= 4
    heatmap = matrix.difference_heatmap(one, other).data[0]
    assert (heatmap.zmin, heatmap.zmax) == (-7, 7)


def test_the_blocks_of_a_network_stand_98_pixels_apart() -> None:
    described = load_description("cnn4")
    drawing = network.network_svg(described)
    names = re.findall(r'<text x="([\d.]+)" y="[\d.]+" text-anchor="middle"[^>]*"600"', drawing)
    places = np.array(names, np.float64)
    assert places.tolist() == [98 * (place + 0.5) for place in range(len(places))]
    assert len(places) == len(network.blocks(described))
    assert network.drawing_width(described) == 98 * len(places) + 70


@pytest.mark.parametrize("name", ["cnn4", "cnn6"])
def test_a_blocks_height_follows_its_map_and_its_thickness_the_channels(name: str) -> None:
    described = load_description(name)
    maps = [block.shape for block in network.blocks(described) if len(block.shape) == 3]
    fronts = re.findall(
        r'points="([^"]+)" fill="[^"]+" fill-opacity="1"', network.network_svg(described)
    )
    corners = [np.array([at.split(",") for at in front.split()], float) for front in fronts]
    sides = np.array([np.ptp(front, axis=0) for front in corners[: len(maps)]])
    heights, channels = np.array(maps)[:, 0], np.array(maps)[:, 2]
    assert sides[:, 1] / heights == pytest.approx(np.full(len(maps), sides[0, 1] / heights[0]))
    per_channel, least = np.polyfit(channels, sides[:, 0], 1)
    assert per_channel > 0.1
    assert sides[:, 0] == pytest.approx(least + per_channel * channels)
    assert len(set(heights)) > 2
    assert len(set(channels)) > 2


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ["cnn4", "cnn6"])
def test_convolutions_have_the_networks_colour_and_dense_layers_that_of_text(
    name: str, dark: bool
) -> None:
    described = load_description(name)
    *kinds, answers = [block.kind for block in network.blocks(described)]
    drawing = network.network_svg(described, dark=dark)
    shown = re.findall(r'points="[^"]+" fill="([^"]+)" fill-opacity="1"', drawing)
    colours = theme.palette(dark)
    own = {"Conv2D": theme.network_colour(name, dark=dark), "Dense": colours.ink}
    assert shown == [own.get(kind, colours.muted) for kind in kinds]
    assert {"Conv2D", "MaxPooling2D", "Dense"} <= {*kinds, answers}
    assert len({*own.values(), colours.muted}) == 3
