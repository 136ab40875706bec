"""The points of a run's live curves, and where the labels among them have room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

Value = Literal["accuracy", "loss"]

_MOST_POINTS = 1200
"""More points than a wide chart has pixels to show would only burden the connection."""

_FEW_POINTS = 8
"""Up to so many points a line is too short to be seen, so each has a dot."""

_MARKS: Final = ("", "last", "best")

OFFSETS: Mapping[str, int] = {"above": 12, "below": -16, "higher": 28}
"""Where a label can stand, and how many pixels above its point that is."""

_SIDES: Final = (*OFFSETS, "unsaid")
"""The best epoch's label is left out where another would lie on it."""

_LABEL_WIDTHS: Mapping[str, float] = {"last": 0.48, "best": 0.32}
"""Of the axis of a narrow chart."""

_LABEL_HEIGHT: Final = 16.0
_PLOT_HEIGHT: Final = 200.0
"""In pixels: what a label takes, and what lies between the axes of a low chart."""

TURN: Final = 0.75
"""Beyond this share of the axis a label stands left of its point, before it on the right."""

ACCURACY_TOP: Final = 1.08
LOSS_ROOM: Final = 1.15
"""The axes end above the highest point, so that its label has room there."""


@dataclass(frozen=True)
class Line:
    """One series of measurements, in any order.

    Attributes:
        epochs: When each was taken: 3.25 is a quarter into the fourth epoch.
        values: Accuracy as a share from 0 to 1, or loss; None or NaN where not measured.
    """

    epochs: Sequence[float]
    values: Sequence[float | None]


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
    pixel = (ACCURACY_TOP if value == "accuracy" else LOSS_ROOM * highest) / _PLOT_HEIGHT
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
        is_left = until is None or epoch > TURN * until
        up = float(one.values[point]) + OFFSETS[_SIDES[one.side[point]]] * pixel
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
