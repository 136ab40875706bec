"""Small pieces of Networks and of the look: what is said of a step, the colours of numbers."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import ImageColor

from cifar_core.charts.theme import DARK, LIGHT, Palette
from cifar_core.inference.arithmetic import WorkedConvolution
from cifar_core.inference.litert_ops import LiteRtOp
from cifar_core.inference.operations import Operation
from cifar_core.inference.windows import Window
from cifar_core.ui.kit.theme import favicon, logo_svg
from cifar_core.ui.networks.activations import seen_in_words
from cifar_core.ui.networks.number_tables import signed_colours
from cifar_core.ui.networks.worked_section import served_words


def worked(*, is_8_bit: bool) -> WorkedConvolution:
    """A convolution whose rounding changes what it reads by 0.125 at most."""
    read = np.arange(9.0).reshape(3, 3, 1)
    rounded = read.copy()
    rounded[1, 1] -= 0.125
    rounded[0, 0] += 0.0625
    return WorkedConvolution(
        window=Window(0, 0, rounded, np.ones((3, 3), bool)),
        read=read,
        kernel=read,
        products=rounded * read,
        channel_sums=(rounded * read).sum(axis=(0, 1)),
        bias=0.0,
        total=1.0,
        result=1.0,
        network=1.0,
        is_8_bit=is_8_bit,
    )


@pytest.mark.parametrize("reads_picture", [False, True])
def test_a_step_of_8_bits_says_how_much_its_rounding_changes(reads_picture: bool) -> None:
    words = served_words(worked(is_8_bit=True), activation="", reads_picture=reads_picture)
    assert len(words) == 1 + reads_picture
    assert "0.1250" in words[-1]


@pytest.mark.parametrize("reads_picture", [False, True])
def test_a_step_of_floats_says_nothing_of_rounding(reads_picture: bool) -> None:
    words = served_words(worked(is_8_bit=False), activation="relu", reads_picture=reads_picture)
    assert len(words) == reads_picture


def test_the_zeros_of_a_row_are_counted_and_no_other_number() -> None:
    step = LiteRtOp("FULLY_CONNECTED", (20,), Operation("FULLY_CONNECTED", (0,), 1), (40,))
    made = np.array([0.0] * 7 + [-1.0] * 3 + [1.0] * 10, np.float32)
    words = seen_in_words(step, made)
    assert re.findall(r"\d+(?:\.\d+)?", words)[:3] == ["20", "7", "35.0"]


@pytest.mark.parametrize(("palette", "dark"), [(LIGHT, False), (DARK, True)])
def test_a_number_has_the_colour_of_its_place_on_the_diverging_scale(
    palette: Palette, dark: bool
) -> None:
    scale = palette.diverging
    steps = len(scale) - 1
    values = np.linspace(-3.0, 3.0, 2 * steps + 1)
    (colours,) = signed_colours(values[None], limit=3.0, dark=dark)
    assert colours[::2] == [colour.lower() for colour in scale]
    for place, colour in enumerate(colours[1::2]):
        ends = [ImageColor.getrgb(end) for end in scale[place : place + 2]]
        between = np.mean(ends, axis=0)
        np.testing.assert_allclose(ImageColor.getrgb(colour), between, atol=0.51)


def test_the_icon_of_the_tab_has_the_squares_of_the_logo() -> None:
    squares = re.findall(r'<rect x="(\d+)" y="(\d+)"[^>]*fill="(#\w+)"', logo_svg())
    assert len(squares) == 16
    icon = favicon().convert("RGB")
    assert len({colour for _, _, colour in squares}) > 1
    for x, y, colour in squares:
        assert icon.getpixel((2 * int(x) + 8, 2 * int(y) + 8)) == ImageColor.getrgb(colour)
