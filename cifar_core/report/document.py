"""The report as one file: document, slides, style, script and the library that draws.

Nothing in it is fetched, and nothing in it could be: the file's own content policy allows no
address and no script but the two it was made with, told by their SHA-256.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cifar_core import __version__
from cifar_core.charts import theme
from cifar_core.dataset.arrays import Dataset
from cifar_core.report import figures
from cifar_core.report.contents import contents_of
from cifar_core.report.rendering import render
from cifar_core.report.subjects import Subject, gather
from cifar_core.runs.reading import Run

CONTENTS = (
    ("answer", "Results"),
    ("data", "The images"),
    ("networks", "The networks"),
    ("learning", "Training"),
    ("mistakes", "Correct and wrong predictions"),
    ("comparison", "Is the difference real?"),
    ("confidence", "Does confidence match accuracy?"),
    ("limits", "Limits"),
    ("origin", "Source of every number"),
    ("again", "How to reproduce it"),
)
"""The sections of the document with their titles; a single run has no comparison."""


def make(runs: Sequence[Run], dataset: Dataset, *, made_at: datetime) -> bytes:
    """Returns the report on finished runs as one HTML file in UTF-8, about 5 MB.

    Args:
        runs: The runs, in the order they are told of.
        dataset: Where example images come from; the bundled sample will do.
        made_at: The moment that the report names, with its zone.

    Raises:
        RunError: A run has no final figures, or there are too few or too many runs.
    """
    return write(gather(runs), dataset, made_at=made_at).encode("utf-8")


def write(subjects: Sequence[Subject], dataset: Dataset, *, made_at: datetime) -> str:
    """Returns the report on runs that were read already; see :func:`make`."""
    charts = figures.draw(subjects)
    plotly, script = _scripts()
    return render(
        "report.html.j2",
        page=contents_of(subjects, dataset, figures.heights(charts)),
        names=[subject.name for subject in subjects],
        class_names=list(dataset.spec.class_names),
        titles=dict(CONTENTS),
        version=__version__,
        made=f"{made_at.day} {made_at:%B %Y, %H:%M %Z}".strip(),
        style=_style_values(),
        coloured_networks=list(theme.LIGHT.networks),
        charts_json=figures.to_json(charts),
        plotly=plotly,
        script=script,
        script_digests=script_digests(),
    )


@functools.lru_cache(maxsize=1)
def script_digests() -> tuple[str, ...]:
    """Returns how a content policy names the scripts of a report: unchanged they may run."""
    digests = (hashlib.sha256(script.encode("utf-8")).digest() for script in _scripts())
    return tuple(f"sha256-{base64.b64encode(digest).decode('ascii')}" for digest in digests)


def _scripts() -> tuple[str, str]:
    """Returns the library that draws the charts, and the report's own script."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs(), Path(__file__).with_name("report.js").read_text(encoding="utf-8")


def _style_values() -> dict[str, str]:
    """Returns the lab's letters and colours, as the style sheet names them."""
    colours = theme.LIGHT
    return {
        "font": theme.FONT,
        "ink": colours.ink,
        "muted": colours.muted,
        "grid": colours.grid,
        "right": colours.right,
        "wrong": colours.wrong,
        "tutorial": colours.published,
        **colours.networks,
    }
