"""Figures of pixels as SVG, and the lab's own SVG as PNG.

A figure is rows of tiles: small images enlarged by a whole factor, so that a pixel stays a square,
with lines of text below. The same SVG is what is saved as such and what Pillow paints.
"""

from __future__ import annotations

import base64
import functools
import html
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from cifar_core.charts import theme
from cifar_core.ui.kit.images import data_url, enlarge

SCALE: Final = 2
"""Pixels of a PNG for one of the SVG: as sharp as the charts' own."""

GAP: Final = 12
LINE: Final = 17
TEXT: Final = 13

_LIGHT, _BOLD = 400, 600


@dataclass(frozen=True)
class Tile:
    """One image of a figure.

    Attributes:
        image: (height, width) greys or (height, width, 3) colours, uint8.
        lines: Below it, the first one in the colour of ink.
    """

    image: NDArray[np.uint8]
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """Tiles that belong together; they go on in further lines where there are too many.

    Attributes:
        tiles: From left to right.
        heading: Above them; empty for none.
    """

    tiles: Sequence[Tile]
    heading: str = ""


def figure_svg(
    rows: Sequence[Row], *, title: str, side: int, columns: int, dark: bool = False
) -> str:
    """Returns a figure of tiles as SVG on the ground of the page.

    Args:
        rows: From top to bottom.
        title: Above all; long ones go on in further lines.
        side: Pixels that an image may fill; it is enlarged by the largest whole factor that fits.
        columns: Most tiles in a line.
        dark: Which mode.
    """
    colours = theme.palette(dark)
    widest = max((min(columns, len(row.tiles)) for row in rows), default=1)
    width = max(GAP + widest * (side + GAP), 360)
    parts = []
    y = float(GAP)
    for line in _wrapped(title, width - 2 * GAP):
        parts.append(_text(GAP, y + TEXT, line, colours.ink, bold=True))
        y += LINE
    for row in rows:
        if row.heading:
            parts.append(_text(GAP, y + GAP + TEXT, row.heading, colours.ink, bold=True))
            y += GAP + LINE
        for first in range(0, len(row.tiles), columns):
            some = row.tiles[first : first + columns]
            y += GAP
            for place, tile in enumerate(some):
                parts += _tile(tile, GAP + place * (side + GAP), y, side, colours)
            tallest = max(_size(tile.image, side)[1] for tile in some)
            y += tallest + 4 + LINE * max(len(tile.lines) for tile in some)
    ground = f'<rect x="0" y="0" width="{width}" height="{y + GAP:g}" fill="{colours.background}"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y + GAP:g}" '
        f'width="{width}" height="{y + GAP:g}" font-family="{html.escape(theme.FONT)}">'
        f"{ground}{''.join(parts)}</svg>"
    )


def to_png(svg: str) -> bytes:
    """Returns an SVG of the lab as PNG, twice as large.

    Args:
        svg: Made of what :func:`figure_svg` and the drawing of a network are made of: ``rect``,
            ``line``, ``polygon``, ``text`` and ``image``.
    """
    root = ET.fromstring(svg)  # noqa: S314 - the lab has just written it
    size = tuple(math.ceil(SCALE * float(root.attrib[name])) for name in ("width", "height"))
    canvas = Image.new("RGB", (size[0], size[1]), "white")
    pen = ImageDraw.Draw(canvas, "RGBA")
    for element in root:
        kind = element.tag.rpartition("}")[2]
        known = element.attrib
        if kind == "rect":
            x, y, width, height = (_at(known, name) for name in ("x", "y", "width", "height"))
            box = (x, y, x + width - 1, y + height - 1)
            pen.rounded_rectangle(box, SCALE * float(known.get("rx", 0)), fill=_fill(known))
        elif kind == "polygon":
            numbers = [float(part) for part in known["points"].replace(",", " ").split()]
            points = [SCALE * number for number in numbers]
            pen.polygon(points, fill=_fill(known), outline=known.get("stroke"))
        elif kind == "line":
            _paint_line(pen, known)
        elif kind == "text":
            _paint_text(pen, known, element.text or "")
        elif kind == "image":
            _paint_image(canvas, known)
    buffer = io.BytesIO()
    canvas.save(buffer, format="PNG")
    return buffer.getvalue()


