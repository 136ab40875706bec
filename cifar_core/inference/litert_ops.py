"""The operations of a served network that make numbers of images, with their weights."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cifar_core.inference.operations import Operation, Padding
from cifar_core.networks.layers import ACTIVATIONS, OP_KINDS, OP_TITLES

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

IMAGE = -1
"""What stands among the sources of an op for the image itself."""

_WITH_CONSTANTS: Mapping[str, str] = {"MUL": "SCALE", "ADD": "SHIFT", "SUB": "SHIFT"}
"""Of what has numbers of its own to go with: batch normalisation behind a pooling."""


@dataclass(frozen=True)
class LiteRtOp:
    """One op of a served network.

    Attributes:
        name: LiteRT's name of what it does, or ``SCALE`` and ``SHIFT`` for products and sums with
            a number for every channel.
        shape: Of its output for one picture: (height, width, channels) or (n,).
        operation: What LiteRT says of it: name, window, stride, padding, activation.
        read_shape: Of what it reads for one picture.
        kernel: A convolution's (height, width, in, out), a dense layer's (in, out), float32,
            8-bit weights scaled back; None where there are none.
        bias: (out,) float32, or None.
        is_8_bit: Whether its weights are stored in 8 bits, and what it reads is rounded so.
        sources: Positions of the ops that it reads, each once; :data:`IMAGE` is the image.
    """

    name: str
    shape: tuple[int, ...]
    operation: Operation
    read_shape: tuple[int, ...]
    kernel: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None
    is_8_bit: bool = False
    sources: tuple[int, ...] = (IMAGE,)

    @property
    def kind(self) -> str:
        """The kind of layer that it carries out; its own name where that is none of the lab's."""
        return OP_KINDS.get(self.name, self.name)

    @property
    def title(self) -> str:
        """What it is called on the pages."""
        return OP_TITLES.get(self.name, self.name.lower())

    @property
    def activation(self) -> str:
        """What is done to its result at once: ``relu`` …, or empty."""
        return self.operation.activation

    @property
    def activation_title(self) -> str:
        """What that is called on the pages."""
        known = ACTIVATIONS.get(self.activation)
        return known.title if known else self.activation

    @property
    def stride(self) -> tuple[int, int]:
        """Rows and columns from one window to the next."""
        return self.operation.stride

    @property
    def padding(self) -> Padding:
        """``same``: zeros are put around what it reads; ``valid``: none; or empty."""
        return self.operation.padding

    @property
    def window(self) -> tuple[int, int] | None:
        """(height, width) of a convolution's or pooling's window."""
        if self.kind == "Conv2D" and self.kernel is not None:
            return self.kernel.shape[0], self.kernel.shape[1]
        return self.operation.window


def open_interpreter(content: bytes, threads: int) -> Interpreter:
    """Returns LiteRT's interpreter of a file, which keeps what every operation makes.

    Raises:
        ValueError: The file is no network, or one that LiteRT cannot run.
    """
    from ai_edge_litert.interpreter import Interpreter

    with warnings.catch_warnings():
        # Meant for debugging because it takes memory: here 2 MB a network, and it is the purpose.
        warnings.filterwarnings("ignore", message=".*experimental_preserve_all_tensors.*")
        return Interpreter(
            model_content=content, num_threads=threads, experimental_preserve_all_tensors=True
        )


def read_ops(
    interpreter: Interpreter, operations: Sequence[Operation], tensors: Mapping[int, Any]
) -> tuple[LiteRtOp, ...]:
    """Returns the operations that make numbers of an image, those between them left out."""
    ops: list[LiteRtOp] = []
    behind: dict[int, tuple[int, ...]] = {}  # the shown operations that a tensor comes from
    for item in operations:
        read = data_inputs(item, tensors)
        sources = tuple(dict.fromkeys(at for i in read for at in behind.get(i, (IMAGE,))))
        if is_shown(item, tensors):
            ops.append(replace(_read_op(interpreter, item, tensors), sources=sources))
            sources = (len(ops) - 1,)
        behind[item.output] = sources
    return tuple(ops)


def is_shown(operation: Operation, tensors: Mapping[int, Any]) -> bool:
    """Says whether an operation makes numbers of an image; casts and shapes show nothing."""
    made = tensors[operation.output]
    has_form = _is_of_image(made) and len(made["shape_signature"]) in (2, 4)
    return has_form and made["dtype"] is np.float32 and operation.name != "CAST"


def data_inputs(operation: Operation, tensors: Mapping[int, Any]) -> list[int]:
    """Returns the tensors of the image that an operation reads: no weights, axes or shapes."""
    read = [index for index in operation.inputs if index >= 0]
    return [index for index in read if _is_of_image(tensors[index])] or read[:1]


def _is_of_image(detail: Mapping[str, Any]) -> bool:
    """Says whether a tensor has a row for each image of a batch."""
    signature = detail["shape_signature"]
    return len(signature) > 1 and signature[0] == -1


def _read_op(
    interpreter: Interpreter, operation: Operation, tensors: Mapping[int, Any]
) -> LiteRtOp:
    read = data_inputs(operation, tensors)
    name = _WITH_CONSTANTS.get(operation.name, operation.name) if len(read) == 1 else operation.name
    shape, read_shape = (
        tuple(int(side) for side in tensors[index]["shape_signature"][1:])
        for index in (operation.output, read[0])
    )
    op = LiteRtOp(name, shape, operation, read_shape)
    if op.kind not in ("Conv2D", "Dense"):
        return op
    _, kernel, *bias = operation.inputs
    values = _scaled_back(interpreter, tensors[kernel])
    axes = (1, 2, 3, 0) if op.kind == "Conv2D" else (1, 0)  # LiteRT: outputs first
    return replace(
        op,
        kernel=np.ascontiguousarray(values.transpose(axes)),
        bias=interpreter.get_tensor(bias[0]) if bias and bias[0] >= 0 else None,
        is_8_bit=tensors[kernel]["dtype"] is np.int8,
    )


def _scaled_back(interpreter: Interpreter, detail: dict[str, Any]) -> NDArray[np.float32]:
    """Returns a weight tensor as float32: 8-bit values times the scale of their output."""
    values: NDArray[Any] = interpreter.get_tensor(int(detail["index"]))
    scales = detail["quantization_parameters"]["scales"]
    if not len(scales):
        return values.astype(np.float32)
    axis = int(detail["quantization_parameters"]["quantized_dimension"])
    shape = [1] * values.ndim
    shape[axis] = -1
    return values.astype(np.float32) * np.asarray(scales, np.float32).reshape(shape)
