"""The report as one file: sections, slides, style, script and the library that draws.

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
from cifar_core.report import figures, judgement, sections, slides
from cifar_core.report.markup import paragraph, safe
from cifar_core.report.subjects import gather
from cifar_core.runs.reading import Run

_FOLDER = Path(__file__).resolve().parent

CONTENTS = (
    ("answer", "The answer"),
    ("data", "The pictures"),
    ("networks", "The networks"),
    ("learning", "How they learnt"),
    ("mistakes", "Right and wrong"),
    ("comparison", "Is the difference real?"),
    ("confidence", "How sure can one be?"),
    ("limits", "Limits"),
    ("origin", "Where the numbers come from"),
    ("again", "How to repeat it"),
)


def make(runs: Sequence[Run], dataset: Dataset, *, made_at: datetime) -> bytes:
    """Returns the report on finished runs as one HTML file in UTF-8, about 5 MB.

    Args:
        runs: The runs, in the order they are told of.
        dataset: Where example pictures come from; the shipped sample will do.
        made_at: The moment that the report names, with its zone.

    Raises:
        RunError: A run has no final figures, or there are too few or too many runs.
    """
    subjects = gather(runs)
    charts = figures.draw(subjects)
    heights = figures.heights(charts)
    body = [
        sections.answer(subjects, heights),
        sections.data(subjects, dataset),
        sections.networks(subjects),
        sections.course(subjects, heights),
        judgement.mistakes(subjects, dataset.test, heights),
        judgement.comparison(subjects),
        judgement.confidence(subjects, heights),
        judgement.limits(subjects),
        judgement.origin(subjects),
        judgement.again(subjects),
    ]
    names = ", ".join(subject.name for subject in subjects)
    made = f"{made_at.day} {made_at:%B %Y, %H:%M %Z}".strip()
    head = [
        "<h1>How well do small networks learn to see?</h1>",
        paragraph(sections.QUESTION, "question"),
        paragraph(f"A report on {names}. Made by CIFAR-10 Lab {__version__}, {made}.", "note"),
        _contents(has_comparison=len(subjects) > 1),
    ]
    return _page(
        title=f"CIFAR-10 Lab: {names}",
        document="\n".join([*head, *body]),
        stage=slides.slides(subjects, dataset, heights),
        data=figures.to_json(charts),
    ).encode("utf-8")


def _contents(*, has_comparison: bool) -> str:
    items = "".join(
        f'<li><a href="#{name}">{title}</a></li>'
        for name, title in CONTENTS
        if has_comparison or name != "comparison"
    )
    return f'<nav aria-label="Contents"><ul>{items}</ul></nav>'


def _page(*, title: str, document: str, stage: str, data: str) -> str:
    """Puts the parts together. ``data`` and ``title`` are the only plain texts among them."""
    plotly, script = _scripts()
    digests = " ".join(f"'{digest}'" for digest in script_digests())
    policy = (
        f"default-src 'none'; script-src {digests}; "
        "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>{safe(title)}</title>
<style>{_style()}</style>
</head>
<body>
<button id="present" type="button" hidden>Present</button>
<main id="document">
<noscript><p>Scripts are off: the charts are missing, the tables say the same.</p></noscript>
{document}
</main>
<div id="stage" role="region" aria-label="Presentation" hidden>
{stage}
<div id="controls">
<button type="button" id="back" aria-label="Back">←</button>
<span id="counter" role="status"></span>
<button type="button" id="next" aria-label="Next">→</button>
<button type="button" id="full">Full screen</button>
<button type="button" id="leave">Leave</button>
</div>
</div>
<script type="application/json" id="figures">{data}</script>
<script>{plotly}</script>
<script>{script}</script>
</body>
</html>
"""


@functools.lru_cache(maxsize=1)
def script_digests() -> tuple[str, ...]:
    """Returns how a content policy names the scripts of a report: unchanged they may run."""
    digests = (hashlib.sha256(script.encode("utf-8")).digest() for script in _scripts())
    return tuple(f"sha256-{base64.b64encode(digest).decode('ascii')}" for digest in digests)


def _scripts() -> tuple[str, str]:
    """Returns the library that draws the charts, and the report's own script."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs(), (_FOLDER / "document.js").read_text(encoding="utf-8")


def _style() -> str:
    """Returns the style sheet with the lab's colours and letters put in."""
    colours = theme.LIGHT
    values = {
        "font": theme.FONT,
        "ink": colours.ink,
        "muted": colours.muted,
        "grid": colours.grid,
        "right": colours.right,
        "wrong": colours.wrong,
        "tutorial": colours.published,
        **colours.networks,
    }
    variables = "".join(f"--{name}:{value};" for name, value in values.items())
    figures = "".join(f".figures .{name}{{color:var(--{name})}}\n" for name in colours.networks)
    return f":root{{{variables}}}\n{figures}" + (_FOLDER / "document.css").read_text(
        encoding="utf-8"
    )
