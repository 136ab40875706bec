"""From a real Keras model to its description.

``python -m cifar_core.networks.describe`` writes the JSON files that ship in
``networks/descriptions``; a test compares them with the models.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

import keras

from cifar_core.networks import NETWORKS, build
from cifar_core.networks.description import (
    LayerRow,
    NetworkDescription,
    description_path,
)

SUMMARY_WIDTH = 76
"""Columns of Keras' summary: what it takes where a terminal has 80 or is none."""


def describe(model: keras.Sequential) -> NetworkDescription:
    """Describes a sequential network of channels-last layers, as built.

    Args:
        model: A built model whose input is (batch, height, width, channels).

    Returns:
        Its description, with the name and title from ``NETWORKS`` where it is one of them.
    """
    input_shape = tuple(int(size) for size in model.input_shape[1:])
    side = min(input_shape[:2])
    field, step = 1, 1
    seen: Counter[str] = Counter()
    rows = []
    for layer in model.layers:
        shape = tuple(int(size) for size in layer.output.shape[1:])
        window, stride = _window(layer)
        field += (window - 1) * step
        step *= stride
        if len(shape) == 1:  # from here on everything sees the whole picture
            field = side
        field = min(field, side)
        seen[_auto_name(layer)] += 1
        rows.append(
            LayerRow(
                name=_name(layer, seen[_auto_name(layer)]),
                kind=type(layer).__name__,
                output_shape=shape,
                parameters=int(layer.count_params()),
                macs=_macs(layer, shape),
                activation_bytes=4 * math.prod(shape),
                receptive_field=field,
                details=_details(layer),
            )
        )
    network = NETWORKS.get(model.name)
    return NetworkDescription(
        name=model.name,
        title=network.title if network else model.name,
        input_shape=input_shape,
        rows=tuple(rows),
        parameters=sum(row.parameters for row in rows),
        macs=sum(row.macs for row in rows),
        keras_summary=keras_summary(model),
    )


def keras_summary(model: keras.Sequential) -> str:
    """Returns what ``model.summary()`` prints where the model is the first that was built.

    Keras numbers layers through all models of a process; an equal model with the numbers of a
    new process is printed instead.
    """
    config = model.get_config()
    seen: Counter[str] = Counter()
    for item, layer in zip(config["layers"][1:], model.layers, strict=True):  # the first: input
        kind = _auto_name(layer)
        if _is_given(layer):
            continue
        number = f"_{seen[kind]}" if seen[kind] else ""
        item["config"]["name"] = f"{kind}{number}"
        seen[kind] += 1
    lines: list[str] = []
    keras.Sequential.from_config(config).summary(line_length=SUMMARY_WIDTH, print_fn=lines.append)
    return "\n".join(line.rstrip() for line in "\n".join(lines).splitlines()).strip() + "\n"


def _macs(layer: Any, shape: tuple[int, ...]) -> int:
    """Returns multiply-accumulates: each matrix weight is used once per output position."""
    positions = math.prod(shape[:-1])
    matrices = [math.prod(weight.shape) for weight in layer.weights if len(weight.shape) > 1]
    return positions * sum(matrices)


def _window(layer: Any) -> tuple[int, int]:
    """Returns the side of a layer's sliding window and its stride, in its own input's pixels."""
    if isinstance(layer, keras.layers.MaxPooling2D | keras.layers.AveragePooling2D):
        return int(layer.pool_size[0]), int(layer.strides[0])
    if hasattr(layer, "kernel_size"):
        dilation = int(layer.dilation_rate[0])
        return dilation * (int(layer.kernel_size[0]) - 1) + 1, int(layer.strides[0])
    return 1, 1


def _auto_name(layer: Any) -> str:
    """Returns the name Keras gives such a layer, without its number."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", type(layer).__name__).lower()


def _name(layer: Any, number: int) -> str:
    """Returns a layer's name; Keras' own numbering depends on what was built before."""
    return str(layer.name) if _is_given(layer) else f"{_auto_name(layer)}_{number}"


def _is_given(layer: Any) -> bool:
    """Says whether a person named the layer, and not Keras."""
    return re.fullmatch(rf"{_auto_name(layer)}(_\d+)?", layer.name) is None


def _details(layer: Any) -> str:
    """Returns the settings of a layer in words."""
    values = layer.get_config()
    words: list[str] = []
    match type(layer).__name__:
        case "Conv2D":
            words = [
                f"{values['filters']} filters {_times(values['kernel_size'])}",
                values["padding"],
            ]
            if tuple(values["strides"]) != (1, 1):
                words.append(f"stride {_times(values['strides'])}")
        case "Dense":
            words = [f"{values['units']} units"]
        case "MaxPooling2D" | "AveragePooling2D":
            words = [_times(values["pool_size"])]
        case "Dropout":
            words = [f"{values['rate']:.0%}"]
        case "Rescaling":
            words = [f"× 1/{1 / values['scale']:g}"]
    if values.get("activation", "linear") != "linear":
        words.append(values["activation"])
    if layer.weights and not layer.trainable:
        words.append("fixed")
    constraint = getattr(layer, "kernel_constraint", None)
    if isinstance(constraint, keras.constraints.MaxNorm):
        words.append(f"max-norm {constraint.max_value:g}")
    return ", ".join(words)


def _times(sizes: tuple[int, ...]) -> str:
    return "×".join(str(size) for size in sizes)


def main() -> None:
    """Writes the descriptions of all networks of the lab."""
    for name in NETWORKS:
        path = description_path(name)
        path.parent.mkdir(exist_ok=True)
        text = json.dumps(describe(build(name)).to_json(), indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
        print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
