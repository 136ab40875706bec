"""One number of a network worked out by hand: a convolution, a pooling, the softmax.

Everything is plain NumPy on what an op of the served network read, so that the outcome can be
laid beside the number that the network itself made. How an op rounds to 8 bits is that of the
library that computes for LiteRT on a CPU (XNNPACK, ``qd8``: 256 even levels from the smallest to
the largest number that the op reads of a picture, with zero among them).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cifar_core.inference.layer_inspector import LayerOutput
from cifar_core.inference.litert_ops import LiteRtOp
from cifar_core.inference.windows import Window, cut_window

_LARGE_SCORE = 50.0


def gelu(value: float) -> float:
    """Returns a number times the share of a normal distribution that lies below it.

    Source: D. Hendrycks, K. Gimpel, "Gaussian Error Linear Units", arXiv 1606.08415, 2016.
    """
    return value * share_below(value)


def share_below(value: float) -> float:
    """Returns the share of a normal distribution, mean 0 and deviation 1, below a number."""
    return (1 + math.erf(value / math.sqrt(2))) / 2


_ACTIVATIONS: Mapping[str, Callable[[float], float]] = {
    "": lambda value: value,
    "relu": lambda value: max(value, 0.0),
    "relu6": lambda value: min(max(value, 0.0), 6.0),
    "tanh": lambda value: float(np.tanh(value)),
}


@dataclass(frozen=True)
class WorkedConvolution:
    """One number of a convolution, worked out.

    Attributes:
        window: What it reads, as the op rounds it.
        read: (height, width, in) float64: the same before rounding.
        kernel: (height, width, in) float64: the filter's weights.
        products: (height, width, in) float64: window times kernel.
        channel_sums: (in,) float64: the products of each channel added up.
        bias: What is added in the end.
        total: Sum of all products and the bias.
        result: The total after the op's activation.
        network: What the network itself computed, float32.
        is_8_bit: Whether the op rounds what it reads.
    """

    window: Window
    read: NDArray[np.float64]
    kernel: NDArray[np.float64]
    products: NDArray[np.float64]
    channel_sums: NDArray[np.float64]
    bias: float
    total: float
    result: float
    network: float
    is_8_bit: bool

    @property
    def difference(self) -> float:
        """How far the worked number is from the network's."""
        return abs(self.result - self.network)


@dataclass(frozen=True)
class WorkedPooling:
    """One number of a pooling, worked out.

    Attributes:
        window: The numbers that are compared; one channel.
        result: The largest of them.
        network: What the network itself computed, float32.
    """

    window: Window
    result: float
    network: float


@dataclass(frozen=True)
class WorkedSoftmax:
    """Ten scores made probabilities.

    Attributes:
        logits: (n,) float64: the scores.
        scaled: (n,) float64: the scores divided by the temperature.
        powers: (n,) float64: e to the power of each; of very large scores the largest is taken
            off before, which leaves the shares as they are.
        total: Their sum.
        shares: (n,) float64: each power's share of the sum.
        network: (n,) float32: the network's own probabilities; without a temperature they are
            the shares.
        temperature: 1 where there is none.
    """

    logits: NDArray[np.float64]
    scaled: NDArray[np.float64]
    powers: NDArray[np.float64]
    total: float
    shares: NDArray[np.float64]
    network: NDArray[np.float32]
    temperature: float


def can_work(op: LiteRtOp) -> bool:
    """Says whether a number of this op can be worked out here."""
    if op.kind == "Conv2D":
        grouped = op.kernel is not None and op.kernel.shape[2] != op.read_shape[-1]
        return not grouped and op.activation in _ACTIVATIONS
    return op.kind in ("MaxPooling2D", "Softmax") and not op.activation


def work_convolution(
    op: LiteRtOp, output: LayerOutput, *, row: int, column: int, channel: int
) -> WorkedConvolution:
    """Works out one number of a convolution.

    Args:
        op: A convolution for which :func:`can_work` says yes.
        output: What it read and made of a picture.
        row: Row of its output.
        column: Column of its output.
        channel: Which filter.

    Raises:
        ValueError: The op is no such convolution.
    """
    if op.kernel is None or op.kind != "Conv2D" or not can_work(op):
        raise ValueError(f"a {op.name} cannot be worked out")
    rounded = round_to_8_bits(output.read) if op.is_8_bit else output.read
    window = cut_window(op, rounded, row=row, column=column)
    kernel = op.kernel[..., channel].astype(np.float64)
    products = window.values * kernel
    bias = 0.0 if op.bias is None else float(op.bias[channel])
    total = float(products.sum()) + bias
    return WorkedConvolution(
        window=window,
        read=cut_window(op, output.read, row=row, column=column).values,
        kernel=kernel,
        products=products,
        channel_sums=products.sum(axis=(0, 1)),
        bias=bias,
        total=total,
        result=_ACTIVATIONS[op.activation](total),
        network=float(output.made[row, column, channel]),
        is_8_bit=op.is_8_bit,
    )


def work_pooling(
    op: LiteRtOp, output: LayerOutput, *, row: int, column: int, channel: int
) -> WorkedPooling:
    """Works out one number of a max pooling; arguments as for :func:`work_convolution`.

    Raises:
        ValueError: The op is no max pooling.
    """
    if op.kind != "MaxPooling2D" or not can_work(op):
        raise ValueError(f"a {op.name} cannot be worked out")
    window = cut_window(op, output.read[..., channel : channel + 1], row=row, column=column)
    largest = float(window.values[window.inside].max())
    return WorkedPooling(window, largest, float(output.made[row, column, channel]))


def work_softmax(
    logits: NDArray[np.float32], network: NDArray[np.float32], *, temperature: float | None = None
) -> WorkedSoftmax:
    """Works out probabilities from scores.

    Args:
        logits: (n,) scores.
        network: (n,) the network's own probabilities.
        temperature: What the scores are divided by before, where a model has one. The source
            is Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """
    divisor = 1.0 if temperature is None else temperature
    scores = logits.astype(np.float64)
    scaled = scores / divisor
    powers = np.exp(scaled - (scaled.max() if scaled.max() > _LARGE_SCORE else 0.0))
    total = float(powers.sum())
    return WorkedSoftmax(scores, scaled, powers, total, powers / total, network, divisor)


def round_to_8_bits(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns numbers rounded to 256 even levels from their smallest to their largest.

    Zero is always among the levels. It follows XNNPACK's conversion for ``qd8`` operators.

    Args:
        values: What an op reads of one picture, any shape.
    """
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    width = np.float32((high - low) / 255) if high > low else np.float32(1)
    from_low, from_high = -128 - low / width, 127 - high / width
    error = (-128 + low / width) + (127 + high / width)
    zero = int(np.clip(np.rint(from_low if error > 0 else from_high), -128, 127))
    levels = np.clip(np.rint(values * (np.float32(1) / width)) + zero, -128, 127)
    rounded: NDArray[np.float32] = ((levels - zero) * width).astype(np.float32)
    return rounded
