"""The layers of a network: one layer with its settings, and what the lab knows of each kind.

A new kind of layer is one entry of :data:`LAYER_KINDS`; a kind without one is still described,
drawn by its class name and counted.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

INPUT = "input"
"""What stands among a layer's inputs for the image itself."""


@dataclass(frozen=True, kw_only=True)
class LayerSettings:
    """How a layer is set; what its kind does not have stays as it is here.

    Attributes:
        filters: Output channels of a convolution.
        units: Outputs of a dense layer.
        window: (height, width) of a kernel or of a pooling's square.
        strides: Rows and columns from one window to the next.
        dilation: Rows and columns between the weights of a kernel, where they do not touch.
        padding: ``same`` or ``valid``.
        rate: Share that dropout forgets.
        scale: Factor of a rescaling.
        activation: Keras' name of the function behind it; empty where there is none.
        is_fixed: Whether it learns nothing: its weights stay as they were set.
        max_norm: Limit on the norm of each output's weights.
    """

    filters: int | None = None
    units: int | None = None
    window: tuple[int, int] | None = None
    strides: tuple[int, int] | None = None
    dilation: tuple[int, int] | None = None
    padding: str = ""
    rate: float | None = None
    scale: float | None = None
    activation: str = ""
    is_fixed: bool = False
    max_norm: float | None = None

    def __str__(self) -> str:
        """The settings in words, such as ``32 filters 3×3, same, relu``."""
        is_pooling = self.filters is None and self.padding != "same"
        usual = self.window if is_pooling else (1, 1)
        head = " ".join(
            [f"{self.filters} filters"] * (self.filters is not None)
            + [_times(self.window)] * (self.window is not None)
        )
        parts = (
            (head, head),
            (self.units, f"{self.units} units"),
            (not is_pooling, self.padding),
            (self.strides != usual and self.strides, f"stride {_times(self.strides)}"),
            (self.dilation, f"dilation {_times(self.dilation)}"),
            (self.rate is not None, f"{self.rate or 0:.0%}"),
            (self.scale, _factor(self.scale or 1)),
            (self.activation, self.activation),
            (self.is_fixed, "fixed"),
            (self.max_norm, f"max-norm {self.max_norm or 0:g}"),
        )
        return ", ".join(words for is_said, words in parts if is_said)

    def to_json(self) -> dict[str, Any]:
        """Returns what is set, as plain values."""
        values = dataclasses.asdict(self)
        return {
            item.name: values[item.name]
            for item in dataclasses.fields(self)
            if values[item.name] != item.default
        }


def _factor(scale: float) -> str:
    return f"× 1/{1 / scale:g}" if 0 < scale < 1 else f"× {scale:g}"


def _times(sizes: tuple[int, int] | None) -> str:
    return "×".join(map(str, sizes or ()))


@dataclass(frozen=True, kw_only=True)
class LayerSpec:
    """One layer of a network, for one image.

    Attributes:
        name: The layer's own name, or its kind and a number counted from 1.
        kind: The Keras class.
        inputs: Names of the layers it reads; :data:`INPUT` is the image.
        output_shape: Shape of its output without the batch: (height, width, channels) or (n,).
        parameters: Numbers it keeps, with biases; it learns them unless it is fixed.
        macs: Multiply-accumulate operations of one forward pass, without biases. Only layers
            with kernels have any: pooling, activations and scaling count as 0.
        receptive_field: Side, in pixels, of the square of the image that one number of the
            output can depend on; at most the image's own side.
        settings: How it is set.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    output_shape: tuple[int, ...]
    parameters: int = 0
    macs: int = 0
    receptive_field: int = 1
    settings: LayerSettings = field(default_factory=LayerSettings)

    @property
    def activation_bytes(self) -> int:
        """Size of its output in float32."""
        return 4 * math.prod(self.output_shape)

    @property
    def explanation(self) -> str:
        """In plain words what it does; empty for a kind the lab has no words for."""
        kind = LAYER_KINDS.get(self.kind)
        if kind is None:
            return ""
        if kind.is_activation:
            known = ACTIVATIONS.get(self.settings.activation)
            return known.explanation if known else kind.explanation
        if self.kind == "Rescaling" and self.settings.scale == 1 / 255:
            return "Colours 0–255 become 0–1"
        return (kind.fixed if self.settings.is_fixed else "") or kind.explanation


@dataclass(frozen=True)
class Activation:
    """A function that each number goes through.

    Attributes:
        title: Its name on the pages.
        explanation: What it does, short enough for the layer table.
        ops: LiteRT's operations that carry it out, one after the other, where it is not part of
            the operation before.
    """

    title: str
    explanation: str
    ops: tuple[str, ...]


_BENDS = "Bends the numbers"
_CUTS = "Negative numbers become 0"
_FADES = "Negative numbers fade to 0"

ACTIVATIONS: Mapping[str, Activation] = {
    "relu": Activation("ReLU", _CUTS, ("RELU",)),
    "relu6": Activation("ReLU6", _CUTS, ("RELU6",)),
    "leaky_relu": Activation("leaky ReLU", "Negative numbers shrink", ("LEAKY_RELU",)),
    "elu": Activation("ELU", _BENDS, ("ELU",)),
    "gelu": Activation("GELU", _FADES, ("GELU",)),
    "silu": Activation("SiLU", _FADES, ("LOGISTIC", "MUL")),
    "sigmoid": Activation("sigmoid", _BENDS, ("LOGISTIC",)),
    "tanh": Activation("tanh", _BENDS, ("TANH",)),
    "softmax": Activation("softmax", "Scores become probabilities", ("SOFTMAX",)),
}
"""By Keras' name."""


