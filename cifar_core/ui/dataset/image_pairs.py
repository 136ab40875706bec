"""Pictures in pairs, side by side, each leading to its own page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.ui.kit.images import enlarge, image_html, picture_address

SIDE = 96


@dataclass(frozen=True, eq=False)
class Side:
    """One picture of a pair.

    Attributes:
        pixels: (32, 32, 3) uint8.
        split: ``train`` or ``test``.
        index: Its official index.
        label: The name of its class.
        has_page: Whether it is in the dataset that is here, and so has a page of its own.
    """

    pixels: NDArray[np.uint8]
    split: str
    index: int
    label: str
    has_page: bool = True


def pair_gallery(pairs: Sequence[tuple[Side, Side]], notes: Sequence[str]) -> None:
    """Draws pairs of pictures with their classes, numbers and a note each."""
    items = "".join(_pair(*pair, note) for pair, note in zip(pairs, notes, strict=True))
    columns = f"grid-template-columns: repeat(auto-fill, {2 * SIDE + 4}px)"
    st.html(f'<div class="lab-pairs" role="list" style="{columns}">{items}</div>')


def _pair(left: Side, right: Side, note: str) -> str:
    same = left.label if left.label == right.label else f"{left.label} | {right.label}"
    numbers = f"{left.split} {left.index} | {right.split} {right.index}\n{note}"
    words = f'{html.escape(same)}\n<span class="lab-note">{html.escape(numbers)}</span>'
    return (
        f'<figure role="listitem"><div>{_side(left)}{_side(right)}</div>'
        f"<figcaption>{words}</figcaption></figure>"
    )


def _side(side: Side) -> str:
    link = html.escape(picture_address(side.split, side.index), quote=True)
    alt = f"{side.label}, {side.split} {side.index}"
    shown = image_html(enlarge(side.pixels), alt, width=SIDE, height=SIDE)
    return f'<a href="{link}" target="_self">{shown}</a>' if side.has_page else shown
