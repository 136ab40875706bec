"""Pictures of 32×32 pixels, shown as the pixels they are."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from cifar_core.ui.kit.theme import RIGHT_SIGN, WRONG_SIGN

Pictures = NDArray[np.uint8]

MOST_PICTURES = 200
"""What one gallery shows at most; more belong on a further page of it."""

LEAST_CELL = 108
"""Pixels a picture has for itself: the longest class with its share fits below it."""

GAP = 8


def enlarge(picture: Pictures, factor: int = 1) -> bytes:
    """Returns a picture enlarged by a whole factor, each pixel a square, as PNG.

    Args:
        picture: uint8 (height, width, 3) colours or (height, width) greys.
        factor: 1 or more.
    """
    buffer = io.BytesIO()
    squares = np.ascontiguousarray(picture.repeat(factor, axis=0).repeat(factor, axis=1))
    Image.fromarray(squares).save(buffer, format="PNG", compress_level=6)
    return buffer.getvalue()


def data_url(data: bytes, kind: str = "png") -> str:
    """Returns the address that carries an image file itself.

    Args:
        data: The file.
        kind: What it is: ``png``, ``jpeg``, ``webp`` or ``svg+xml``.
    """
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def image_html(data: bytes, alt: str, *, kind: str = "png", **attributes: str | int) -> str:
    """Returns an image file as an HTML element.

    Args:
        data: The file.
        alt: What it shows, for those who do not see it; is escaped.
        kind: As :func:`data_url` takes it.
        **attributes: Further ones of the element, such as ``width``; ``class_`` is ``class``.
    """
    words = html.escape(alt, quote=True)
    named = "".join(f' {name.rstrip("_")}="{value}"' for name, value in attributes.items())
    return f'<img src="{data_url(data, kind)}"{named} alt="{words}">'


def gallery(
    pictures: Pictures,
    captions: Sequence[str] | None = None,
    *,
    factor: int = 3,
    columns: int | None = None,
    truths: Sequence[str] | None = None,
    predictions: Sequence[str] | None = None,
    links: Sequence[str] | None = None,
) -> None:
    """Draws pictures in a grid that fits phones and wide screens, in one element.

    Below each picture: its truth, then its prediction with a sign for right or wrong, then its
    caption.

    Args:
        pictures: uint8 (n, 32, 32, 3), at most :data:`MOST_PICTURES`; further ones are left out.
        captions: A short text for each.
        factor: Whole factor by which a picture is enlarged.
        columns: Most pictures in a row; as many as fit by default.
        truths: The class each picture shows.
        predictions: The class a network saw in each.
        links: Where a click on each leads, see :func:`picture_address`.
    """
    st.html(
        gallery_html(
            pictures,
            captions,
            factor=factor,
            columns=columns,
            truths=truths,
            predictions=predictions,
            links=links,
        )
    )


def gallery_html(
    pictures: Pictures,
    captions: Sequence[str] | None = None,
    *,
    factor: int = 3,
    columns: int | None = None,
    truths: Sequence[str] | None = None,
    predictions: Sequence[str] | None = None,
    links: Sequence[str] | None = None,
) -> str:
    """Returns the HTML that :func:`gallery` draws; every text in it is escaped."""
    shown = pictures[:MOST_PICTURES]
    side = int(shown.shape[2]) * factor if len(shown) else 32 * factor
    # A row never grows wider than its columns, and breaks where the screen is narrower.
    cell = max(side, LEAST_CELL)
    limit = f"max-width: {columns * (cell + GAP) - GAP}px; " if columns else ""
    items = "".join(
        _item(
            picture,
            side=side,
            caption=captions[index] if captions is not None else "",
            truth=truths[index] if truths is not None else "",
            prediction=predictions[index] if predictions is not None else None,
            link=links[index] if links is not None else "",
        )
        for index, picture in enumerate(shown)
    )
    grid = f"{limit}column-gap: {GAP}px; grid-template-columns: repeat(auto-fill, {cell}px)"
    return f'<div class="lab-gallery" role="list" style="{grid}">{items}</div>'


def choose_page(
    count: int, size: int, *, key: str, words: str = "Pictures {}.", in_address: bool = False
) -> slice:
    """Draws the choice of a page above a gallery and returns what of the whole it shows.

    Args:
        count: Of the whole.
        size: Of a page.
        key: Identity of the choice: another one for other images, or see :func:`to_first_page`.
        words: The sentence below, ``{}`` in place of "1 to 24 of 87".
        in_address: Whether the page stands there under the key, and is drawn when it is the
            only one, too.
    """
    pages = -(-count // size)
    if pages <= 1 and not in_address:
        return slice(count)
    bind: Literal["query-params"] | None = "query-params" if in_address else None
    page = st.pagination(pages, key=key, bind=bind, max_visible_pages=7 if in_address else 5)
    first, last = (page - 1) * size, min(page * size, count)
    st.text(words.format(f"{first + 1:,} to {last:,} of {count:,}"))
    return slice(first, last)


def to_first_page(key: str) -> None:
    """Shows other images from their beginning; for the ``on_change`` of what chooses them."""
    st.session_state[key] = 1


def picture_address(split: str, index: int, **query: str) -> str:
    """Returns the address of one picture's page, as seen from any page of the lab.

    Args:
        split: ``train`` or ``test``.
        index: Its official place in the split.
        **query: What else the page is to know, such as the choices it was found by.
    """
    return f"picture?{urlencode({'split': split, 'index': index, **query})}"


def _item(
    picture: Pictures, *, side: int, caption: str, truth: str, prediction: str | None, link: str
) -> str:
    """One picture and the lines below it."""
    lines = []
    if truth:
        lines.append(f"<span>{html.escape(truth)}</span>")
    if prediction is not None:
        right = prediction == truth
        kind, sign = ("right", RIGHT_SIGN) if right else ("wrong", WRONG_SIGN)
        lines.append(f'<span class="lab-{kind}">{sign} {html.escape(prediction)}</span>')
    if caption:
        lines.append(f'<span class="lab-note">{html.escape(caption)}</span>')
    alt = truth or caption or "picture"
    if prediction is not None:
        alt += ", recognised" if prediction == truth else f", taken for {prediction}"
    shown = image_html(enlarge(picture), alt, width=side, height=side)
    if link:
        shown = f'<a href="{html.escape(link, quote=True)}" target="_self">{shown}</a>'
    return f'<div role="listitem">{shown}{"".join(lines)}</div>'
