"""What a person takes along: charts as PNG or SVG, tables as CSV, figures as JSON.

Charts are turned into files by the visitor's own browser: the camera at a chart's corner saves
the picture, so the server needs no browser of its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

import plotly.graph_objects as go
import streamlit as st

from cifar_core.charts.theme import config
from cifar_core.ui.session import Kept
from cifar_core.ui.tables import csv_download, file_name

if TYPE_CHECKING:
    import pandas as pd

CHART_FORMATS: Final = ("PNG", "SVG")

CHART_FORMAT = Kept[str | None]("chart_format", None)
"""What the cameras save; the key of the choice that :func:`take_along` draws."""


def draw_chart(
    chart: go.Figure,
    *,
    key: str | None,
    name: str,
    alt: str,
    on_select: Callable[[], None] | Literal["ignore"] = "ignore",
) -> None:
    """Draws a chart with a camera at its corner that saves it.

    Args:
        chart: A figure of cifar_core.charts.
        key: Identity of the element; None while a film is played.
        name: Of the saved file, without its ending.
        alt: What the chart shows, for those who do not see it.
        on_select: Called when a point of the chart was clicked.
    """
    is_vector = CHART_FORMAT.get() == "SVG"
    settings = config(file_name(name), vector=is_vector) | {"displayModeBar": True}
    # Dragging zooms and a double click goes back; on a phone more buttons would cover the title.
    settings["modeBarButtonsToRemove"] += ["zoom2d", "resetScale2d"]
    st.plotly_chart(
        chart,
        theme=None,
        key=key,
        on_select=on_select,
        selection_mode="points",
        config=settings,
        alt=alt,
    )


def table_twin(table: pd.DataFrame, name: str, *, key: str) -> None:
    """Draws the figures of a chart as a table that opens, with its CSV.

    Args:
        table: The figures.
        name: Of the CSV file, without its ending.
        key: Identity of the button.
    """
    with st.expander("As a table"):
        st.dataframe(table, hide_index=True, height="content")
        csv_download(table, name, key=key)


def take_along(figures: Callable[[], Mapping[str, Any]], name: str) -> None:
    """Draws the choice of the charts' file type, and the button that saves all figures.

    Args:
        figures: Returns what is saved, as plain values; called when the button is pressed.
        name: Of the JSON file, without its ending.
    """
    st.space("small")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="large", key="take_along"):
        st.segmented_control(
            "Cameras save charts as",
            CHART_FORMATS,
            default=CHART_FORMATS[0],
            key=CHART_FORMAT.key,
            required=True,
            help="The camera at a chart's upper right corner saves it. PNG is a picture; SVG "
            "stays sharp at any size.",
        )
        st.download_button(
            "Save all figures as JSON",
            lambda: json.dumps(_plain(figures()), indent=1, allow_nan=False),
            file_name=f"{file_name(name)}.json",
            mime="application/json",
            on_click="ignore",
            icon=":material/download:",
            type="tertiary",
            key="figures_json",
        )


def _plain(value: Any) -> Any:
    """Returns values as JSON knows them: what is not a number becomes null."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
