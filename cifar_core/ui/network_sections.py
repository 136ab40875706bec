"""The parts of the Networks page: drawing, totals, layer table, and two networks compared."""

from __future__ import annotations

import base64
import difflib
import html
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from cifar_core import formats
from cifar_core.charts.network import in_words, network_svg
from cifar_core.networks.description import LayerRow, NetworkDescription
from cifar_core.ui.theme import is_dark

WEIGHT_BYTES = 4
"""Of one parameter in float32."""

WHAT_IT_DOES: Mapping[str, str] = {
    "Rescaling": "Turns the colour values 0 to 255 into 0 to 1.",
    "Conv2D": "Slides small filters over its input; each looks for one pattern everywhere.",
    "Activation": "Keeps what is positive and sets the rest to zero (relu).",
    "MaxPooling2D": "Keeps the strongest value of each small square: half the height and width.",
    "Dropout": "Forgets a random part while training, so that nothing is learnt by heart.",
    "Flatten": "Lays all numbers in one row.",
    "Dense": "Weighs all numbers it gets; each of its units draws one conclusion.",
    "GlobalAveragePooling2D": "Averages each channel over the whole picture.",
    "BatchNormalization": "Brings each channel to the same mean and spread.",
}
_SOFTMAX = "Turns ten scores into ten probabilities that sum to 1."

HELP: Mapping[str, str] = {
    "parameters": "Numbers that the layer learns.",
    "multiply-adds": "Multiplications, each with an addition, to answer one picture.",
    "memory": "Size of what the layer gives for one picture, at 4 bytes a number.",
    "learning": "Millions of additions and multiplications to learn once from one picture.",
    "sees": "How much of the picture one number of the output can depend on.",
}


def what_it_does(row: LayerRow) -> str:
    """Returns in plain words what a layer does; empty for a kind the lab has no words for."""
    is_answer = "softmax" in row.details.split(", ")
    if is_answer and row.kind == "Activation":
        return _SOFTMAX
    words = WHAT_IT_DOES.get(row.kind, "")
    return f"{words} {_SOFTMAX}" if is_answer else words


def layer_table(description: NetworkDescription) -> pd.DataFrame:
    """Returns one row per layer, with numbers as numbers.

    Args:
        description: The network.

    Returns:
        ``layer``, ``settings``, ``what it does``, ``output``, ``parameters``, ``multiply-adds``,
        ``memory`` (in kB) and ``sees``.
    """
    return pd.DataFrame(
        [
            {
                "layer": row.name,
                "settings": row.details,
                "what it does": what_it_does(row),
                "output": " × ".join(map(str, row.output_shape)),
                "parameters": row.parameters,
                "multiply-adds": row.macs,
                "memory": row.activation_bytes / 1000,
                "sees": f"{row.receptive_field} × {row.receptive_field}",
            }
            for row in description.rows
        ]
    )


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


def compare(left: NetworkDescription, right: NetworkDescription) -> list[Pair]:
    """Lays the layers of two networks beside each other, kind by kind.

    An activation counts as part of the layer before it, however the network writes it.
    """
    mine, other = _folded(left), _folded(right)
    matcher = difflib.SequenceMatcher(
        None, [kind for kind, _, _ in mine], [kind for kind, _, _ in other], autojunk=False
    )
    pairs: list[Pair] = []
    for _, start, end, other_start, other_end in matcher.get_opcodes():
        here, there = mine[start:end], other[other_start:other_end]
        for place in range(max(len(here), len(there))):
            a = here[place] if place < len(here) else None
            b = there[place] if place < len(there) else None
            sign = "+" if a is None or b is None else "=" if a[:2] == b[:2] else "≠"
            pairs.append(
                Pair(
                    sign,
                    a[1] if a else "",
                    b[1] if b else "",
                    a[2] if a else None,
                    b[2] if b else None,
                )
            )
    return pairs


def _folded(description: NetworkDescription) -> list[tuple[str, str, int]]:
    """Returns kind, words and parameters of each layer that is more than an activation."""
    layers: list[tuple[str, str, int]] = []
    for row in description.rows:
        if row.kind == "Activation" and layers:
            kind, words, parameters = layers[-1]
            layers[-1] = (kind, f"{words}, {row.details}", parameters)
        else:
            layers.append((row.kind, f"{row.kind} {row.details}".strip(), row.parameters))
    return layers


def drawing(description: NetworkDescription) -> None:
    """Draws the network; on a narrow screen it can be pushed sideways."""
    source = base64.b64encode(network_svg(description, dark=is_dark()).encode()).decode("ascii")
    st.html(
        '<div style="overflow-x: auto" tabindex="0"><img style="min-width: 800px; max-width: 100%" '
        f'src="data:image/svg+xml;base64,{source}" '
        f'alt="{html.escape(in_words(description), quote=True)}"></div>'
    )


def totals(description: NetworkDescription) -> None:
    """Draws what the whole network amounts to."""
    row = st.container(horizontal=True, gap="large")
    figures = (
        ("Parameters", formats.count(description.parameters), HELP["parameters"]),
        (
            "Weights",
            formats.data_size(WEIGHT_BYTES * description.parameters),
            "Size of the parameters at 4 bytes each.",
        ),
        (
            "Multiply-adds per picture",
            f"{description.macs / 1e6:.1f} million",
            HELP["multiply-adds"],
        ),
        (
            "To learn from one picture",
            f"{description.training_flops / 1e6:.1f} MFLOP",
            HELP["learning"],
        ),
    )
    for label, value, help_text in figures:
        row.metric(label, value, help=help_text, width="content")


def layer_section(description: NetworkDescription) -> None:
    """Draws the layer table and its download."""
    table = layer_table(description)
    number = st.column_config.NumberColumn
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        column_config={
            "what it does": st.column_config.TextColumn(width="large"),
            "parameters": number(format="localized", help=HELP["parameters"]),
            "multiply-adds": number(format="localized", help=HELP["multiply-adds"]),
            "memory": number(format="%.1f kB", help=HELP["memory"]),
            "sees": st.column_config.TextColumn(help=HELP["sees"]),
        },
    )
    st.download_button(
        "Download as CSV",
        table.rename(columns={"memory": "memory in kB"}).to_csv(index=False).encode(),
        f"{description.name}-layers.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"csv_{description.name}",
    )


def comparison_section(left: NetworkDescription, right: NetworkDescription) -> None:
    """Draws two networks layer by layer, differences marked."""
    st.text(
        f"{right.title} has {right.parameters / left.parameters:.1f} times the parameters of "
        f"{left.title} and needs {right.macs / left.macs:.1f} times its arithmetic. "
        "“=” marks the same layer, “≠” another setting, “+” a layer that only one has."
    )
    table = pd.DataFrame(
        [
            {
                " ": pair.sign,
                left.title: pair.left,
                f"{left.title} parameters": pair.left_parameters,
                right.title: pair.right,
                f"{right.title} parameters": pair.right_parameters,
            }
            for pair in compare(left, right)
        ]
    )
    number = st.column_config.NumberColumn(format="localized")
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        column_config={f"{side.title} parameters": number for side in (left, right)},
    )
