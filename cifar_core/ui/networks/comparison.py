"""Two networks beside each other, layer by layer, what differs marked."""

from __future__ import annotations

import difflib
import html
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from cifar_core import formats
from cifar_core.networks import NETWORKS
from cifar_core.networks.description import NetworkDescription
from cifar_core.networks.layers import LAYER_KINDS
from cifar_core.ui.kit import session
from cifar_core.ui.kit.tables import csv_download, file_name

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Pair:
    """One line of two networks beside each other.

    Attributes:
        sign: ``=``, ``≠``, or ``+`` where only one has the layer.
        left: The first network's layer in words, or empty.
        right: The second's.
        left_parameters: What it learns; None where there is none.
        right_parameters: The second's.
    """

    sign: str
    left: str
    right: str
    left_parameters: int | None
    right_parameters: int | None


def pair_of(names: Sequence[str]) -> list[str]:
    """Returns the two networks that are compared; draws a choice where there are more.

    Args:
        names: All networks by their short names, two at least.
    """
    if len(names) == 2:
        return list(names)
    line = st.container(horizontal=True)
    chosen: list[str] = []
    for side, start in (("left", names[0]), ("right", names[1])):
        others = [name for name in names if name not in chosen]
        key = f"pair_{side}_{'_'.join(chosen)}"
        first = start if start in others else others[0]
        noted = session.keep_in_address(key, others, first, name=side)
        with line:
            chosen.append(
                st.selectbox(
                    f"On the {side}",
                    others,
                    format_func=lambda name: NETWORKS[name].marked_title,
                    key=key,
                    on_change=noted,
                    width=240,
                )
            )
    return chosen


def compare(left: NetworkDescription, right: NetworkDescription) -> list[Pair]:
    """Lays the layers of two networks beside each other, kind by kind.

    Activation and dropout count as part of the layer before them, however the network writes
    them: what stays are the layers that give the network its shape.
    """
    mine, other = _folded(left), _folded(right)
    end = _same_at_the_end(mine, other)  # what answers belongs together, whatever stands before
    before = len(mine) - end, len(other) - end
    keys = [key for key, _, _ in mine[: before[0]]], [key for key, _, _ in other[: before[1]]]
    matcher = difflib.SequenceMatcher(None, *keys, autojunk=False)
    pairs: list[Pair] = []
    for _, start, stop, other_start, other_stop in matcher.get_opcodes():
        pairs += _beside(mine[start:stop], other[other_start:other_stop])
    return pairs + _beside(mine[before[0] :], other[before[1] :])


Layer = tuple[str, str, int]
"""What a layer is matched by, its words, its parameters."""


def _same_at_the_end(mine: list[Layer], other: list[Layer]) -> int:
    """Returns how many of the last layers are the same."""
    pairs = zip(reversed(mine), reversed(other), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0][:2] == pair[1][:2], pairs))


def _beside(here: list[Layer], there: list[Layer]) -> list[Pair]:
    """Lays layers beside each other in order; those of different kinds get lines of their own."""
    pairs = []
    for a, b in itertools.zip_longest(here, there):
        if a is None or b is None or a[0].split()[0] != b[0].split()[0]:
            pairs += [Pair("+", a[1], "", a[2], None)] if a else []
            pairs += [Pair("+", "", b[1], None, b[2])] if b else []
        else:
            pairs.append(Pair("=" if a[:2] == b[:2] else "≠", a[1], b[1], a[2], b[2]))
    return pairs


def _folded(description: NetworkDescription) -> list[Layer]:
    """Returns the layers that shape the network."""
    layers: list[Layer] = []
    for layer in description.layers:
        kind, settings = LAYER_KINDS.get(layer.kind), layer.settings
        if kind and kind.remark is not None and layers:
            key, words, parameters = layers[-1]
            layers[-1] = (key, f"{words}, {kind.remark}{settings}", parameters)
            continue
        # Convolutions with as many filters belong together, whatever their edges.
        key = f"{layer.kind} {settings.filters or ''}".strip()
        layers.append((key, f"{layer.kind} {settings}".strip(), layer.parameters))
    return layers


def comparison_section(left: NetworkDescription, right: NetworkDescription) -> None:
    """Draws two networks layer by layer, differences marked."""
    st.text(
        f"{right.title} has {right.parameters / left.parameters:.1f} times the parameters of "
        f"{left.title} and needs {right.macs / left.macs:.1f} times its arithmetic. "
        "“=” marks the same layer, “≠” another setting, “+” a layer that only one has; what "
        "differs is coloured."
    )
    st.html(pair_html(left, right))
    csv_download(
        lambda: pair_table(left, right),
        file_name(left.name, right.name, "layers"),
        key="csv_pair",
    )


def pair_table(left: NetworkDescription, right: NetworkDescription) -> pd.DataFrame:
    """Returns two networks layer by layer: a sign, then layer and parameters of either."""
    import pandas as pd

    pairs = compare(left, right)
    lefts = [pair.left_parameters for pair in pairs]
    rights = [pair.right_parameters for pair in pairs]
    # A lone sign would be quoted, for a spreadsheet calculates from it.
    signs = {"=": "same", "≠": "differs", "+": "only one has it"}
    return pd.DataFrame(
        {
            "difference": [signs[pair.sign] for pair in pairs],
            left.title: [pair.left for pair in pairs],
            f"{left.title} parameters": pd.array(lefts, dtype="Int64"),
            right.title: [pair.right for pair in pairs],
            f"{right.title} parameters": pd.array(rights, dtype="Int64"),
        }
    )


def pair_html(left: NetworkDescription, right: NetworkDescription) -> str:
    """Returns the HTML of two networks layer by layer; every text in it is escaped."""
    lines = []
    for pair in compare(left, right):
        words = _marked(pair.left, pair.right), _marked(pair.right, pair.left)
        counts = (pair.left_parameters, pair.right_parameters)
        sides = "".join(
            f'<td class="lab-text">{side}</td><td class="lab-count">{_counted(count)}</td>'
            for side, count in zip(words, counts, strict=True)
        )
        lines.append(f'<tr><th scope="row">{pair.sign}</th>{sides}</tr>')
    heads = "".join(
        f'<th scope="col" class="lab-text">{html.escape(side.title)}</th>'
        '<th scope="col" class="lab-count">Parameters</th>'
        for side in (left, right)
    )
    return (
        '<div class="lab-scroll" tabindex="0" role="region" aria-label="Layers">'
        f'<table class="lab-layers lab-two">'
        f"<thead><tr><th></th>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _marked(words: str, others: str) -> str:
    """Returns a layer's words with those marked that the layer beside it does not say."""
    known = set(_parts(others))
    return ", ".join(
        html.escape(part) if part in known else f"<mark>{html.escape(part)}</mark>"
        for part in _parts(words)
    )


def _parts(words: str) -> list[str]:
    return [part for part in words.split(", ") if part]


def _counted(parameters: int | None) -> str:
    """Returns nothing, not a dash, where there is no layer: the sign says it already."""
    return "" if parameters is None else formats.count(parameters)
