"""Which layers of a network became which steps of its served file.

A layer table speaks of Keras' layers, the served network of LiteRT's steps. Some layers share a
step (a convolution and the ReLU behind it), some need two (a dense layer with a softmax), some
are gone (dropout) or are part of another step's weights (scaling, batch normalisation). What
reads what decides, not the order: a layer's steps read what the layers before it made.
"""

from __future__ import annotations

from collections.abc import Sequence

from cifar_core.inference.inside import IMAGE, Step
from cifar_core.networks.description import NetworkDescription
from cifar_core.networks.layers import ACTIVATIONS, INPUT, LAYER_KINDS, LayerSpec


def join(description: NetworkDescription, steps: Sequence[Step]) -> list[tuple[int, ...]] | None:
    """Returns for every layer the steps that carry it out; empty where none does by itself.

    Args:
        description: The network's layers.
        steps: The steps of a trained network of this kind.

    Returns:
        A tuple of positions in ``steps`` per layer, or None where layers and steps do not match:
        LiteRT may join layers in ways the lab does not know.
    """
    behind = {INPUT: IMAGE}  # the step at which a layer's output stands
    left = _Left(steps)
    joined = []
    for layer in description.layers:
        reads = [behind[name] for name in layer.inputs]
        part = left.take_layer(layer, reads)
        if part is None:
            return None
        joined.append(part)
        behind[layer.name] = part[-1] if part else reads[0]
    return None if left.free else joined


class _Left:
    """The steps that belong to no layer yet."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps, self.free = steps, set(range(len(steps)))

    def take_layer(self, layer: LayerSpec, reads: Sequence[int]) -> tuple[int, ...] | None:
        """Returns the steps of a layer that reads these, or None where none fit."""
        kind = LAYER_KINDS.get(layer.kind)
        if kind is None:
            return None
        part: list[int] = []
        if kind.is_absorbed:  # what could not become part of a kernel is left
            while (step := self._take(kind.ops, [part[-1] if part else reads[0]])) is not None:
                part.append(step)
        elif kind.ops:
            whole = self._take(kind.ops, reads, like=layer)
            part = self._take_in_pairs(kind.ops, reads) if whole is None else [whole]
            if not part:
                return None
        at = part[-1] if part else reads[0]
        wanted = layer.settings.activation
        if not wanted or (at != IMAGE and self.steps[at].activation == wanted):
            return tuple(part)
        known = ACTIVATIONS.get(wanted)
        bent = self._take_one_by_one(known.ops, at) if known else []
        return (*part, *bent) if bent else None

    def _take(
        self, names: Sequence[str], reads: Sequence[int], *, like: LayerSpec | None = None
    ) -> int | None:
        """Returns a step that does one of these things with all of these and nothing else.

        Of several that one which is most like a layer: of its shape, then of its window.
        """
        found = [
            at
            for at in sorted(self.free)
            if self.steps[at].name in names and set(self.steps[at].sources) == set(reads)
        ]
        if like is not None:
            found.sort(key=lambda at: self.steps[at].window != like.settings.window)
            found.sort(key=lambda at: self.steps[at].shape != like.output_shape)
        self.free -= set(found[:1])
        return found[0] if found else None

    def _take_in_pairs(self, names: Sequence[str], reads: Sequence[int]) -> list[int]:
        """Returns the steps that put together two at a time, as LiteRT adds; empty without."""
        part: list[int] = []
        for other in reads[1:]:
            step = self._take(names, [part[-1] if part else reads[0], other])
            if step is None:
                return []
            part.append(step)
        return part

    def _take_one_by_one(self, names: Sequence[str], start: int) -> list[int]:
        """Returns steps one behind the other, which may read the start again; empty without."""
        part: list[int] = []
        for name in names:
            at = part[-1] if part else start
            step = self._take([name], [at])
            step = self._take([name], [start, at]) if step is None else step
            if step is None:
                return []
            part.append(step)
        return part


def times_of_layers(
    joined: Sequence[tuple[int, ...]], step_ms: Sequence[float]
) -> list[float | None]:
    """Returns the milliseconds of every layer, None where no step is its own.

    Args:
        joined: As :func:`join` returns it.
        step_ms: Milliseconds of every step.
    """
    return [sum(step_ms[at] for at in part) if part else None for part in joined]
