"""What the load test found, as rows of a table for the terminal and for docs/reliability.md."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.documents import fill
from benchmarks.documents import table as in_markdown
from cifar_core.runs.devices import list_devices
from cifar_core.settings import PROJECT_DIR

DOCUMENT = PROJECT_DIR / "docs" / "reliability.md"


@dataclass(frozen=True)
class Row:
    """A promise and what was measured of it.

    Attributes:
        promise: Its number.
        what: In words.
        bound: What was promised; empty for a figure without a promise.
        figure: What was measured.
        is_kept: Whether it held.
    """

    promise: str
    what: str
    bound: str
    figure: str
    is_kept: bool

    def line(self) -> str:
        """Returns the row for the terminal."""
        mark = "held" if self.is_kept else "BROKEN"
        return f"{self.promise:4} {mark:6} {self.what}: {self.figure} {self.bound}"


def table(rows: Sequence[Row], *, minutes: float) -> str:
    """Returns the rows as Markdown, with what they were measured on.

    Args:
        rows: In the order they are shown in.
        minutes: How long all of it took.
    """
    processor = list_devices()[0]
    load = os.getloadavg()[2]
    linux = f"Linux {platform.release()}, Python {platform.python_version()}"
    where = (
        f"Measured on {dt.datetime.now(dt.UTC):%Y-%m-%d}: {processor.name}, "
        f"{processor.cores} cores shared by server, visitors, training and other work (load "
        f"average {load:.1f} over the last 15 minutes), {linux}, "
        f"{minutes:.0f} minutes in all."
    )
    heads = ["promise", "what", "promised", "measured", "held"]
    cells = [
        [row.promise, row.what, row.bound, row.figure, _held(row)]
        for row in sorted(rows, key=lambda row: row.promise)
    ]
    return f"{where}\n\n{in_markdown(heads, cells, numbers=False)}"


def write(rows: Sequence[Row], *, minutes: float) -> None:
    """Puts the table into the document, between its marks."""
    page = DOCUMENT.read_text(encoding="utf-8")
    text = table(rows, minutes=minutes)
    DOCUMENT.write_text(fill(page, "load", text, by="make load"), encoding="utf-8")


def _held(row: Row) -> str:
    if not row.bound:
        return ""
    return "yes" if row.is_kept else "**no**"
