"""Learning curves that move while a person looks closer.

The chart is drawn by Vega-Lite, which ships with Streamlit. Between two ticks the specification
stays the same and only the data changes, so the browser keeps the chart it has and slides the
new points in. Zoom and shown series survive because both are selections of the element: what
Streamlit does not know as a selection it forgets at each change of the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.recipes import MonitoredSplit

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

Value = Literal["accuracy", "loss"]

_MOST_POINTS = 1200
"""More points than a wide chart has pixels to show would only burden the connection."""

_FEW_POINTS = 8
"""Up to so many points a line is too short to be seen, so each has a dot."""

_MARKS: Final = ("", "last", "best")

_OFFSETS: Mapping[str, int] = {"above": 12, "below": -16, "higher": 28}
"""Where a label can stand, and how many pixels above its point that is."""

_SIDES: Final = (*_OFFSETS, "unsaid")
"""The best epoch's label is left out where another would lie on it."""

_LABEL_WIDTHS: Mapping[str, float] = {"last": 0.48, "best": 0.32}
"""Of the axis of a narrow chart."""

_LABEL_HEIGHT: Final = 16.0
_PLOT_HEIGHT: Final = 200.0
"""In pixels: what a label takes, and what lies between the axes of a low chart."""

_TURN: Final = 0.75
"""Beyond this share of the axis a label stands left of its point, before it on the right."""

_ACCURACY_TOP: Final = 1.08
_LOSS_ROOM: Final = 1.15
"""The axes end above the highest point, so that its label has room there."""

_WIDTHS: Final = [1.5, 2.5]
_EPOCH = "'Epoch ' + format(datum.epoch, datum.epoch == floor(datum.epoch) ? 'd' : '.1f') + ': '"
_SENTENCES: Mapping[Value, str] = {
    "accuracy": _EPOCH + " + format(datum.value, '.1%') + ' of the ' + datum.name"
    " + ' pictures right'",
    "loss": _EPOCH + " + datum.name + ' loss ' + format(datum.value, '.3f')",
}
_FORMATS: Mapping[Value, str] = {"accuracy": ".1%", "loss": ".3f"}


@dataclass(frozen=True)
class Line:
    """One series of measurements, in any order.

    Attributes:
        epochs: When each was taken: 3.25 is a quarter into the fourth epoch.
        values: Accuracy as a share from 0 to 1, or loss; None or NaN where not measured.
    """

    epochs: Sequence[float]
    values: Sequence[float | None]


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


