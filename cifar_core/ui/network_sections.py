"""The parts of the Networks page: drawing, totals, layer table, and two networks compared."""

from __future__ import annotations

import base64
import difflib
import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from cifar_core import formats
from cifar_core.charts.network import in_words, network_svg
from cifar_core.networks.description import LayerRow, NetworkDescription
from cifar_core.ui.tables import csv_download
from cifar_core.ui.theme import is_dark

if TYPE_CHECKING:
    import pandas as pd

WEIGHT_BYTES = 4
"""Of one parameter in float32."""

WHAT_IT_DOES: Mapping[str, str] = {
    "Rescaling": "Colours 0–255 become 0–1",
    "Conv2D": "Small filters look for patterns",
    "Activation": "Negative numbers become 0",
    "MaxPooling2D": "Keeps each square's strongest",
    "Dropout": "Forgets some while it trains",
    "Flatten": "All numbers in one row",
    "Dense": "Weighs all inputs together",
    "GlobalAveragePooling2D": "Averages each channel",
    "BatchNormalization": "Evens out each channel",
}
"""Short enough to be read in the table beside the figures."""

_SOFTMAX = "Scores become probabilities"

HELP: Mapping[str, str] = {
    "parameters": "Numbers that the layer learns.",
    "multiply-adds": "Multiplications, each with an addition, to answer one picture.",
    "memory": "Size of what the layer gives for one picture, at 4 bytes a number.",
    "learning": "Millions of additions and multiplications to learn once from one picture.",
    "sees": "How much of the picture one number of the output can depend on.",
}


def what_it_does(row: LayerRow) -> str:
    """Returns in plain words what a layer does; empty for a kind the lab has no words for."""
    if row.kind == "Activation" and row.details == "softmax":
        return _SOFTMAX
    return WHAT_IT_DOES.get(row.kind, "")


def layer_table(description: NetworkDescription) -> pd.DataFrame:
    """Returns one row per layer, with numbers as numbers.

    Args:
        description: The network.

    Returns:
        ``layer``, ``what it does``, ``settings``, ``output``, ``parameters``, ``multiply-adds``,
        ``memory`` (in kB) and ``sees``.
    """
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "layer": row.name,
                "what it does": what_it_does(row),
                "settings": row.details,
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

    Activation and dropout count as part of the layer before them, however the network writes
    them: what stays are the layers that give the network its shape.
    """
    mine, other = _folded(left), _folded(right)
    left_keys, right_keys = ([key for key, _, _ in layers] for layers in (mine, other))
    matcher = difflib.SequenceMatcher(None, left_keys, right_keys, autojunk=False)
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
    """Returns of each layer that shapes the network: what it is matched by, words, parameters."""
    layers: list[tuple[str, str, int]] = []
    for row in description.rows:
        if row.kind in ("Activation", "Dropout") and layers:
            key, words, parameters = layers[-1]
            added = row.details if row.kind == "Activation" else f"dropout {row.details}"
            layers[-1] = (key, f"{words}, {added}", parameters)
            continue
        # Convolutions with as many filters belong together, whatever their edges.
        key = f"{row.kind} {row.details.split(' ')[0]}" if row.kind == "Conv2D" else row.kind
        layers.append((key, f"{row.kind} {row.details}".strip(), row.parameters))
    return layers


def drawing(description: NetworkDescription, *, least_width: int = 0) -> None:
    """Draws the network; on a narrow screen it can be pushed sideways.

    Args:
        description: The network.
        least_width: As :func:`cifar_core.charts.network.network_svg` takes it.
    """
    picture = network_svg(description, dark=is_dark(), least_width=least_width)
    source = base64.b64encode(picture.encode()).decode("ascii")
    st.html(
        '<div style="overflow-x: auto" tabindex="0"><img style="min-width: 800px; max-width: 100%" '
        f'src="data:image/svg+xml;base64,{source}" '
        f'alt="{html.escape(in_words(description), quote=True)}"></div>'
    )


def totals(description: NetworkDescription) -> None:
    """Draws what the whole network amounts to."""
    row = st.container(horizontal=True, gap="medium")
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
            "parameters": number(format="localized", help=HELP["parameters"]),
            "multiply-adds": number(format="localized", help=HELP["multiply-adds"]),
            "memory": number(format="%.2f kB", help=HELP["memory"]),
            "sees": st.column_config.TextColumn(help=HELP["sees"]),
        },
    )
    csv_download(
        table.rename(columns={"memory": "memory in kB"}),
        f"{description.name}-layers",
        key=f"csv_{description.name}",
    )


def comparison_section(left: NetworkDescription, right: NetworkDescription) -> None:
    """Draws two networks layer by layer, differences marked."""
    import pandas as pd

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
                f"{left.title} parameters": _counted(pair.left_parameters),
                right.title: pair.right,
                f"{right.title} parameters": _counted(pair.right_parameters),
            }
            for pair in compare(left, right)
        ]
    )
    number = st.column_config.TextColumn(alignment="right")
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        column_config={
            " ": st.column_config.TextColumn(width=40),
            **{f"{side.title} parameters": number for side in (left, right)},
        },
    )


def _counted(parameters: int | None) -> str:
    """Returns nothing, not a dash, where there is no layer: the sign says it already."""
    return "" if parameters is None else formats.count(parameters)
