"""The images that a page shows, taken from the HTML of its galleries."""

from __future__ import annotations

import base64
import html
import io
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.pages.shown import html_of

_ITEM = re.compile(r'<div role="listitem">(.*?)</div>', re.DOTALL)
_SPAN = re.compile(r'<span(?: class="lab-(\w+)")?>(.*?)</span>', re.DOTALL)


@dataclass(frozen=True, eq=False)
class Tile:
    """One image of a gallery with what stands below it.

    Attributes:
        split: Where its link leads.
        index: Likewise.
        pixels: (32, 32, 3), as the browser gets them.
        truth: The class below it.
        prediction: The class below that, without its sign; empty where there is none.
        is_right: Whether the prediction is marked as right.
        note: The lines below.
        percents: The percentages in them.
    """

    split: str
    index: int
    pixels: np.ndarray
    truth: str
    prediction: str
    is_right: bool
    note: str

    @property
    def percents(self) -> list[int]:
        return [int(number) for number in re.findall(r"(\d+)%", self.note)]


def tiles_of(app: AppTest) -> list[Tile]:
    """Returns the images of all galleries of the page, in their order."""
    return [_tile(item) for item in _ITEM.findall(html_of(app))]


def _tile(item: str) -> Tile:
    link = re.search(r'href="([^"]*)"', item)
    source = re.search(r'src="data:image/png;base64,([^"]*)"', item)
    assert link is not None
    assert source is not None
    asked = parse_qs(urlsplit(html.unescape(link[1])).query)
    with Image.open(io.BytesIO(base64.b64decode(source[1]))) as picture:
        pixels = np.asarray(picture)
    spans = [(kind, html.unescape(text)) for kind, text in _SPAN.findall(item)]
    said = next(((kind, text) for kind, text in spans if kind in ("right", "wrong")), ("", ""))
    return Tile(
        asked["split"][0],
        int(asked["index"][0]),
        pixels,
        next(text for kind, text in spans if not kind),
        said[1].split(" ")[-1],
        said[0] == "right",
        "\n".join(text for kind, text in spans if kind == "note"),
    )
