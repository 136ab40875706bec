"""What a LiteRT file says of its network: its operations in order, with their settings.

LiteRT's interpreter tells tensors but neither which of them an operation reads nor its stride
and padding; the file does. Its schema ships with LiteRT's own package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Padding = Literal["same", "valid", ""]


@dataclass(frozen=True)
class Operation:
    """One operation of a network.

    Attributes:
        name: LiteRT's name, such as ``CONV_2D``.
        inputs: Indices of the tensors it reads; -1 where an optional one is left out.
        output: Index of the tensor it makes.
        window: (height, width) of a pooling's window, or None.
        stride: Rows and columns from one window to the next.
        dilation: Rows and columns between the weights of a kernel; 1, 1 where they touch.
        padding: ``same``, ``valid``, or empty where there is no window.
        activation: What is done to the result at once: ``relu``, ``relu6``, ``tanh`` or empty.
    """

    name: str
    inputs: tuple[int, ...]
    output: int
    window: tuple[int, int] | None = None
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: Padding = ""
    activation: str = ""


def read_operations(content: bytes) -> list[Operation]:
    """Returns the operations of a LiteRT file, in the order in which they run.

    Args:
        content: The whole file; it must be one that LiteRT's interpreter accepts.

    Raises:
        ValueError: It holds no network, or not just one.
    """
    model = parse(content)
    names = operator_names()
    return [
        _read(operation, names[model.operatorCodes[operation.opcodeIndex].builtinCode])
        for operation in model.subgraphs[0].operators
    ]


def parse(content: bytes) -> Any:
    """Returns a LiteRT file as its schema's own ``ModelT``, with one subgraph.

    Raises:
        ValueError: It holds no network, or not just one.
    """
    from ai_edge_litert import schema_py_generated as schema

    if content[4:8] != b"TFL3":
        raise ValueError("it is no LiteRT file")
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if len(model.subgraphs or ()) != 1:
        raise ValueError("it holds more than one graph")
    return model


def operator_names() -> Mapping[int, str]:
    """Returns LiteRT's names of operations by their numbers in a file."""
    from ai_edge_litert import schema_py_generated as schema

    return _by_number(schema.BuiltinOperator)


def _by_number(names: type) -> Mapping[int, str]:
    return {number: name for name, number in vars(names).items() if isinstance(number, int)}


def _read(operation: Any, name: str) -> Operation:
    from ai_edge_litert import schema_py_generated as schema

    options = operation.builtinOptions

    def pair(height: str, width: str) -> tuple[int, int]:
        return int(getattr(options, height, 1)), int(getattr(options, width, 1))

    padding = getattr(options, "padding", None)
    has_window = hasattr(options, "filterHeight")
    activation = getattr(options, "fusedActivationFunction", 0)
    words = _by_number(schema.ActivationFunctionType)[activation].lower()
    return Operation(
        name,
        tuple(int(index) for index in operation.inputs),
        int(operation.outputs[0]),
        window=pair("filterHeight", "filterWidth") if has_window else None,
        stride=pair("strideH", "strideW"),
        dilation=pair("dilationHFactor", "dilationWFactor"),
        padding="" if padding is None else ("same", "valid")[int(padding)],
        activation="" if words == "none" else words,
    )
