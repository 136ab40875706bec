"""Tables that leave the page: CSV that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"^\s*[=+\-@\t\r]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&^=])")


def plain(text: str) -> str:
    r"""Returns a person's text so that Markdown shows it as it was typed.

    Args:
        text: Anything, such as ``[a](b)``; line breaks become spaces.
    """
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Returns a table as CSV; a text that a spreadsheet would calculate is quoted by ``'``.

    Args:
        table: Any columns; only texts are touched, negative numbers stay numbers.
    """
    safe = table.map(quoted)
    safe.columns = [quoted(str(name)) for name in table.columns]
    return safe.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC).encode()


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


def file_name(text: str) -> str:
    """Returns a text as a file name that every system takes."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", text).strip("-.")[:80] or "table"


def quoted(value: object) -> object:
    """Returns a value so that no spreadsheet takes it for a formula; numbers stay numbers.

    Tables whose texts come from strangers need it already on the page: Streamlit's own button
    saves what is shown.
    """
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
