"""The whole way from an image to the prediction, in short: on the page and as it is saved."""

from __future__ import annotations

import html

import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from cifar_core import formats
from cifar_core.dataset import CIFAR10
from cifar_core.ui.kit.svg_figures import Row, Tile
from cifar_core.ui.networks.channel_grids import (
    as_square,
    channel_tiles,
    own_greys,
    picture_html,
    strengths,
)
from cifar_core.ui.networks.number_tables import number
from cifar_core.ui.networks.subject import Subject, step_title

FLOW_CHANNELS = 4
"""Channels per step where the whole network is shown."""


def class_bars(values: NDArray[np.float32], *, is_share: bool) -> str:
    """Returns the HTML of ten numbers as bars in the colours of the classes."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()), 1e-9)
    span = high - low
    rows = []
    for label, value in enumerate(float(value) for value in values):
        start, width = (min(value, 0) - low) / span, abs(value) / span
        words = formats.percent(value) if is_share else number(value)
        rows.append(
            f'<tr><th scope="row">{html.escape(CIFAR10.class_names[label])}</th><td>{words}</td>'
            f'<td class="lab-track"><span style="margin-left: {100 * start:.1f}%; '
            f"width: {100 * width:.1f}%; "
            f'background: {CIFAR10.class_colours[label]}"></span></td></tr>'
        )
    return f'<table class="lab-bars">{"".join(rows)}</table>'


def flow_html(subject: Subject) -> str:
    """Returns the HTML of the whole way: the picture, then each step's most active channels."""
    picture = picture_html(subject.pixels, 64, subject.title)
    columns = [
        f"<div><header><strong>picture</strong>32 × 32 × 3</header><figure>{picture}</figure></div>"
    ]
    for index, output in enumerate(subject.outputs):
        number, words, size = step_title(subject.inspector.ops, index).split("  ")
        made = output.made
        if made.ndim == 3:
            order = np.argsort(-strengths(made), kind="stable")[:FLOW_CHANNELS]
            figures = "".join(
                f"<figure>{picture_html(own_greys(made[..., at]), 64, f'channel {at}')}"
                f'<figcaption class="lab-more">{at}</figcaption></figure>'
                for at in order
            )
        elif len(made) == len(CIFAR10.class_names):
            figures = f'<figure style="width: 210px">{_short_bars(subject, index)}</figure>'
        else:
            figures = f"<figure>{row_html(made, 64)}</figure>"
        words, _, then = words.partition(" + ")
        columns.append(
            f"<div><header><strong>{number} {html.escape(words)}</strong>"
            f"{size}<br>{f'+ {html.escape(then)}' if then else ''}</header>"
            f"{figures}</div>"
        )
    words = "From the picture to the answer"
    return (
        f'<div class="lab-flow" tabindex="0" role="region" aria-label="{words}">'
        f"{''.join(columns)}</div>"
    )


def flow_rows(subject: Subject) -> list[Row]:
    """Returns the whole way as it is saved: a row for the image, then one for each step."""
    rows = [Row([Tile(subject.pixels, ("32 × 32 × 3",))], heading=subject.title)]
    for index, (step, output) in enumerate(
        zip(subject.inspector.ops, subject.outputs, strict=True)
    ):
        heading = " ".join(step_title(subject.inspector.ops, index).split())
        made = output.made
        if made.ndim == 3:
            order = np.argsort(-strengths(made), kind="stable")[:FLOW_CHANNELS]
            tiles = channel_tiles(made, [int(at) for at in order], each_for_itself=True)
        elif len(made) == len(CIFAR10.class_names):
            tiles = class_tiles(made, is_share=step.kind == "Softmax")
        else:
            tiles = [row_tile(made)]
        rows.append(Row(tiles, heading))
    return rows


def class_tiles(values: NDArray[np.float32], *, is_share: bool) -> list[Tile]:
    """Returns a patch in the colour of each class with its name and its number."""
    patches = [
        np.full((8, 8, 3), ImageColor.getrgb(colour), np.uint8) for colour in CIFAR10.class_colours
    ]
    words = [formats.percent(float(v)) if is_share else number(float(v)) for v in values]
    return [
        Tile(patch, (name, word))
        for patch, name, word in zip(patches, CIFAR10.class_names, words, strict=True)
    ]


def row_tile(made: NDArray[np.float32]) -> Tile:
    """Returns a row of numbers (n,) folded into a square of greys."""
    folded = np.nan_to_num(as_square(made), nan=0.0)
    return Tile(own_greys(folded), (f"{len(made):,} numbers",))


def _short_bars(subject: Subject, index: int) -> str:
    is_share = subject.inspector.ops[index].kind == "Softmax"
    return class_bars(subject.outputs[index].made, is_share=is_share).replace(
        'class="lab-bars"', 'class="lab-bars" style="font-size: .75rem"'
    )


def row_html(made: NDArray[np.float32], most: int) -> str:
    """Returns the HTML of a row of numbers (n,) as a square of at most so many pixels."""
    return picture_html(row_tile(made).image, most, f"{len(made):,} numbers as greys")
