"""Tables of a page and of its CSV files, and the one place that knows their columns' names."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Dataframe

from tests.pages.shown import Downloads, html_of

SHOWS = ("shows", "True class", "true")
TAKEN_FOR = ("taken for", "Predicted class", "predicted")
IMAGE = ("picture", "Image", "image")
AVERAGE_PRECISION = ("average precision", "Average precision")


def opened(data: bytes) -> pd.DataFrame:
    """Returns a CSV file as a spreadsheet opens it."""
    return pd.read_csv(
        io.BytesIO(data), encoding="utf-8-sig", keep_default_na=False, na_values=[""]
    )


def csv_of(downloads: Downloads, start: str) -> pd.DataFrame:
    """Returns the CSV of the button whose key begins so; there is one."""
    (key,) = [key for key in downloads.names if key.startswith(start)]
    return opened(downloads.by_key(key))


def table_with(app: AppTest, *columns: Sequence[str] | str) -> pd.DataFrame:
    """Returns the first table of the page that has these columns, each under any of its names."""
    table: pd.DataFrame = _shown_with(app, columns).value
    return table


def wording_of(app: AppTest, *columns: Sequence[str] | str) -> pd.DataFrame:
    """Returns the words that the table with these columns shows in place of its values."""
    shown = _shown_with(app, columns)
    styled = pa.ipc.open_stream(shown.proto.arrow_data.styler.display_values).read_all()
    words: pd.DataFrame = styled.to_pandas().set_axis(shown.value.columns, axis=1)
    return words


def column(table: pd.DataFrame, names: Sequence[str] | str) -> pd.Series:
    """Returns a column under any of its names."""
    name = _name(table, names)
    assert name is not None, (names, list(table.columns))
    return table[name]


def numbers(table: pd.DataFrame, names: Sequence[str] | str) -> np.ndarray:
    """Returns a column that sorts by value: it holds numbers, not texts."""
    values = column(table, names)
    assert pd.api.types.is_numeric_dtype(values.dtype), (names, values.dtype)
    return values.to_numpy(float)


def cells_of(table: pd.DataFrame, name: str) -> np.ndarray:
    """Returns a column of a table with a row per cell as a matrix (10, 10)."""
    return numbers(table, name).reshape(10, 10)


def says(app: AppTest, *parts: str) -> bool:
    """Returns whether one text or line of the page holds all of these words or numbers."""
    texts = [str(item.value) for item in (*app.text, *app.markdown, *app.caption)]
    lines = html_of(app).replace("</p>", "<p>").split("<p>")
    return any(all(part in text for part in parts) for text in (*texts, *lines))


def _shown_with(app: AppTest, columns: Sequence[Sequence[str] | str]) -> Dataframe:
    found = [
        shown
        for shown in app.dataframe
        if all(_name(shown.value, column) is not None for column in columns)
    ]
    assert found, [list(shown.value.columns) for shown in app.dataframe]
    return found[0]


def _name(table: pd.DataFrame, names: Sequence[str] | str) -> str | None:
    wanted = (names,) if isinstance(names, str) else names
    return next((name for name in wanted if name in table.columns), None)
