"""From a real Keras model to its description.

``python -m cifar_core.networks.describe`` writes the JSON files that ship in
``networks/descriptions``; a test compares them with the models.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import keras

from cifar_core.networks import NETWORKS, build
from cifar_core.networks.description import NetworkDescription, description_path
from cifar_core.networks.layers import INPUT, LAYER_KINDS, LayerSettings, LayerSpec

SUMMARY_WIDTH = 76
"""Columns of Keras' summary: what it takes where a terminal has 80 or is none."""

INPUT_NAME = "input_layer"
"""Keras' own name of the first input in a process."""


def describe(model: keras.Model) -> NetworkDescription:
    """Describes a network of channels-last layers, as built; each layer reads what it is given.

    Args:
        model: A built model with one input (batch, height, width, channels).

    Returns:
        Its description, with the name and title from ``NETWORKS`` where it is one of them.

    Raises:
        ValueError: A layer is used more than once.
    """
    input_shape = tuple(int(size) for size in model.input_shape[1:])
    side = min(input_shape[:2])
    names = _names(model, "{}_{}", first=1)
    reach = {INPUT: (1, 1)}  # of every layer's output: receptive field, pixels between two numbers
    layers = []
    for layer in _layers(model):
        inputs = [names.get(source, INPUT) for source in _sources(layer)]
        settings, shape = _settings(layer), tuple(int(size) for size in layer.output.shape[1:])
        field, step = (max(sizes) for sizes in zip(*(reach[name] for name in inputs), strict=True))
        (window, _), (stride, _), (dilation, _) = (
            pair or (1, 1) for pair in (settings.window, settings.strides, settings.dilation)
        )
        field += (window - 1) * dilation * step
        step *= stride
        # A row of numbers depends on the whole image, and so does what is made of it.
        sees_all = len(shape) == 1 or type(layer).__name__.startswith("Global")
        reach[names[layer.name]] = (side if sees_all else min(field, side), step)
        layers.append(
            LayerSpec(
                name=names[layer.name],
                kind=type(layer).__name__,
                inputs=tuple(inputs),
                output_shape=shape,
                parameters=sum(math.prod(weight.shape) for weight in _weights(layer)),
                macs=_macs(layer, shape),
                receptive_field=reach[names[layer.name]][0],
                settings=settings,
            )
        )
    network = NETWORKS.get(model.name)
    return NetworkDescription(
        name=model.name,
        title=network.title if network else model.name,
        input_shape=input_shape,
        layers=tuple(layers),
        keras_summary=keras_summary(model),
    )


def keras_summary(model: keras.Model) -> str:
    """Returns what ``model.summary()`` prints where the model is the first that was built.

    Keras numbers layers through all models of a process; an equal model with the numbers of a
    new process is printed instead.
    """
    names = _names(model, "{}_{}", first=0)

    def renamed(layer: Any) -> Any:
        return type(layer).from_config({**layer.get_config(), "name": names[layer.name]})

    image = keras.Input(batch_shape=model.input_shape, dtype=model.inputs[0].dtype, name=INPUT_NAME)
    copy = keras.models.clone_model(model, input_tensors=image, clone_function=renamed)
    lines: list[str] = []
    copy.summary(line_length=SUMMARY_WIDTH, print_fn=lines.append)
    return "\n".join(line.rstrip() for line in "\n".join(lines).splitlines()).strip() + "\n"


def _layers(model: keras.Model) -> list[Any]:
    """Returns what computes something, each behind what it reads; ``a + b`` is a layer too."""
    for item in model.get_config()["layers"]:
        if len(item.get("inbound_nodes", ())) > 1:
            raise ValueError(f"layer {item['name']} is used more than once")
    found = model.layers if isinstance(model, keras.Sequential) else model.operations
    return [layer for layer in found if not isinstance(layer, keras.layers.InputLayer)]


def _sources(layer: Any) -> list[str]:
    """Returns the names of what a layer reads, as Keras has them."""
    tensors = keras.tree.flatten(layer.input)
    return [tensor._keras_history.operation.name for tensor in tensors]  # noqa: SLF001 - no other


def _weights(layer: Any) -> list[Any]:
    return list(layer.weights) if isinstance(layer, keras.Layer) else []


def _macs(layer: Any, shape: tuple[int, ...]) -> int:
    """Returns multiply-accumulates: each weight of a kernel is used once per output position."""
    kernels = [weight for weight in _weights(layer) if weight.name.endswith("kernel")]
    return math.prod(shape[:-1]) * sum(math.prod(kernel.shape) for kernel in kernels)


def _names(model: keras.Model, form: str, *, first: int) -> dict[str, str]:
    """Returns names that do not depend on what was built before, by those that Keras gave.

    Layers that a person named keep their names; the others are numbered in the order in which
    they were made, kind by kind.

    Args:
        model: The network.
        form: Of a name, from kind and number; where the number is 0 the kind stands alone.
        first: The first number.
    """
    names: dict[str, str] = {}
    made: dict[str, list[tuple[int, str]]] = {}
    for layer in _layers(model):
        kind = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", type(layer).__name__)
        kind = re.sub(r"([a-z])([A-Z])", r"\1_\2", kind).lower()  # as Keras names it
        found = re.fullmatch(rf"{kind}(?:_(\d+))?", layer.name)
        if found:
            made.setdefault(kind, []).append((int(found[1] or 0), layer.name))
        names[layer.name] = layer.name
    for kind, numbered in made.items():
        for number, (_, name) in enumerate(sorted(numbered), start=first):
            names[name] = form.format(kind, number) if number else kind
    return names


def _settings(layer: Any) -> LayerSettings:
    """Returns how a layer is set, as far as the lab has words for it, whatever its kind."""
    values = layer.get_config() if isinstance(layer, keras.Layer) else {}
    kind = LAYER_KINDS.get(type(layer).__name__)
    window = values.get("kernel_size") or values.get("pool_size")
    dilation = tuple(values.get("dilation_rate") or (1, 1))
    activation = values.get("activation", kind.activation if kind else "")
    activation = "relu6" if values.get("max_value") == 6 else activation
    constraint: Any = getattr(layer, "kernel_constraint", None)
    has_limit = isinstance(constraint, keras.constraints.MaxNorm)
    scale: Any = values.get("scale")
    return LayerSettings(
        filters=values.get("filters"),
        units=values.get("units"),
        window=tuple(window) if window else None,
        strides=tuple(values["strides"]) if window else None,
        dilation=None if dilation == (1, 1) else dilation,
        padding=values["padding"] if window else "",
        rate=values.get("rate"),
        scale=float(scale) if type(scale) in (int, float) else None,  # a switch elsewhere
        activation=activation if isinstance(activation, str) and activation != "linear" else "",
        is_fixed=bool(_weights(layer)) and not layer.trainable,
        max_norm=float(constraint.max_value) if has_limit else None,
    )


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
