"""What a network looks like from outside: its layers, shapes, parameters and arithmetic.

Plain data without Keras. The descriptions of the lab's own networks ship as JSON beside this
module, so the web process shows them without building a model;
:mod:`cifar_core.networks.describe` makes them from the real ones.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cifar_core.errors import ModelError
from cifar_core.networks import NETWORKS

_NETWORKS_DIR = Path(__file__).resolve().parent


@dataclass(frozen=True)
class LayerRow:
    """One layer of a network, for one picture.

    Attributes:
        name: The layer's own name, or its kind and a number counted from 1.
        kind: The Keras class.
        output_shape: Shape of its output without the batch: (height, width, channels) or (n,).
        parameters: Numbers it keeps, with biases; it learns them unless its details say ``fixed``.
        macs: Multiply-accumulate operations of one forward pass, without biases. Only layers
            with weight matrices have any: pooling, activations and scaling count as 0.
        activation_bytes: Size of its output in float32.
        receptive_field: Side, in pixels, of the square of the picture that one number of the
            output can depend on; at most the picture's own side.
        details: Its settings in words, such as ``32 filters 3×3, same, relu``.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    macs: int
    activation_bytes: int
    receptive_field: int
    details: str

    @property
    def is_fixed(self) -> bool:
        """Whether it learns nothing: its weights stay as they were set."""
        return "fixed" in self.details.split(", ")


@dataclass(frozen=True)
class NetworkDescription:
    """A whole network.

    Attributes:
        name: Its short name.
        title: Its name on the pages.
        input_shape: Shape of one picture: (height, width, channels).
        rows: Its layers, from the picture to the answer.
        parameters: Sum over the layers.
        macs: Sum over the layers, per picture and forward pass.
        keras_summary: What Keras' own ``summary()`` prints of it in a new process.
    """

    name: str
    title: str
    input_shape: tuple[int, ...]
    rows: tuple[LayerRow, ...]
    parameters: int
    macs: int
    keras_summary: str = ""

    @property
    def training_flops(self) -> int:
        """Floating-point operations to train on one picture once.

        A multiply-accumulate counts as two operations. The backward pass costs the forward
        pass twice, once for the weights and once for the layer below; the first layer that
        learns has none below that does, and a fixed one before it costs its forward pass alone.
        """
        weighty = [row for row in self.rows if row.macs]
        fixed = list(itertools.takewhile(lambda row: row.is_fixed, weighty))
        first = sum(row.macs for row in weighty[len(fixed) : len(fixed) + 1])
        return 6 * self.macs - 4 * sum(row.macs for row in fixed) - 2 * first

    def to_json(self) -> dict[str, Any]:
        """Returns the description as plain values, ready for JSON."""
        return dataclasses.asdict(self)


def from_json(values: Mapping[str, Any]) -> NetworkDescription:
    """Builds a description from plain values, the inverse of ``to_json``.

    Raises:
        ModelError: A value is missing, unknown or of the wrong kind.
    """
    try:
        rows = tuple(
            LayerRow(**{**row, "output_shape": _shape(row["output_shape"])})
            for row in values["rows"]
        )
        return NetworkDescription(
            **{**values, "rows": rows, "input_shape": _shape(values["input_shape"])}
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"The description of a network cannot be read ({error}).",
            expected="A file as the lab itself writes it.",
            remedy="Restore the file, or run the training again.",
        ) from error


def load_description(name: str) -> NetworkDescription:
    """Returns the shipped description of one of the lab's networks.

    Raises:
        KeyError: There is no such network.
    """
    text = description_path(name).read_text(encoding="utf-8")
    return from_json(json.loads(text))


def first_is_fixed(description: NetworkDescription) -> bool:
    """Says whether the first convolution learns nothing: its weights are set beforehand."""
    first = next((row for row in description.rows if row.kind == "Conv2D"), None)
    return first is not None and first.is_fixed


def description_path(name: str) -> Path:
    """Returns where the shipped description of a network lies.

    Raises:
        KeyError: There is no such network.
    """
    return _NETWORKS_DIR / "descriptions" / f"{NETWORKS[name].name}.json"


def source_code(name: str) -> str:
    """Returns the Python module that builds a network, as text.

    Raises:
        KeyError: There is no such network.
    """
    return (_NETWORKS_DIR / f"{NETWORKS[name].name}.py").read_text(encoding="utf-8")


def ascii_printout(description: NetworkDescription) -> str:
    """Returns the network as text, laid out as ``keras_sequential_ascii`` 0.1.1 (2018) does.

    That package, which the tutorial uses, does not work with Keras 3. A layer's weights and
    their share stand beside its operation, the shape of its output in the line below, and there
    its activation, be it the layer's own or a layer behind it.
    """
    lines = [
        f"{'OPERATION':>20}           DATA DIMENSIONS   WEIGHTS(N)   WEIGHTS(%)",
        "",
        _data_line("Input", description.input_shape),
    ]
    for row, activation in _folded(description.rows):
        share = 100 * row.parameters / max(description.parameters, 1)
        kind = "" if row.kind == "Activation" else row.kind
        head = f"{kind:>20}   {_SYMBOLS.get(row.kind, '?????')} -------------------"
        lines.append(f"{head}{row.parameters:>10}   {share:>5.1f}%")
        lines.append(_data_line(activation, row.output_shape))
    return "\n".join(lines) + "\n"


def _folded(rows: Sequence[LayerRow]) -> list[tuple[LayerRow, str]]:
    """Returns the layers with their activations; one behind a layer without is that layer's."""
    folded: list[tuple[LayerRow, str]] = []
    for row in rows:
        words = row.details.split(", ")
        activation = next((word for word in words if word in _ACTIVATIONS), "")
        if row.kind == "Activation" and folded and not folded[-1][1]:
            folded[-1] = (folded[-1][0], activation)
        else:
            folded.append((row, activation))
    return folded


_ACTIVATIONS = frozenset({"relu", "gelu", "softmax", "sigmoid", "tanh", "elu", "selu", "silu"})
_SYMBOLS: Mapping[str, str] = {
    "Activation": " f|  ",
    "BatchNormalization": " μ|σ ",
    "Conv2D": " \\|/ ",
    "Dense": "XXXXX",
    "Dropout": " | ||",
    "Flatten": "|||||",
    "GlobalAveragePooling2D": "Y^avg",
    "GlobalMaxPooling2D": "Y^max",
    "MaxPooling2D": "Y max",
    "Rescaling": "* a+b",
}


def _data_line(operation: str, shape: tuple[int, ...]) -> str:
    sizes = " ".join(f"{size:4d}" for size in shape) if len(shape) > 1 else f"{shape[0]:9d}"
    return f"{operation:>20}   #####   {sizes}"


def _shape(values: Any) -> tuple[int, ...]:
    """Returns a shape from a JSON list, refusing sizes that are none."""
    sizes = tuple(int(size) for size in values)
    if not sizes or math.prod(sizes) < 1 or min(sizes) < 1:
        raise ValueError(f"shape {values}")
    return sizes
