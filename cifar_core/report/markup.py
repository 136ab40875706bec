"""Pieces of HTML; whatever comes from outside is escaped here and nowhere else."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from cifar_core.dataset import CLASS_NAMES
from cifar_core.formats import percent
from cifar_core.report.subjects import Examples

RIGHT_SIGN = "✓"
WRONG_SIGN = "✗"


def safe(value: object) -> str:
    """Returns a value as text that HTML shows as it is, in elements and in attributes."""
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    shown = "".join(
        sign if sign.isprintable() or sign in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for sign in text
    )
    return html.escape(shown, quote=True)


def paragraph(text: str, kind: str = "") -> str:
    """Returns a paragraph of plain text."""
    return f'<p class="{kind}">{safe(text)}</p>' if kind else f"<p>{safe(text)}</p>"


def listed(sentences: Sequence[str]) -> str:
    """Returns sentences as a list."""
    return "<ul>" + "".join(f"<li>{safe(sentence)}</li>" for sentence in sentences) + "</ul>"


def section(name: str, title: str, *parts: str) -> str:
    """Returns a section with its heading.

    Args:
        name: Its identity in the address, letters only.
        title: Plain text.
        *parts: HTML.
    """
    body = "\n".join(parts)
    return (
        f'<section id="{name}" aria-labelledby="{name}-title">\n'
        f'<h2 id="{name}-title">{safe(title)}</h2>\n{body}\n</section>'
    )


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    caption: str,
    foot: Sequence[Sequence[object]] = (),
) -> str:
    """Returns a table whose first column names its rows.

    Args:
        heads: Column heads, plain text.
        rows: Cells, plain text or numbers.
        caption: What the table shows.
        foot: Rows below a line, such as averages of the others.
    """
    top = "".join(f'<th scope="col">{safe(head)}</th>' for head in heads)
    below = f"<tfoot>{_rows(foot)}</tfoot>" if foot else ""
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{safe(caption)}"><table>'
        f"<caption>{safe(caption)}</caption><thead><tr>{top}</tr></thead>"
        f"<tbody>{_rows(rows)}</tbody>{below}</table></div>"
    )


def _rows(rows: Sequence[Sequence[object]]) -> str:
    return "".join(
        f'<tr><th scope="row">{safe(row[0])}</th>'
        + "".join(f"<td>{safe(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )


def folded(title: str, content: str) -> str:
    """Returns content that opens on demand, and is open on paper."""
    return f"<details><summary>{safe(title)}</summary>{content}</details>"


def chart(name: str, *, alt: str, height: int) -> str:
    """Returns the place of a chart.

    Args:
        name: Its name among the figures of the document.
        alt: What it shows, for those who do not see it.
        height: Pixels it will take.
    """
    return (
        f'<div class="chart" data-figure="{safe(name)}" role="img" aria-label="{safe(alt)}" '
        f'style="height:{height}px"></div>'
    )


def gallery(examples: Examples, *, factor: int = 3) -> str:
    """Returns pictures with the truth and the answer below each, in that order."""
    items = [
        _picture(image, int(truth), int(guess), float(sure), factor)
        for image, truth, guess, sure in zip(
            examples.images, examples.truths, examples.guesses, examples.sure, strict=True
        )
    ]
    return f'<ul class="gallery">{"".join(items)}</ul>'


def class_pictures(images: np.ndarray, *, factor: int = 3) -> str:
    """Returns one picture of each class with the class's name below it.

    Args:
        images: (10, 32, 32, 3) uint8, in the order of the classes.
        factor: By how much a picture is enlarged.
    """
    items = "".join(
        f"<li>{_image(image, name, factor)}<span>{name}</span></li>"
        for image, name in zip(images, CLASS_NAMES, strict=True)
    )
    return f'<ul class="gallery">{items}</ul>'


def _picture(image: np.ndarray, truth: int, guess: int, sure: float, factor: int) -> str:
    is_right = truth == guess
    kind, sign = ("right", RIGHT_SIGN) if is_right else ("wrong", WRONG_SIGN)
    alt = f"{CLASS_NAMES[truth]}, {'recognised' if is_right else f'taken for {CLASS_NAMES[guess]}'}"
    return (
        f"<li>{_image(image, alt, factor)}<span>{CLASS_NAMES[truth]}</span>"
        f'<span class="{kind}">{sign} {CLASS_NAMES[guess]}</span>'
        f'<span class="note">{_sure(sure)} sure</span></li>'
    )


def _sure(share: float) -> str:
    """Returns a probability for a person: rounding makes no certainty of it."""
    return "over 99.9%" if share > 0.9995 else percent(share)


def _image(image: np.ndarray, alt: str, factor: int) -> str:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, format="PNG", compress_level=9)
    side = factor * image.shape[0]
    source = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img src="data:image/png;base64,{source}" width="{side}" height="{side}" alt="{alt}">'
