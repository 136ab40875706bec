from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from cifar_core.charts import theme
from cifar_core.dataset import CIFAR10

# Full dichromacy in linear RGB: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A
# physiologically-based model for simulation of color vision deficiency", 2009.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def linear(colour: str) -> np.ndarray:
    """Returns a #rrggbb colour as linear RGB."""
    values = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def oklab(rgb: np.ndarray) -> np.ndarray:
    """Returns linear RGB as OKLab (B. Ottosson, 2020), in which distance is what one sees."""
    cones = np.cbrt(
        np.clip(rgb, 0, 1)
        @ np.array(
            [
                [0.4122214708, 0.2119034982, 0.0883024619],
                [0.5363325363, 0.6806995451, 0.2817188376],
                [0.0514459929, 0.1073969566, 0.6299787005],
            ]
        )
    )
    return np.asarray(
        cones
        @ np.array(
            [
                [0.2104542553, 1.9779984951, 0.0259040371],
                [0.7936177850, -2.4285922050, 0.7827717662],
                [-0.0040720468, 0.4505937099, -0.8086757660],
            ]
        )
    )


def seen_distance(one: str, other: str, vision: str) -> float:
    """Returns how far apart two colours look to someone; 0.02 is just noticeable."""
    matrix = VISIONS[vision]
    return float(np.linalg.norm(oklab(matrix @ linear(one)) - oklab(matrix @ linear(other))))


def contrast(one: str, other: str) -> float:
    """Returns the WCAG contrast ratio of two colours."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    high, low = sorted((float(weights @ linear(c)) for c in (one, other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("vision", VISIONS)
def test_any_two_classes_can_be_told_apart(vision: str) -> None:
    nearest = min(
        seen_distance(one, other, vision)
        for one, other in itertools.combinations(CIFAR10.class_colours, 2)
    )
    assert nearest > 0.1


@pytest.mark.parametrize("order", CIFAR10.class_orders)
def test_neighbours_differ_in_lightness_or_clearly_in_hue(order: str) -> None:
    labels = theme.in_order(order)
    for one, other in itertools.pairwise(labels):
        colours = CIFAR10.class_colours[one], CIFAR10.class_colours[other]
        assert contrast(*colours) > 1.25 or seen_distance(*colours, "deuteranopia") > 0.14


def test_vehicles_are_cool_and_animals_warm() -> None:
    warmth = [
        oklab(linear(colour))[1] + oklab(linear(colour))[2] for colour in CIFAR10.class_colours
    ]
    assert max(warmth[label] for label in CIFAR10.class_groups["vehicles"]) < 0
    assert min(warmth[label] for label in CIFAR10.class_groups["animals"]) > 0


@pytest.mark.parametrize("order", CIFAR10.class_orders.values())
def test_every_order_holds_every_class_once(order: tuple[int, ...]) -> None:
    assert sorted(order) == list(range(10))


@pytest.mark.parametrize("dark", [False, True])
def test_classes_stand_out_from_the_background(dark: bool) -> None:
    background = theme.palette(dark).background
    assert min(contrast(colour, background) for colour in CIFAR10.class_colours) > 1.5


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("vision", VISIONS)
def test_the_two_networks_can_be_told_apart(dark: bool, vision: str) -> None:
    one, other = (theme.network_colour(name, dark=dark) for name in ("cnn4", "cnn6"))
    assert seen_distance(one, other, vision) > 0.1


@pytest.mark.parametrize("dark", [False, True])
def test_lines_and_small_text_meet_the_contrast_of_wcag(dark: bool) -> None:
    colours = theme.palette(dark)
    for line in (*colours.networks.values(), colours.published, colours.right, colours.wrong):
        assert contrast(line, colours.background) >= 3
    for ground in (colours.background, colours.raised):
        assert contrast(colours.ink, ground) >= 7
    assert contrast(colours.muted, colours.background) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_the_sequential_scale_starts_at_the_background_in_even_steps(dark: bool) -> None:
    colours = theme.palette(dark)
    assert colours.sequential[0] == colours.background
    steps = [seen_distance(a, b, "normal") for a, b in itertools.pairwise(colours.sequential)]
    assert max(steps) / min(steps) < 1.1
    lightness = np.diff([oklab(linear(colour))[0] for colour in colours.sequential])
    assert (lightness > 0).all() or (lightness < 0).all()


@pytest.mark.parametrize("dark", [False, True])
def test_the_diverging_scale_has_the_background_in_its_middle_and_even_steps(dark: bool) -> None:
    colours = theme.palette(dark)
    middle = len(colours.diverging) // 2
    assert len(colours.diverging) % 2 == 1
    assert colours.diverging[middle] == colours.background
    steps = [seen_distance(a, b, "normal") for a, b in itertools.pairwise(colours.diverging)]
    assert max(steps) / min(steps) < 1.15


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("dark", [False, True])
def test_the_ends_of_the_diverging_scale_differ_to_everyone(dark: bool, vision: str) -> None:
    ends = theme.palette(dark).diverging
    assert seen_distance(ends[0], ends[-1], vision) > 0.1


def test_a_title_says_run_epoch_and_split() -> None:
    title = theme.Title("Confusion matrix", run="CNN-4 best", epoch=30, split="test")
    chart = theme.style(theme.figure(), title=title)
    assert "<b>Confusion matrix</b>" in chart.layout.title.text
    assert "CNN-4 best · epoch 30 · test pictures" in chart.layout.title.text


def test_a_name_typed_by_a_person_stays_text() -> None:
    chart = theme.style(theme.figure(), title=theme.Title("A <b>", run='<a href="x">y</a>'))
    assert "<a" not in chart.layout.title.text
    assert "A &lt;b&gt;" in chart.layout.title.text


def test_a_dressed_figure_is_light_and_clear() -> None:
    chart = theme.style(theme.figure(), title="Nothing", dark=True)
    assert chart.layout.paper_bgcolor == theme.DARK.background
    assert chart.layout.plot_bgcolor == theme.CLEAR
    assert len(chart.to_json()) < 2500  # bytes; Plotly's own template alone has 6,000
    json.loads(chart.to_json())


def test_no_button_sends_a_chart_to_anyone() -> None:
    settings = theme.config("matrix", vector=True)
    assert settings["showSendToCloud"] is False
    assert settings["plotlyServerURL"] == ""
    assert settings["toImageButtonOptions"]["format"] == "svg"
