"""What a step makes of a picture, drawn: a small grey picture per channel, filters in colour.

Every picture is enlarged by whole factors, so that a number stays a square.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cifar_core.ui.kit.images import enlarge, image_html
from cifar_core.ui.kit.svg_figures import Tile

CELL = 96
"""Pixels that a channel's picture fills as far as a whole factor lets it."""

MOST_CELLS = 512
"""What one grid draws at most; further channels are left out."""


def grey(values: NDArray[np.float32], *, low: float, high: float) -> NDArray[np.uint8]:
    """Returns numbers as greys from black (low) to white (high), (h, w) uint8."""
    width = high - low
    shares = (values - low) / width if width > 0 else np.zeros_like(values)
    greys: NDArray[np.uint8] = np.rint(255 * np.clip(shares, 0, 1)).astype(np.uint8)
    return greys


def own_greys(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Returns numbers as greys from zero, or their smallest where it is negative, to their largest.

    Args:
        values: (height, width).
    """
    return grey(values, low=min(0.0, float(values.min())), high=float(values.max()))


def as_square(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns a row of numbers folded into lines, nearly a square; NaN fills the last line."""
    side = int(np.ceil(np.sqrt(len(values))))
    folded = np.full(side * -(-len(values) // side), np.nan, np.float32)
    folded[: len(values)] = values
    return folded.reshape(-1, side)


def strengths(made: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns how active each channel is: the mean size of its numbers, (channels,)."""
    sizes: NDArray[np.float32] = np.abs(made).mean(axis=(0, 1))
    return sizes


def channel_grid(
    made: NDArray[np.float32], order: Sequence[int], *, each_for_itself: bool = False
) -> str:
    """Returns the HTML of a grid with a grey picture per channel.

    Args:
        made: (height, width, channels).
        order: Which channels, in which order.
        each_for_itself: Every channel from its own smallest to its own largest number; else
            all on one scale.
    """
    cells = []
    tiles = channel_tiles(made, order, each_for_itself=each_for_itself)
    for channel, tile in zip(order, tiles, strict=False):
        words = f"Channel {channel}, mean {np.abs(made[..., channel]).mean():.2f}"
        number, _, more = tile.lines[0].partition(" ")
        cells.append(
            f'<figure role="listitem">{picture_html(tile.image, CELL, words)}'
            f'<figcaption>{number} <span class="lab-more">{more}</span></figcaption></figure>'
        )
    return _grid(cells)


def channel_tiles(
    made: NDArray[np.float32], order: Sequence[int], *, each_for_itself: bool = False
) -> list[Tile]:
    """Returns the grid's pictures with number and strength; arguments as there."""
    sizes = strengths(made)
    tiles = []
    for channel in order[:MOST_CELLS]:
        values = made[..., channel]
        span = values if each_for_itself else made
        picture = grey(values, low=min(0.0, float(span.min())), high=float(span.max()))
        more = f"{sizes[channel]:.2f}" if values.any() else "dark"
        tiles.append(Tile(picture, (f"{channel} {more}",)))
    return tiles


def filter_pictures(kernel: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Returns the filters of a convolution that reads pictures, as small colour pictures.

    Middle grey is zero. Each filter is brightened for itself until its largest weight is full.

    Args:
        kernel: (height, width, 3, filters).

    Returns:
        (filters, height, width, 3) uint8.
    """
    largest = np.abs(kernel).max(axis=(0, 1, 2))
    shares = kernel / np.where(largest > 0, largest, 1)
    pictures: NDArray[np.uint8] = np.rint(127.5 + 127.5 * shares).astype(np.uint8)
    return np.ascontiguousarray(pictures.transpose(3, 0, 1, 2))


def filter_grid(kernel: NDArray[np.float32], order: Sequence[int]) -> str:
    """Returns the HTML of a grid with a colour picture per filter.

    Args:
        kernel: (height, width, 3, filters).
        order: Which filters, in which order.
    """
    cells = []
    for index, tile in zip(order, filter_tiles(kernel, order), strict=False):
        number, _, more = tile.lines[0].partition(" ")
        cells.append(
            f'<figure role="listitem">{picture_html(tile.image, CELL, f"Filter {index}")}'
            f'<figcaption>{number} <span class="lab-more">{more}</span></figcaption></figure>'
        )
    return _grid(cells)


def filter_tiles(kernel: NDArray[np.float32], order: Sequence[int]) -> list[Tile]:
    """Returns the grid's pictures with number and largest weight; arguments as there."""
    pictures = filter_pictures(kernel)
    largest = np.abs(kernel).max(axis=(0, 1, 2))
    return [Tile(pictures[at], (f"{at} ±{largest[at]:.2f}",)) for at in order[:MOST_CELLS]]


def _grid(cells: Sequence[str]) -> str:
    columns = f"grid-template-columns: repeat(auto-fill, {CELL}px)"
    return f'<div class="lab-channels" role="list" style="{columns}">{"".join(cells)}</div>'


def picture_html(picture: NDArray[np.uint8], most: int, words: str) -> str:
    """Returns the HTML of a picture enlarged by the largest whole factor that fits.

    Args:
        picture: (height, width) greys or (height, width, 3) colours.
        most: Pixels that its longer side may fill.
        words: What it is, for those who do not see it.
    """
    height, width = picture.shape[:2]
    factor = max(1, most // max(height, width))
    return image_html(
        enlarge(picture),
        words,
        class_="lab-squares",
        width=width * factor,
        height=height * factor,
    )