@dataclass(frozen=True)
class LayerKind:
    """What the lab knows of a kind of layer.

    Attributes:
        title: A word or two: below its block, and what its operation is called.
        explanation: What it does, short enough for the layer table.
        ops: LiteRT's operations of which one carries it out. ``SCALE`` and ``SHIFT`` are
            products and sums with constants: any number of them, or none where it became part
            of another operation's weights.
        colour: Of its block in the drawing; empty where it has none.
        symbol: In the ASCII print-out.
        remark: Put before its settings where it is told as part of the layer before it; None
            where it always stands for itself.
        activation: The function, where the class itself is one.
        fixed: What it does where it learns nothing.
        without_time: Why it takes no time of its own.
        term: What the glossary explains it by; empty where it does not.
    """

    title: str
    explanation: str
    ops: tuple[str, ...] = ()
    colour: Literal["network", "ink", "muted", ""] = ""
    symbol: str = "?????"
    remark: str | None = None
    activation: str = ""
    fixed: str = ""
    without_time: str = "in the layer above"
    term: str = ""

    @property
    def is_activation(self) -> bool:
        """Whether it is nothing but an activation."""
        return self.remark == ""

    @property
    def is_absorbed(self) -> bool:
        """Whether it may become part of another operation's weights."""
        return self.ops == _CONSTANTS


_CONSTANTS = ("SCALE", "SHIFT")

_ACTIVATION = LayerKind("activation", _BENDS, symbol=" f|  ", remark="", term="activation function")
_CONVOLUTION = LayerKind(
    "convolution",
    "Small filters look for patterns",
    ("CONV_2D",),
    "network",
    " \\|/ ",
    term="convolution",
)

LAYER_KINDS: Mapping[str, LayerKind] = {
    "Activation": _ACTIVATION,
    "ReLU": replace(_ACTIVATION, activation="relu"),
    "Relu": replace(_ACTIVATION, activation="relu"),
    "Softmax": replace(_ACTIVATION, activation="softmax"),
    "Add": LayerKind("sum", "Adds what it reads", ("ADD",), "muted", " +++ "),
    "Multiply": LayerKind("product", "Multiplies what it reads", ("MUL",), "muted"),
    "Concatenate": LayerKind("joined", "Puts all channels together", ("CONCATENATION",), "muted"),
    "Conv2D": replace(_CONVOLUTION, fixed="Fixed filters take patches apart"),
    "DepthwiseConv2D": replace(
        _CONVOLUTION, explanation="One filter looks at each channel", ops=("DEPTHWISE_CONV_2D",)
    ),
    "Dense": LayerKind(
        "all to all", "Weighs all inputs together", ("FULLY_CONNECTED",), "ink", "XXXXX"
    ),
    "MaxPooling2D": LayerKind(
        "max pooling", "Keeps each square's strongest", ("MAX_POOL_2D",), "muted", "Y max"
    ),
    "AveragePooling2D": LayerKind(
        "average", "Averages each square", ("AVERAGE_POOL_2D",), "muted", "Y avg"
    ),
    "GlobalAveragePooling2D": LayerKind(
        "average", "Averages each channel", ("MEAN", "AVERAGE_POOL_2D"), "muted", "Y^avg"
    ),
    "GlobalMaxPooling2D": LayerKind(
        "largest of all", "Keeps each channel's strongest", ("REDUCE_MAX",), "muted", "Y^max"
    ),
    "Flatten": LayerKind("in one row", "All numbers in one row", ("RESHAPE",), symbol="|||||"),
    "ZeroPadding2D": LayerKind("border", "Puts a border of zeros around", ("PAD",)),
    "BatchNormalization": LayerKind(
        "normalisation",
        "Evens out each channel",
        _CONSTANTS,
        symbol=" μ|σ ",
        term="batch normalisation",
    ),
    "Rescaling": LayerKind(
        "scale",
        "Multiplies all numbers by one",
        _CONSTANTS,
        symbol="* a+b",
        without_time="in the next layer",
    ),
    "Dropout": LayerKind(
        "dropout",
        "Forgets some while it trains",
        symbol=" | ||",
        remark="dropout ",
        without_time="only while it trains",
        term="dropout",
    ),
}
"""By Keras class."""

OP_KINDS: Mapping[str, str] = {
    **{item.ops[0]: "Activation" for item in ACTIVATIONS.values()},
    "SOFTMAX": "Softmax",
    **{
        op: name
        for name, kind in reversed([*LAYER_KINDS.items()])
        for op in kind.ops
        if not kind.is_absorbed
    },
}
"""The kind of layer that a LiteRT operation carries out by itself."""

OP_TITLES: Mapping[str, str] = {
    **{op: LAYER_KINDS[kind].title for op, kind in OP_KINDS.items()},
    **{item.ops[0]: item.title for item in ACTIVATIONS.values() if len(item.ops) == 1},
}
"""What a LiteRT operation is called on the pages."""
