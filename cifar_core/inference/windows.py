"""What one number of an op comes from: the window it reads, and its part of the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cifar_core.inference.litert_ops import IMAGE, LiteRtOp


@dataclass(frozen=True)
class Window:
    """The square of what an op reads that one number of its output comes from.

    Attributes:
        top: Its first row; negative where it begins in the border of zeros.
        left: Its first column.
        values: (height, width, channels) float64, 0 outside.
        inside: (height, width) bool: what lies within, not in the border.
    """

    top: int
    left: int
    values: NDArray[np.float64]
    inside: NDArray[np.bool_]


def cut_window(op: LiteRtOp, read: NDArray[np.floating], *, row: int, column: int) -> Window:
    """Returns what one place of an op's output is made from, zeros outside.

    Args:
        op: A convolution or pooling.
        read: (height, width, channels) what it reads.
        row: Row of its output.
        column: Column of its output.

    Raises:
        ValueError: The op has no window.
    """
    if op.window is None or len(op.read_shape) != 3:
        raise ValueError(f"a {op.name} has no window")
    edges = [
        index * stride - _border(op, axis)
        for axis, (index, stride) in enumerate(zip((row, column), op.stride, strict=True))
    ]
    rows, columns = (
        edge + spread * np.arange(size)
        for edge, size, spread in zip(edges, op.window, op.operation.dilation, strict=True)
    )
    height, width = read.shape[:2]
    within = ((rows >= 0) & (rows < height))[:, np.newaxis] & (columns >= 0) & (columns < width)
    taken = read[np.ix_(rows.clip(0, height - 1), columns.clip(0, width - 1))]
    values = np.where(within[..., np.newaxis], taken, 0).astype(np.float64)
    return Window(edges[0], edges[1], values, within)


Box = tuple[int, int, int, int]
"""First row and column, last row and column."""


def _border(op: LiteRtOp, axis: int) -> int:
    """Returns how many zeros stand before the first row (0) or column (1) of what is read.

    As TensorFlow pads "same": what does not divide evenly goes behind.
    """
    if op.padding != "same" or op.window is None:
        return 0
    size, stride = op.read_shape[axis], op.stride[axis]
    reach = op.operation.dilation[axis] * (op.window[axis] - 1) + 1
    return max(0, ((-(-size // stride)) - 1) * stride + reach - size) // 2


def trace_back(
    ops: Sequence[LiteRtOp], index: int, *, row: int, column: int
) -> tuple[int, int, int, int]:
    """Returns the part of the picture that one place of an op's output depends on.

    Args:
        ops: The network's ops.
        index: Which op; it and those before it give (height, width, channels).
        row: Row of its output.
        column: Column of its output.

    Returns:
        (top, left, bottom, right) in pixels of the picture, the last two not included; cut at
        the picture's edges.
    """
    boxes: dict[int, Box] = {index: (row, column, row, column)}  # of each op's output
    for at in range(index, -1, -1):
        if at not in boxes:
            continue
        op = ops[at]
        for source in op.sources:
            shape = ops[source].shape if source != IMAGE else ops[0].read_shape
            read = _read_box(op, boxes[at], shape)
            known = boxes.get(source, read)
            boxes[source] = (
                *(min(known[0], read[0]), min(known[1], read[1])),
                *(max(known[2], read[2]), max(known[3], read[3])),
            )
    top, left, bottom, right = boxes[IMAGE]
    height, width = ops[0].read_shape[:2]
    return max(0, top), max(0, left), min(height, bottom + 1), min(width, right + 1)


def _read_box(op: LiteRtOp, box: Box, shape: tuple[int, ...]) -> Box:
    """Returns what an op reads, of something of this shape, for a part of its output."""
    if op.window is not None:
        edges = [box[axis] * op.stride[axis % 2] - _border(op, axis % 2) for axis in range(4)]
        reach = [op.operation.dilation[axis] * (op.window[axis] - 1) for axis in (0, 1)]
        return edges[0], edges[1], edges[2] + reach[0], edges[3] + reach[1]
    if len(shape) != 3:  # numbers in a row have no place in the image
        return 0, 0, 0, 0
    return box if shape[:2] == op.shape[:2] else (0, 0, shape[0] - 1, shape[1] - 1)
