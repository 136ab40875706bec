"""What a page shows under AppTest: texts, figures, charts, tables, downloads; by key or label."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from streamlit.testing.v1 import AppTest

from cifar_core.settings import PROJECT_DIR

if TYPE_CHECKING:
    import pandas as pd

PATIENCE_SECONDS = 120
"""Bounds a page that hangs. A busy neighbour makes a page slow, so no test is near it."""


def new_page(name: str, **address: str) -> AppTest:
    """Returns a page that has not been run yet.

    Args:
        name: Of the file in pages/ without its ending; ``app`` for the whole app.
        **address: The query of the address; a final underscore is left out (``class_``).
    """
    path = PROJECT_DIR / ("app.py" if name == "app" else f"pages/{name}.py")
    app = AppTest.from_file(str(path), default_timeout=PATIENCE_SECONDS)
    for key, value in address.items():
        app.query_params[key.rstrip("_")] = value
    return app


def open_page(name: str, **address: str) -> AppTest:
    """Returns a page as a visitor finds it; it has not failed. Arguments as :func:`new_page`."""
    app = new_page(name, **address).run()
    assert not app.exception
    return app


def html_of(app: AppTest) -> str:
    """Returns all HTML of the page."""
    return " ".join(element.proto.body for element in app.get("html"))


def words_of(app: AppTest) -> str:
    """Returns every text of the page."""
    texts = [element.value for element in (*app.text, *app.caption, *app.markdown)]
    return " ".join([html_of(app), *map(str, texts)])


def metrics_of(app: AppTest) -> dict[str, str]:
    """Returns the value of each metric by its label; no label stands twice."""
    labels = [item.label for item in app.metric]
    assert len(set(labels)) == len(labels), labels
    return {item.label: item.value for item in app.metric}


def charts_of(app: AppTest) -> dict[str, Any]:
    """Returns the Plotly figure (``data``, ``layout``) of each chart by its key.

    A chart without a key stands under ``chart 0``, ``chart 1`` … in the order of the page. Typed
    arrays are decoded to NumPy's.
    """
    return {
        element.key or f"chart {place}": decoded(json.loads(element.proto.spec))
        for place, element in enumerate(app.get("plotly_chart"))
    }


def tables_of(app: AppTest) -> dict[str, pd.DataFrame]:
    """Returns each table by its key; one without a key stands under ``table 0`` and so on."""
    return {
        getattr(element, "key", None) or f"table {place}": element.value
        for place, element in enumerate(app.dataframe)
    }


class Downloads(Mapping[str, bytes]):
    """What the page's download buttons would send, by file name; made when it is looked at.

    Attributes:
        names: File name of each button by its key.
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._data: dict[str, Any] = {}

    def record(self, *, key: str | None, file_name: str, data: Any) -> None:
        """Notes a button as it is drawn."""
        self.names[key or file_name] = file_name
        self._data[file_name] = data

    def by_key(self, key: str) -> bytes:
        """Returns what the button with this key sends."""
        return self[self.names[key]]

    def __getitem__(self, file_name: str) -> bytes:
        data = self._data[file_name]
        made = data() if callable(data) else data
        if isinstance(made, str):
            return made.encode()
        return bytes(made if isinstance(made, bytes | bytearray) else made.read())

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)


def decoded(value: Any) -> Any:
    """Returns Plotly's JSON with its typed arrays (``dtype``, ``bdata``, ``shape``) as NumPy's."""
    if isinstance(value, list):
        return [decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "bdata" in value:
        array = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
        shape = str(value.get("shape", len(array))).split(",")
        return array.reshape([int(length) for length in shape])
    return {key: decoded(item) for key, item in value.items()}
