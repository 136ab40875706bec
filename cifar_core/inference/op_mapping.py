"""Which layers of a network became which ops of its served file.

A layer table speaks of Keras' layers, the served network of LiteRT's ops. Some layers share
one (a convolution and the ReLU behind it), some need two (a dense layer with a softmax), some
are gone (dropout) or are part of another op's weights (scaling, batch normalisation). What
reads what decides, not the order: a layer's ops read what the layers before it made.
"""

from __future__ import annotations

from collections.abc import Sequence

from cifar_core.inference.litert_ops import IMAGE, LiteRtOp
from cifar_core.networks.description import NetworkDescription
from cifar_core.networks.layers import ACTIVATIONS, INPUT, LAYER_KINDS, LayerSpec


def map_layers_to_ops(
    description: NetworkDescription, ops: Sequence[LiteRtOp]
) -> list[tuple[int, ...]] | None:
    """Returns for every layer the ops that carry it out; empty where none does by itself.

    Args:
        description: The network's layers.
        ops: The ops of a trained network of this kind.

    Returns:
        A tuple of positions in ``ops`` per layer, or None where layers and ops do not match:
        LiteRT may join layers in ways the lab does not know.
    """
    behind = {INPUT: IMAGE}  # the op at which a layer's output stands
    left = _Left(ops)
    mapped = []
    for layer in description.layers:
        reads = [behind[name] for name in layer.inputs]
        part = left.take_layer(layer, reads)
        if part is None:
            return None
        mapped.append(part)
        behind[layer.name] = part[-1] if part else reads[0]
    return None if left.free else mapped


class _Left:
    """The ops that belong to no layer yet."""

    def __init__(self, ops: Sequence[LiteRtOp]) -> None:
        self.ops, self.free = ops, set(range(len(ops)))

    def take_layer(self, layer: LayerSpec, reads: Sequence[int]) -> tuple[int, ...] | None:
        """Returns the ops of a layer that reads these, or None where none fit."""
        kind = LAYER_KINDS.get(layer.kind)
        if kind is None:
            return None
        part: list[int] = []
        if kind.is_absorbed:  # what could not become part of a kernel is left
            while (op := self._take(kind.ops, [part[-1] if part else reads[0]])) is not None:
                part.append(op)
        elif kind.ops:
            whole = self._take(kind.ops, reads, like=layer)
            part = self._take_in_pairs(kind.ops, reads) if whole is None else [whole]
            if not part:
                return None
        at = part[-1] if part else reads[0]
        wanted = layer.settings.activation
        if not wanted or (at != IMAGE and self.ops[at].activation == wanted):
            return tuple(part)
        known = ACTIVATIONS.get(wanted)
        bent = self._take_one_by_one(known.ops, at) if known else []
        return (*part, *bent) if bent else None

    def _take(
        self, names: Sequence[str], reads: Sequence[int], *, like: LayerSpec | None = None
    ) -> int | None:
        """Returns an op that does one of these things with all of these and nothing else.

        Of several that one which is most like a layer: of its shape, then of its window.
        """
        found = [
            at
            for at in sorted(self.free)
            if self.ops[at].name in names and set(self.ops[at].sources) == set(reads)
        ]
        if like is not None:
            found.sort(key=lambda at: self.ops[at].window != like.settings.window)
            found.sort(key=lambda at: self.ops[at].shape != like.output_shape)
        self.free -= set(found[:1])
        return found[0] if found else None

    def _take_in_pairs(self, names: Sequence[str], reads: Sequence[int]) -> list[int]:
        """Returns the ops that put together two at a time, as LiteRT adds; empty without."""
        part: list[int] = []
        for other in reads[1:]:
            op = self._take(names, [part[-1] if part else reads[0], other])
            if op is None:
                return []
            part.append(op)
        return part

    def _take_one_by_one(self, names: Sequence[str], start: int) -> list[int]:
        """Returns ops one behind the other, which may read the start again; empty without."""
        part: list[int] = []
        for name in names:
            at = part[-1] if part else start
            op = self._take([name], [at])
            op = self._take([name], [start, at]) if op is None else op
            if op is None:
                return []
            part.append(op)
        return part
