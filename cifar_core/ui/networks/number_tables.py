"""Small tables of numbers with coloured cells: patches, kernels, products, and sums below them."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cifar_core.charts.theme import palette


def cells(
    values: NDArray[np.float64],
    colours: Sequence[Sequence[str]],
    *,
    caption: str,
    digits: int = 2,
    outside: NDArray[np.bool_] | None = None,
    largest: tuple[int, int] | None = None,
) -> str:
    """Returns the HTML of a table of numbers.

    Args:
        values: (rows, columns).
        colours: Ground of each cell, as #rrggbb.
        caption: What the numbers are.
        digits: Decimals shown.
        outside: (rows, columns): what lies outside the picture.
        largest: The cell that is marked.
    """
    lines = []
    for row, line in enumerate(values):
        parts = []
        for column, value in enumerate(line):
            ground = colours[row][column]
            kinds = []
            if outside is not None and outside[row, column]:
                kinds.append("lab-outside")
            if largest == (row, column):
                kinds.append("lab-largest")
            parts.append(
                f'<td class="{" ".join(kinds)}" style="background: {ground}; '
                f'color: {readable_on(ground)}">{number(float(value), digits)}</td>'
            )
        lines.append(f"<tr>{''.join(parts)}</tr>")
    words = html.escape(caption)
    return f'<table class="lab-cells"><caption>{words}</caption>{"".join(lines)}</table>'


def number(value: float, digits: int = 2) -> str:
    """Returns a number with a true minus sign, and no minus before nothing."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        return text.lstrip("-")
    return text.replace("-", "\N{MINUS SIGN}")


def signed_colours(values: NDArray[np.float64], *, limit: float, dark: bool) -> list[list[str]]:
    """Returns a colour per number: none at zero, one hue for each sign, full at the limit."""
    scale = palette(dark).diverging
    places = 0.5 + 0.5 * np.clip(values / (limit or 1), -1, 1)
    return [[_between(scale, float(place)) for place in line] for line in places]


def grey_colours(values: NDArray[np.float64], *, limit: float) -> list[list[str]]:
    """Returns a grey per number, from black at zero to white at the limit."""
    shares = np.clip(values / (limit or 1), 0, 1)
    levels = np.rint(255 * shares).astype(int)
    return [[f"#{level:02x}{level:02x}{level:02x}" for level in line] for line in levels]


def light_colours(values: NDArray[np.float64], channel: int) -> list[list[str]]:
    """Returns the colour of one channel's light: red, green or blue of 0 to 255."""
    levels = np.rint(np.clip(values, 0, 255)).astype(int)
    return [
        ["#" + "".join(f"{level if at == channel else 0:02x}" for at in range(3)) for level in line]
        for line in levels
    ]


def pixel_colours(values: NDArray[np.float64]) -> list[list[str]]:
    """Returns the colours of pixels (rows, columns, 3), 0 to 255."""
    levels = np.rint(np.clip(values, 0, 255)).astype(int)
    return [[f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in line] for line in levels]


def readable_on(ground: str) -> str:
    """Returns black or white, whichever is easier to read on a ground.

    By the relative luminance of WCAG 2.2.
    """
    parts = [int(ground[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if luminance > 0.179 else "#ffffff"


def _between(scale: Sequence[str], place: float) -> str:
    at = place * (len(scale) - 1)
    low = min(int(at), len(scale) - 2)
    share = at - low
    mixed = [
        round(
            int(scale[low][part : part + 2], 16) * (1 - share)
            + int(scale[low + 1][part : part + 2], 16) * share
        )
        for part in (1, 3, 5)
    ]
    return "#" + "".join(f"{level:02x}" for level in mixed)
