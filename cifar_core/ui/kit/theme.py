"""The look that every page shares: the stylesheet and the logo."""

from __future__ import annotations

import functools
from pathlib import Path

import streamlit as st
from PIL import Image, ImageColor

from cifar_core.charts.theme import DARK, LIGHT, palette
from cifar_core.dataset import CIFAR10

RIGHT_SIGN = "✓"
WRONG_SIGN = "✗"

# A very small picture, in the classes' own colours: sky, an aeroplane's wing, fur.
_PIXELS = ("0880", "8918", "2552", "2442")


def is_dark() -> bool:
    """Returns whether the viewer sees the dark theme; light where that is not known."""
    return st.context.theme.type == "dark"


def favicon() -> Image.Image:
    """Returns the lab's mark for the browser's tab, without words.

    A picture, because Streamlit fetches ``:material/…:`` page icons from the network.
    """
    picture = Image.new("RGB", (4, 4))
    colours = [ImageColor.getrgb(CIFAR10.class_colours[int(label)]) for label in "".join(_PIXELS)]
    picture.putdata(colours)
    return picture.resize((64, 64), Image.Resampling.NEAREST)


def logo_svg() -> str:
    """Returns the lab's mark: a picture of very few pixels."""
    squares = "".join(
        f'<rect x="{8 * x}" y="{8 * y}" width="7" height="7" rx="1" '
        f'fill="{CIFAR10.class_colours[int(label)]}"/>'
        for y, line in enumerate(_PIXELS)
        for x, label in enumerate(line)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 180 31" width="180" height="31">'
        f'{squares}<text x="42" y="22" font-family="Source Serif Pro, Georgia, serif" '
        f'font-size="19" font-weight="600" textLength="134" lengthAdjust="spacingAndGlyphs" '
        f'fill="{palette(is_dark()).ink}">CIFAR-10 Lab</text>'
        "</svg>"
    )


@functools.cache
def stylesheet() -> str:
    """Returns the shared rules, and of the charts' colours those that stand in text, too."""
    colours = " ".join(
        f"--lab-{name}: light-dark({getattr(LIGHT, name)}, {getattr(DARK, name)});"
        for name in ("muted", "right", "wrong")
    )
    rules = Path(__file__).with_name("lab.css").read_text(encoding="utf-8")
    return f"<style>:root {{ {colours} }}\n{rules}</style>"


def dress() -> None:
    """Puts the shared rules and the logo on the page; app.py calls it once per run."""
    st.html(stylesheet())
    st.logo(logo_svg(), size="large")
