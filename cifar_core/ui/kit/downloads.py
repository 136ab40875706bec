"""What a person takes along: charts and figures as PNG or SVG, tables as CSV, values as JSON.

Charts are turned into files by the visitor's own browser: the camera at a chart's corner saves
the image, so the server needs no browser of its own. Figures of pixels and the drawing of a
network are made here, when they are asked for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

import plotly.graph_objects as go
import streamlit as st

from cifar_core.charts.theme import config
from cifar_core.ui.kit.session import Kept
from cifar_core.ui.kit.svg_figures import to_png
from cifar_core.ui.kit.tables import csv_download, file_name

if TYPE_CHECKING:
    import pandas as pd

CHART_FORMATS: Final = ("PNG", "SVG")

CHART_FORMAT = Kept[str | None]("chart_format", None)
"""What the cameras save; the key of the choice that :func:`chart_format` draws."""


def draw_chart(
    chart: go.Figure,
    *,
    key: str | None,
    name: str,
    alt: str,
    on_select: Callable[[], None] | Literal["ignore", "rerun"] = "ignore",
    has_lasso: bool = False,
) -> Any:
    """Draws a chart with a camera at its corner that saves it.

    Args:
        chart: A figure of cifar_core.charts.
        key: Identity of the element; None while a film is played.
        name: Of the saved file, without its ending.
        alt: What the chart shows, for those who do not see it.
        on_select: Called when a point of the chart was clicked.
        has_lasso: Whether points can be circled, too.

    Returns:
        The selection, where the page reruns for one.
    """
    is_vector = CHART_FORMAT.get() == "SVG"
    settings = config(file_name(name), vector=is_vector) | {"displayModeBar": True}
    removed = set(settings["modeBarButtonsToRemove"])
    if has_lasso:
        removed -= {"select2d", "lasso2d"}
    else:
        # Dragging zooms, a double click goes back; on a phone more buttons would cover the title.
        removed |= {"zoom2d", "resetScale2d"}
    return st.plotly_chart(
        chart,
        theme=None,
        key=key,
        on_select=on_select,
        selection_mode=("points", "box", "lasso") if has_lasso else "points",
        config=settings | {"modeBarButtonsToRemove": sorted(removed)},
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
        chart_format()
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


def chart_format() -> None:
    """Draws the choice of the charts' file type; once on every page that has charts."""
    st.segmented_control(
        "Chart download format",
        CHART_FORMATS,
        default=CHART_FORMATS[0],
        key=CHART_FORMAT.key,
        required=True,
        persist_state="session",
        help="The camera at a chart's upper right corner saves it. PNG is an image of pixels; SVG "
        "stays sharp at any size.",
    )


def save_figure(make_svg: Callable[[], str], name: str, *, key: str) -> None:
    """Draws the buttons that save a figure which is no chart.

    Args:
        make_svg: Returns it as SVG of :mod:`cifar_core.ui.kit.svg_figures`; called when one is
            pressed.
        name: Of the saved file, without its ending.
        key: Identity of the buttons.
    """
    makers: dict[str, Callable[[], bytes]] = {
        "PNG": lambda: to_png(make_svg()),
        "SVG": lambda: make_svg().encode(),
    }
    with st.container(horizontal=True, gap="small"):
        for kind, make in makers.items():
            ending = kind.lower()
            st.download_button(
                f"Save as {kind}",
                make,
                file_name=f"{file_name(name)}.{ending}",
                mime={"PNG": "image/png", "SVG": "image/svg+xml"}[kind],
                on_click="ignore",
                icon=":material/download:",
                type="tertiary",
                key=f"{key}_{ending}",
            )


def _plain(value: Any) -> Any:
    """Returns values as JSON knows them: what is not a number becomes null."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
