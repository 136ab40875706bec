"""Learning curves that move while a person looks closer.

The chart is drawn by Vega-Lite, which ships with Streamlit. Between two ticks the specification
stays the same and only the data changes, so the browser keeps the chart it has and slides the
new points in. Zoom and shown series survive because both are selections of the element: what
Streamlit does not know as a selection it forgets at each change of the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from cifar_core.recipes import MonitoredSplit
from cifar_core.ui.train.live_points import (
    ACCURACY_TOP,
    LOSS_ROOM,
    OFFSETS,
    TURN,
    Line,
    Value,
    prepare,
)

_WIDTHS: Final = [1.5, 2.5]
_EPOCH = "'Epoch ' + format(datum.epoch, datum.epoch == floor(datum.epoch) ? 'd' : '.1f') + ': '"
_SENTENCES: Mapping[Value, str] = {
    "accuracy": _EPOCH + " + format(datum.value, '.1%') + ' of the ' + datum.name"
    " + ' pictures right'",
    "loss": _EPOCH + " + datum.name + ' loss ' + format(datum.value, '.3f')",
}
_FORMATS: Mapping[Value, str] = {"accuracy": ".1%", "loss": ".3f"}


def live_curves(
    lines: Mapping[str, Line],
    *,
    key: str,
    value: Value,
    colour: str,
    watched: MonitoredSplit = "validation",
    height: int = 320,
    epochs: float | None = None,
) -> None:
    """Draws one measure of a run against its epochs and keeps the reader's view.

    Ctrl (or ⌘) and the wheel, or a pinch on a trackpad, zooms; dragging moves; a double click
    shows the whole run again; a click on a name in the legend shows that series alone. A finger
    scrolls the page.

    Call it inside the fragment that ticks: changing the view reruns what surrounds it.

    Args:
        lines: The measurements by series: ``train``, and the split that is watched.
        key: Identity of the chart; the same from tick to tick.
        value: Which measure ``value`` is.
        colour: Colour of the network, as #rrggbb.
        watched: The split that is measured after each epoch.
        height: Of the chart, in pixels.
        epochs: End of the horizontal axis; the last epoch measured if not given.
    """
    st.vega_lite_chart(
        prepare(lines, value, epochs),
        specification(value, colour=colour, watched=watched, height=height, epochs=epochs),
        key=key,
        width="stretch",
        on_select="rerun",
        selection_mode=["view", "shown"],
        # Without the latest figures: a changed text would draw the chart anew at each tick.
        alt=f"{value.capitalize()} by epoch: training and {watched}.",
    )


def specification(
    value: Value,
    *,
    colour: str,
    height: int,
    watched: MonitoredSplit = "validation",
    epochs: float | None = None,
) -> dict[str, Any]:
    """Returns the Vega-Lite chart; it depends on nothing that changes while a run goes on.

    Args:
        value: Which measure is drawn.
        colour: Of the network, as #rrggbb.
        height: In pixels.
        watched: The split that is measured after each epoch.
        epochs: End of the horizontal axis, or None for the end of the data.
    """
    x_scale = {"domain": [0, epochs]} if epochs else {"zero": True}
    # The label of the highest point has room above it; see also _headroom.
    y_scale = {"domain": [0, ACCURACY_TOP]} if value == "accuracy" else {"zero": True, "nice": True}
    y_axis = {"format": "%"} if value == "accuracy" else {}
    end = f"datum.epoch > {TURN * epochs}" if epochs else "true"
    shown = {"condition": {"param": "shown", "value": 1}, "value": 0.06}
    return {
        "height": height,
        "transform": [
            {"calculate": f"datum.series == 'train' ? 'training' : '{watched}'", "as": "name"},
            {"calculate": _SENTENCES[value], "as": "sentence"},
            {
                "calculate": f"datum.name + ' ' + format(datum.value, '{_FORMATS[value]}')",
                "as": "label",
            },
            {"calculate": f"'best ' + format(datum.value, '{_FORMATS[value]}')", "as": "best"},
        ],
        "encoding": {
            "x": {
                "field": "epoch",
                "type": "quantitative",
                "title": "Epoch",
                "scale": {**x_scale, "nice": False},
                "axis": {"tickMinStep": 1, "tickCount": 8, "grid": False},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": value.capitalize(),
                "scale": y_scale,
                "axis": {"tickCount": 5, "labelFlush": False, **y_axis},
            },
            "color": {
                "field": "name",
                "type": "nominal",
                "scale": {"domain": ["training", watched], "range": [f"{colour}b3", colour]},
                "legend": {"orient": "top", "title": None, "symbolType": "stroke", "offset": 4},
            },
        },
        "layer": [
            _lines(shown, watched),
            _headroom(value),
            _dots(shown),
            *_labels(end, shown, colour),
        ],
    }


def _lines(shown: dict[str, Any], watched: MonitoredSplit) -> dict[str, Any]:
    """The curves; they carry the view and the choice of series."""
    mouse = "[pointerdown[event.pointerType !== 'touch'], window:pointerup] > window:pointermove!"
    return {
        "params": [
            {
                "name": "view",
                "select": {
                    "type": "interval",
                    "on": mouse,
                    "translate": mouse,
                    "zoom": "wheel![event.ctrlKey || event.metaKey]",
                },
                "bind": "scales",
            },
            {
                "name": "shown",
                "select": {"type": "point", "fields": ["name"], "toggle": "true"},
                "bind": "legend",
            },
        ],
        "mark": {"type": "line", "clip": True, "interpolate": "linear"},
        "encoding": {
            "opacity": shown,
            "strokeWidth": {
                "field": "name",
                "type": "nominal",
                "scale": {"domain": ["training", watched], "range": _WIDTHS},
                "legend": None,
            },
        },
    }


def _headroom(value: Value) -> dict[str, Any]:
    """Nothing to be seen: it stretches the axis of the loss above the highest point."""
    return {
        "transform": [{"calculate": f"datum.value * {LOSS_ROOM}", "as": "headroom"}],
        "mark": {"type": "point", "opacity": 0, "clip": True, "tooltip": False},
        "encoding": {
            "y": {"field": "headroom", "type": "quantitative", "title": value.capitalize()}
        },
    }


def _dots(shown: dict[str, Any]) -> dict[str, Any]:
    """The measurements themselves: the watched ones always, training when few or pointed at."""
    return {
        "params": [
            {
                "name": "nearest",
                "select": {
                    "type": "point",
                    "nearest": True,
                    "on": "pointerover",
                    "clear": "pointerout",
                },
            }
        ],
        "mark": {"type": "circle", "clip": True, "opacity": 1},
        "encoding": {
            "tooltip": {"field": "sentence"},
            "opacity": shown,
            "size": {
                "condition": [
                    {"param": "nearest", "empty": False, "value": 90},
                    {"test": "datum.mark == 'best'", "value": 70},
                    {"test": "datum.few || datum.series != 'train'", "value": 22},
                ],
                "value": 0,
            },
        },
    }


def _labels(end: str, shown: dict[str, Any], colour: str) -> list[dict[str, Any]]:
    """The names and figures at the ends of the curves and at the best epoch."""
    # In the full colour, also for training: its paler line is easy to see, paler text is not.
    weight = {"expr": "datum.series != 'train' ? 600 : 400"}
    text = {"type": "text", "clip": True, "fontWeight": weight, "fontSize": 13}
    places = [*((side, "last") for side in OFFSETS), ("above", "best")]
    return [
        {
            "transform": [{"filter": f"datum.mark == '{mark}' && datum.side == '{side}'"}],
            "mark": {
                **text,
                "dy": -OFFSETS[side],
                "align": {"expr": f"{end} ? 'right' : 'left'"},
            },
            "encoding": {
                "text": {"field": "label" if mark == "last" else "best"},
                "color": {"value": colour},
                "opacity": shown,
            },
        }
        for side, mark in places
    ]