def prepare(lines: Mapping[str, Line], value: Value, until: float | None = None) -> pa.Table:
    """Returns the points in order, thinned, with those that carry a label marked.

    Written with NumPy for Arrow, because it is done at every tick: with pandas between them it
    took eight times as long.

    Args:
        lines: As :func:`live_curves` takes them.
        value: Which measure they hold; decides what "best" means.
        until: End of the horizontal axis; the last epoch measured if not given.

    Returns:
        ``epoch``, ``value``, ``series``, two texts: ``mark`` (``last``, ``best`` or empty)
        and ``side`` (``above``, ``below`` or ``higher``: where the label has room, ``unsaid``
        where it has none), and ``few``: whether the series is too short for its line to be
        seen.
    """
    import pyarrow as pa

    series = [_series(name, line, value) for name, line in lines.items()]
    _find_room([one for one in series if len(one.values)], value, until)
    epochs = _joined([one.epochs for one in series], np.float32)
    order = np.argsort(epochs, kind="stable")
    sizes = [len(one.epochs) for one in series]
    few = [size <= _FEW_POINTS for size in sizes]

    def texts(codes: NDArray[Any], words: Sequence[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(codes.astype(np.int8)[order], words)

    return pa.table(
        {
            "epoch": epochs[order],
            "value": _joined([one.values for one in series], np.float32)[order],
            "series": texts(np.repeat(np.arange(len(series)), sizes), list(lines)),
            "mark": texts(_joined([one.mark for one in series], np.int8), _MARKS),
            "side": texts(_joined([one.side for one in series], np.int8), _SIDES),
            "few": np.repeat(np.asarray(few, bool), sizes)[order],
        }
    )


@dataclass(frozen=True)
class _Series:
    """The points of a line that are drawn: (n,) each; ``last`` is the newest's place."""

    epochs: NDArray[np.float64]
    values: NDArray[np.float64]
    mark: NDArray[np.int8]
    side: NDArray[np.int8]
    last: int


def _series(name: str, line: Line, value: Value) -> _Series:
    """Returns what is drawn of a line."""
    epochs, values = np.array(line.epochs, np.float64), np.array(line.values, np.float64)
    measured = np.isfinite(epochs) & np.isfinite(values)
    epochs, values = epochs[measured], values[measured]
    order = np.argsort(epochs, kind="stable")
    if name == "train":
        # Backwards, so that the newest point is always among them.
        order = order[:: -max(1, -(-len(order) // _MOST_POINTS))][::-1]
    epochs, values = epochs[order], values[order]
    mark, side = np.zeros((2, len(values)), np.int8)
    last = int(epochs.argmax()) if len(epochs) else 0
    if len(values):
        if name != "train":
            mark[values.argmax() if value == "accuracy" else values.argmin()] = _MARKS.index("best")
        mark[last] = _MARKS.index("last")
    return _Series(epochs, values, mark, side, last)


def _find_room(series: Sequence[_Series], value: Value, until: float | None) -> None:
    """Writes to each labelled point on which side of it the label has room, by an estimate."""
    if not series:
        return
    highest = max(float(one.values.max()) for one in series) or 1.0
    pixel = (_ACCURACY_TOP if value == "accuracy" else _LOSS_ROOM * highest) / _PLOT_HEIGHT
    low, *others = sorted(series, key=lambda one: float(one.values[one.last]))
    if others:
        apart = others[-1].values[others[-1].last] - low.values[low.last]
        if low.values[low.last] > 2 * _LABEL_HEIGHT * pixel:
            low.side[low.last] = _SIDES.index("below")
        elif apart < _LABEL_HEIGHT * pixel:
            others[-1].side[others[-1].last] = _SIDES.index("higher")
    span = until or max(float(one.epochs[one.last]) for one in series)

    def place(one: _Series, point: int) -> tuple[float, float, float]:
        """Left and right end of a point's label, in epochs, and its height on the axis."""
        epoch, width = float(one.epochs[point]), span * _LABEL_WIDTHS[_MARKS[one.mark[point]]]
        is_left = until is None or epoch > _TURN * until
        up = float(one.values[point]) + _OFFSETS[_SIDES[one.side[point]]] * pixel
        return (epoch - width, epoch, up) if is_left else (epoch, epoch + width, up)

    said = [place(one, one.last) for one in series]
    for one in series:
        for best in np.flatnonzero(one.mark == _MARKS.index("best")):
            left, right, up = place(one, int(best))
            if any(
                left < end and start < right and abs(up - height) < _LABEL_HEIGHT * pixel
                for start, end, height in said
            ):
                one.side[best] = _SIDES.index("unsaid")


def _joined(parts: Sequence[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.empty(0), *parts]).astype(kind)


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
    y_scale = (
        {"domain": [0, _ACCURACY_TOP]} if value == "accuracy" else {"zero": True, "nice": True}
    )
    y_axis = {"format": "%"} if value == "accuracy" else {}
    end = f"datum.epoch > {_TURN * epochs}" if epochs else "true"
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
        "transform": [{"calculate": f"datum.value * {_LOSS_ROOM}", "as": "headroom"}],
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
    places = [*((side, "last") for side in _OFFSETS), ("above", "best")]
    return [
        {
            "transform": [{"filter": f"datum.mark == '{mark}' && datum.side == '{side}'"}],
            "mark": {
                **text,
                "dy": -_OFFSETS[side],
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
