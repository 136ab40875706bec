"""Which layers of a network became which steps of its served file.

A layer table speaks of Keras' layers, the served network of LiteRT's steps. Some layers share a
step (a convolution and the ReLU behind it), some need two (a dense layer with a softmax), some
are gone (dropout) or are part of another step's weights (scaling, batch normalisation).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cifar_core.inference.inside import Kind, Step
from cifar_core.networks.description import LayerRow, NetworkDescription

_KINDS: Mapping[str, Kind] = {
    "Conv2D": "convolution",
    "MaxPooling2D": "pooling",
    "AveragePooling2D": "average",
    "GlobalAveragePooling2D": "average",
    "GlobalMaxPooling2D": "largest",
    "Flatten": "flatten",
    "Dense": "dense",
}
_BEFORE_OR_WITHIN = frozenset({"Rescaling", "Dropout", "BatchNormalization"})


def join(description: NetworkDescription, steps: Sequence[Step]) -> list[tuple[int, ...]] | None:
    """Returns for every layer the steps that carry it out; empty where none does by itself.

    Args:
        description: The network's layers.
        steps: The steps of a trained network of this kind.

    Returns:
        A tuple of positions in ``steps`` per row, or None where layers and steps do not match:
        LiteRT may join layers in ways the lab does not know.
    """
    at, joined = 0, []
    for row in description.rows:
        start = at
        at = _advance(row, steps, at)
        if at < 0:
            return None
        joined.append(tuple(range(start, at)))
    return joined if at == len(steps) else None


def _advance(row: LayerRow, steps: Sequence[Step], at: int) -> int:
    """Returns the position behind the steps of a layer, or -1 where they do not fit it."""
    settings = row.details.split(", ")
    if row.kind in _BEFORE_OR_WITHIN:
        # Where it could not become part of a kernel it is arithmetic of its own.
        while at < len(steps) and steps[at].kind in ("scale", "shift", "other"):
            at += 1
        return at
    if row.kind == "Activation":
        return _advance_activation(row.details, steps, at)
    wanted = _KINDS.get(row.kind)
    if wanted is None or at >= len(steps) or steps[at].kind != wanted:
        return -1
    words = [word for word in settings if word in _ACTIVATIONS]
    return _advance_activation(words[0], steps, at + 1) if words else at + 1


_ACTIVATIONS = frozenset({"relu", "relu6", "tanh", "gelu", "sigmoid", "silu", "softmax"})


def _advance_activation(name: str, steps: Sequence[Step], at: int) -> int:
    """Returns the position behind an activation; it may be part of the step before."""
    if name != "softmax" and at and steps[at - 1].activation == name:
        return at
    wanted = "softmax" if name == "softmax" else "activation"
    if at >= len(steps) or steps[at].kind != wanted:
        return -1
    if name == "silu":  # a sigmoid, then a product
        return at + 2 if at + 1 < len(steps) and steps[at + 1].kind == "other" else -1
    return at + 1


def times_of_layers(
    joined: Sequence[tuple[int, ...]], step_ms: Sequence[float]
) -> list[float | None]:
    """Returns the milliseconds of every layer, None where no step is its own.

    Args:
        joined: As :func:`join` returns it.
        step_ms: Milliseconds of every step.
    """
    return [sum(step_ms[at] for at in part) if part else None for part in joined]
