"""Tables: how their columns are shown and sorted, and CSV that every spreadsheet reads."""

from __future__ import annotations

import csv
import functools
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

if TYPE_CHECKING:
    import pandas as pd
    from pandas.io.formats.style import Styler

DIGITS: Final = 6
"""Significant digits of a number in a CSV: more is the noise of float32."""

_FORMULA = re.compile(r"^\s*[=+\-@\t\r]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=])")


def plain(text: str) -> str:
    r"""Returns a person's text so that Markdown shows it as it was typed.

    Args:
        text: Anything, such as ``[a](b)``; line breaks become spaces.
    """
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Returns a table as CSV in UTF-8 with the mark by which Excel knows it.

    A text that a spreadsheet would calculate is quoted by ``'``.

    Args:
        table: Any columns. Shares are saved as fractions from 0 to 1, times in seconds; numbers
            lose what is beyond :data:`DIGITS` significant digits.
    """
    safe = table.map(_saved)
    safe.columns = [quoted(str(name)) for name in table.columns]
    text = safe.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return text.encode("utf-8-sig")


def _saved(value: object) -> object:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else quoted(value)


def share_column(
    label: str | None = None, *, explanation: str | None = None, width: int | None = None
) -> ColumnConfig:
    """Returns how shares from 0 to 1 are shown: ``83.2%``, sorted as numbers, saved as shares."""
    return st.column_config.NumberColumn(
        label, help=explanation, format="percent", step=0.001, width=width
    )


def time_column(label: str, *, explanation: str | None = None) -> ColumnConfig:
    """Returns how a column of durations is shown, ``01:23:00``: it sorts by its length."""
    return st.column_config.NumberColumn(label, help=explanation, format="compact", width=100)


def worded(table: pd.DataFrame, words: Mapping[str, Sequence[str]]) -> Styler:
    """Returns a table that shows words in place of values and still sorts by the values.

    Args:
        table: Any; rows counted from 0.
        words: By column, a text for each row.
    """
    shown = (
        table.style
    )  # which asks for the cells of a column in their order, each time it is drawn
    for column, texts in words.items():
        shown = shown.format(functools.partial(_next, itertools.cycle(texts)), subset=[column])
    return shown


def _next(texts: Iterator[str], _value: object) -> str:
    return next(texts)


def csv_download(
    table: pd.DataFrame | Callable[[], pd.DataFrame],
    name: str,
    *,
    key: str,
    label: str = "Save as CSV",
) -> None:
    """Draws the button that saves a table.

    Args:
        table: What is saved, or what makes it when the button is pressed.
        name: File name without its ending; anything but letters, digits, dots and dashes is
            replaced.
        key: Identity of the button.
        label: What the button says.
    """
    st.download_button(
        label,
        lambda: csv_bytes(table() if callable(table) else table),
        file_name=f"{file_name(name)}.csv",
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
        key=key,
    )


def file_name(*parts: object) -> str:
    """Returns a file name that every system takes, without its ending.

    Args:
        parts: What it is made of, joined by dashes; what is None or empty is left out.
    """
    given = (re.sub(r"[^A-Za-z0-9.-]+", "-", str(part)) for part in parts if part is not None)
    return "-".join(name for part in given if (name := part[:60].strip("-.")))[:150] or "table"


def quoted(value: object) -> object:
    """Returns a value so that no spreadsheet takes it for a formula; numbers stay numbers.

    Tables whose texts come from strangers need it already on the page: Streamlit's own button
    saves what is shown.
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
