"""A network drawn as blocks: what flows through it, from the picture to the ten answers.

The drawing is SVG, made from the description alone. A block's height follows the height and
width of what the layer gives, its thickness the channels; both scales are the same for every
network, so two drawings can be compared by eye.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from cifar_core.charts import theme
from cifar_core.dataset import CIFAR10, DatasetSpec
from cifar_core.networks.description import NetworkDescription
from cifar_core.networks.layers import INPUT, LAYER_KINDS, LayerSettings

PITCH = 98
"""From one block to the next, in pixels: the labels below need that much."""

HEIGHT = 292
_MIDDLE = 104
_LABELS = 206
_CELL = 13
_ARC = -22
"""Where an arc over other blocks is drawn to; it rises three quarters of the way."""


@dataclass(frozen=True)
class Block:
    """One thing that is drawn.

    Attributes:
        kind: ``Input``, or the Keras class of the layer.
        shape: What it gives: (height, width, channels) or (n,).
        words: Lines below the block, the first one in bold.
        inputs: Positions of the blocks that it reads, each once.
    """

    kind: str
    shape: tuple[int, ...]
    words: tuple[str, ...]
    inputs: tuple[int, ...]


def blocks(description: NetworkDescription) -> list[Block]:
    """Returns what is drawn of a network.

    Layers that only change numbers in place (scaling, activation, dropout, flattening) have no
    block of their own; dropout is named below the block that it follows.
    """
    size = _size(description.input_shape)
    drawn = [Block("Input", description.input_shape, ("picture", "", size), ())]
    behind = {INPUT: 0}  # the block at which a layer's output stands
    for layer in description.layers:
        inputs = tuple(dict.fromkeys(behind[name] for name in layer.inputs))
        kind = LAYER_KINDS.get(layer.kind)
        behind[layer.name] = at = inputs[0]
        if kind is None or kind.colour or len(inputs) > 1:
            behind[layer.name] = len(drawn)
            title = kind.title if kind else layer.kind
            words = (title, _setting(layer.settings), _size(layer.output_shape))
            drawn.append(Block(layer.kind, layer.output_shape, words, inputs))
        elif kind.remark and (remark := f"{kind.remark}{layer.settings}") not in drawn[at].words:
            drawn[at] = replace(drawn[at], words=(*drawn[at].words, remark))
    return drawn


def drawing_width(description: NetworkDescription) -> int:
    """Returns how wide the drawing of a network is, in pixels."""
    return PITCH * len(blocks(description)) + 70


def network_svg(
    description: NetworkDescription,
    *,
    dark: bool = False,
    least_width: int = 0,
    is_opaque: bool = False,
    dataset: DatasetSpec = CIFAR10,
) -> str:
    """Returns the drawing of a network as SVG.

    Args:
        description: The network.
        dark: Which mode.
        least_width: Pixels; two drawings of one width stay to the same scale on any screen.
        is_opaque: On the ground of its mode, as it is saved; else on a clear one.
        dataset: Names and colours the classes of its predictions.
    """
    drawn = blocks(description)
    colours = theme.palette(dark)
    width = max(drawing_width(description), least_width)
    parts = [_flow(drawn, colours)]
    if is_opaque:
        ground = f'width="{width}" height="{HEIGHT}" fill="{colours.background}"'
        parts.insert(0, f'<rect x="0" y="0" {ground}/>')
    for place, block in enumerate(drawn):
        x = PITCH * (place + 0.5)
        is_answer = place == len(drawn) - 1 and block.shape == (dataset.classes,)
        if is_answer:
            parts.append(_answers(x, colours, dataset))
        else:
            colour = _colour(block.kind, description.name, dark=dark)
            parts.append(_cuboid(x, block.shape, colour, colours.background))
        parts.append(_labels(x, block.words, colours))
    title = html.escape(in_words(description))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" '
        f'width="{width}" height="{HEIGHT}" role="img" font-family="{html.escape(theme.FONT)}">'
        f"<title>{title}</title>{''.join(parts)}</svg>"
    )


def in_words(description: NetworkDescription) -> str:
    """Returns the drawing as a sentence, for those who do not see it."""
    drawn = blocks(description)
    steps = []
    for place, block in enumerate(drawn):
        words = " ".join(word for word in block.words[:3] if word)
        read = " and ".join(f"{drawn[at].words[0]} ({at + 1})" for at in block.inputs)
        is_chain = block.inputs in ((), (place - 1,))
        steps.append(words if is_chain else f"{words} from {read}")
    return f"{description.title}: {', then '.join(steps)}."


def _setting(settings: LayerSettings) -> str:
    sizes = "×".join(map(str, settings.window or ()))
    return f"{settings.filters} × {sizes}" if settings.filters else sizes


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(str(side) for side in shape) if len(shape) > 1 else f"{shape[0]:,} numbers"


def _colour(kind: str, network: str, *, dark: bool) -> str:
    known, colours = LAYER_KINDS.get(kind), theme.palette(dark)
    if known and known.colour == "network":
        return theme.network_colour(network, dark=dark)
    return colours.ink if known and known.colour == "ink" else colours.muted


def _flow(drawn: Sequence[Block], colours: theme.Palette) -> str:
    """Lines from each block to those that read it: straight to the next, else in an arc above."""
    lines = []
    for place, block in enumerate(drawn):
        x = PITCH * (place + 0.5)
        for source in block.inputs:
            start = PITCH * (source + 0.5)
            arc = f"C{start},{_ARC} {x},{_ARC} {x},{_MIDDLE}" if source < place - 1 else f"H{x}"
            lines.append(f"M{start},{_MIDDLE} {arc}")
    return (
        f'<path d="{" ".join(lines)}" fill="none" stroke="{colours.muted}" stroke-width="1.5" '
        'stroke-dasharray="1 5" stroke-linecap="round"/>'
    )


def _cuboid(x: float, shape: tuple[int, ...], colour: str, ground: str) -> str:
    """A block seen a little from above and the right, centred at x."""
    if len(shape) == 3:
        tall, deep, thick = 3.7 * shape[0], 1.05 * shape[1], 4 + 0.24 * shape[2]
    else:
        tall, deep, thick = 4.6 * math.sqrt(shape[0]), 5.0, 9.0
    left, top = x - (thick + deep) / 2, _MIDDLE - tall / 2 + deep / 2
    right, bottom = left + thick, top + tall
    front = f"{left},{top} {right},{top} {right},{bottom} {left},{bottom}"
    back = right + deep
    lid = f"{left},{top} {left + deep},{top - deep} {back},{top - deep} {right},{top}"
    side = f"{right},{top} {back},{top - deep} {back},{bottom - deep} {right},{bottom}"
    # The ground below the paint: blocks hide the line behind them.
    return "".join(
        f'<polygon points="{points}" fill="{ground}"/>'
        f'<polygon points="{points}" fill="{colour}" fill-opacity="{opacity}" '
        f'stroke="{ground}" stroke-width="1" stroke-linejoin="round"/>'
        for opacity, points in (("1", front), (".5", lid), (".72", side))
    )


def _answers(x: float, colours: theme.Palette, dataset: DatasetSpec) -> str:
    """The answers, each in the colour of its class."""
    top = _MIDDLE - _CELL * dataset.classes / 2
    return "".join(
        f'<rect x="{x - 6}" y="{top + _CELL * label + 1}" width="11" height="{_CELL - 2}" rx="2" '
        f'fill="{dataset.class_colours[label]}"/>'
        f'<text x="{x + 12}" y="{top + _CELL * label + 10}" font-size="11" '
        f'fill="{colours.ink}">{html.escape(name)}</text>'
        for label, name in enumerate(dataset.class_names)
    )


def _labels(x: float, words: tuple[str, ...], colours: theme.Palette) -> str:
    lines = []
    for place, word in enumerate(words):
        weight, colour = ("600", colours.ink) if place == 0 else ("400", colours.muted)
        lines.append(
            f'<text x="{x}" y="{_LABELS + 17 * place}" text-anchor="middle" font-size="12" '
            f'font-weight="{weight}" fill="{colour}">{html.escape(word)}</text>'
        )
    return "".join(lines)