def _tile(tile: Tile, x: float, y: float, side: int, colours: theme.Palette) -> list[str]:
    width, height = _size(tile.image, side)
    shown = (
        f'<image x="{x:g}" y="{y:g}" width="{width}" height="{height}" '
        f'style="image-rendering: pixelated" href="{data_url(enlarge(tile.image))}"/>'
    )
    parts = [shown]
    for place, words in enumerate(tile.lines):
        colour = colours.muted if place else colours.ink
        parts.append(_text(x, y + height + 4 + TEXT + LINE * place, words, colour))
    return parts


def _size(image: NDArray[np.uint8], side: int) -> tuple[int, int]:
    factor = max(1, side // max(image.shape[:2]))
    return image.shape[1] * factor, image.shape[0] * factor


def _text(x: float, y: float, words: str, colour: str, *, bold: bool = False) -> str:
    weight = _BOLD if bold else _LIGHT
    shown = "".join(letter for letter in words if letter.isprintable())  # XML knows no others
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{TEXT}" font-weight="{weight}" '
        f'fill="{colour}">{html.escape(shown)}</text>'
    )


def _wrapped(words: str, width: float) -> list[str]:
    """Returns a text in lines that are not wider than so many pixels of the SVG."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _font(TEXT, _BOLD).getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _at(known: Mapping[str, str], name: str) -> float:
    return SCALE * float(known[name])


def _fill(known: Mapping[str, str]) -> tuple[int, ...]:
    opacity = round(255 * float(known.get("fill-opacity", 1)))
    return (*ImageColor.getrgb(known["fill"])[:3], opacity)


def _paint_line(pen: ImageDraw.ImageDraw, known: Mapping[str, str]) -> None:
    """Paints a line; a dashed one as the row of dots that the drawing's round caps make of it."""
    start, end = (_at(known, "x1"), _at(known, "y1")), (_at(known, "x2"), _at(known, "y2"))
    width = SCALE * float(known.get("stroke-width", 1))
    step = SCALE * sum(float(part) for part in known.get("stroke-dasharray", "").split())
    if not step:
        pen.line((*start, *end), fill=known["stroke"], width=round(width))
        return
    for place in np.arange(0, math.dist(start, end), step) / math.dist(start, end):
        x, y = (a + place * (b - a) for a, b in zip(start, end, strict=True))
        pen.circle((x, y), width / 2, fill=known["stroke"])


def _paint_text(pen: ImageDraw.ImageDraw, known: Mapping[str, str], words: str) -> None:
    font = _font(SCALE * float(known["font-size"]), int(known.get("font-weight", _LIGHT)))
    anchor = "ms" if known.get("text-anchor") == "middle" else "ls"
    pen.text((_at(known, "x"), _at(known, "y")), words, known["fill"], font, anchor)


def _paint_image(canvas: Image.Image, known: Mapping[str, str]) -> None:
    data = base64.b64decode(known["href"].partition(",")[2])
    size = round(_at(known, "width")), round(_at(known, "height"))
    with Image.open(io.BytesIO(data)) as image:
        enlarged = image.convert("RGB").resize(size, Image.Resampling.NEAREST)
    canvas.paste(enlarged, (round(_at(known, "x")), round(_at(known, "y"))))


@functools.lru_cache(maxsize=16)
def _font(size: float, weight: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Returns the font that ships with Streamlit; Pillow's own, of fewer letters, without it."""
    media = Path(st.__file__).parent / "static" / "static" / "media"
    path = next(media.glob("SourceSansVF-Upright*"), None)
    try:
        font = ImageFont.truetype(str(path), size)
        font.set_variation_by_axes([weight])
    except OSError:
        return ImageFont.load_default(size)
    return font
