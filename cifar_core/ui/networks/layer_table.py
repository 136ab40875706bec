"""The parts of the Networks page that describe a network: drawing, totals and layer table."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from cifar_core import formats
from cifar_core.charts.network import in_words, network_svg
from cifar_core.charts.theme import network_colour
from cifar_core.glossary import define, explain
from cifar_core.networks.description import NetworkDescription
from cifar_core.networks.layers import LAYER_KINDS, LayerSpec
from cifar_core.ui.kit.downloads import save_figure
from cifar_core.ui.kit.images import image_html
from cifar_core.ui.kit.tables import csv_download, file_name
from cifar_core.ui.kit.theme import is_dark
from cifar_core.ui.networks.layer_kinds import kinds_explained

if TYPE_CHECKING:
    import pandas as pd

LEAST_MS = 0.0005
"""A shorter time than this rounds to nothing."""

WEIGHT_BYTES = 4
"""Of one parameter in float32."""

HELP: Mapping[str, str] = {
    "parameters": define("parameters"),
    "multiply-adds": define("multiply-adds (MACs)"),
    "memory": "Size of what the layer gives for one picture, at 4 bytes a number.",
    "learning": "Millions of additions and multiplications to learn once from one picture.",
    "sees": explain("receptive field"),
    "time": "Processor time that the served network needs for one picture.",
}


def layer_table(
    description: NetworkDescription, milliseconds: Sequence[float | None] | None = None
) -> pd.DataFrame:
    """Returns one row per layer, with numbers as numbers.

    Args:
        description: The network.
        milliseconds: Of each layer; None where a layer has none of its own.

    Returns:
        ``layer``, ``what it does``, ``settings``, ``output``, ``parameters``, ``multiply-adds``,
        ``memory`` (in kB), ``sees``, ``reads`` where a layer reads others than the one above,
        and ``milliseconds`` where they were measured.
    """
    import pandas as pd

    table = pd.DataFrame(
        [
            {
                "layer": layer.name,
                "what it does": layer.explanation,
                "settings": str(layer.settings),
                "output": " × ".join(map(str, layer.output_shape)),
                "parameters": layer.parameters,
                "multiply-adds": layer.macs,
                "memory": layer.activation_bytes / 1000,
                "sees": f"{layer.receptive_field} × {layer.receptive_field}",
            }
            for layer in description.layers
        ]
    )
    if any(branches := description.branches()):
        table["reads"] = [", ".join(names) for names in branches]
    if milliseconds is not None:
        table["milliseconds"] = [None if ms is None else round(ms, 4) for ms in milliseconds]
    return table


def drawing(description: NetworkDescription, *, least_width: int = 0) -> None:
    """Draws the network; on a narrow screen it can be pushed sideways.

    Args:
        description: The network.
        least_width: As :func:`cifar_core.charts.network.network_svg` takes it.
    """
    picture = network_svg(description, dark=is_dark(), least_width=least_width)
    shown = image_html(
        picture.encode(),
        in_words(description),
        kind="svg+xml",
        style="min-width: 800px; max-width: 100%",
    )
    frame = '<div style="overflow-x: auto" tabindex="0" role="region" aria-label="Drawing">'
    st.html(f"{frame}{shown}</div>")
    dark = is_dark()
    save_figure(
        lambda: network_svg(description, dark=dark, is_opaque=True),
        file_name("network", description.name),
        key=f"drawing_{description.name}",
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


def layer_section(
    description: NetworkDescription, milliseconds: Sequence[float | None] | None
) -> None:
    """Draws the layer table, what its columns mean, and its download.

    Args:
        description: The network.
        milliseconds: Of each layer, None where it has none of its own; None where nothing was
            measured.
    """
    st.html(layers_html(description, milliseconds, colour=_bar_colour(description)))
    kinds_explained(description)
    with st.expander("What the columns mean"):
        terms = {
            "Output": "Height × width × channels of what the layer gives, or how many numbers.",
            "Parameters": HELP["parameters"],
            "Multiply-adds": HELP["multiply-adds"],
            "Memory": HELP["memory"],
            "Sees": HELP["sees"],
            "Time": HELP["time"],
        }
        for term, words in terms.items():
            st.markdown(f"**{term}.** {words}")
    csv_download(
        layer_table(description, milliseconds).rename(columns={"memory": "memory in kB"}),
        f"{description.name}-layers",
        key=f"csv_{description.name}",
    )


def layers_html(
    description: NetworkDescription,
    milliseconds: Sequence[float | None] | None,
    *,
    colour: str,
) -> str:
    """Returns the HTML of the layer table; every text in it is escaped.

    Args:
        description: The network.
        milliseconds: As :func:`layer_section` takes it.
        colour: Of the bars below the times.
    """
    measured = milliseconds is not None
    heads = ["Layer", "Output", "Parameters", "Multiply-adds", "Memory", "Sees"]
    heads += ["Time"] if measured else []
    lines = []
    branches = description.branches()
    for place, layer in enumerate(description.layers):
        sees = layer.receptive_field
        cells = [
            _layer_cell(layer, branches[place]),
            f"<td>{' × '.join(f'{side:,}' for side in layer.output_shape)}</td>",
            _counted(layer.parameters),
            _counted(layer.macs),
            f"<td>{formats.data_size(layer.activation_bytes)}</td>",
            f"<td>{sees} × {sees}</td>",
        ]
        if milliseconds is not None:
            cells.append(_time_cell(layer, milliseconds[place], milliseconds, colour))
        lines.append(f"<tr>{''.join(cells)}</tr>")
    empty = "<td></td>"
    total = f"<td>{sum(ms or 0 for ms in milliseconds):.3f} ms</td>" if milliseconds else ""
    foot = (
        f'<tr><th scope="row">All layers</th>{empty}{_counted(description.parameters)}'
        f"{_counted(description.macs)}{empty}{empty}{total}</tr>"
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return (
        '<div class="lab-scroll" tabindex="0" role="region" aria-label="Layers">'
        f'<table class="lab-layers"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody><tfoot>{foot}</tfoot></table></div>"
    )


def _layer_cell(layer: LayerSpec, reads: Sequence[str]) -> str:
    words = ". ".join(filter(None, (layer.explanation, f"Reads {', '.join(reads)}" * bool(reads))))
    below = f"<small>{html.escape(words)}</small>" if words else ""
    settings = html.escape(str(layer.settings))
    return f'<th scope="row"><b>{html.escape(layer.name)}</b> {settings}{below}</th>'


def _counted(count: int) -> str:
    return f"<td>{count:,}</td>" if count else '<td class="lab-zero">0</td>'


def _time_cell(
    layer: LayerSpec, own: float | None, milliseconds: Sequence[float | None], colour: str
) -> str:
    if own is None:
        kind = LAYER_KINDS.get(layer.kind)
        words = kind.without_time if kind else ""
        return f'<td class="lab-time"><small>{words}</small></td>'
    share = own / max(ms or 0 for ms in milliseconds)
    return (
        f'<td class="lab-time">{milliseconds_words(own)}<span style="width: {100 * share:.1f}%; '
        f'background: {colour}"></span></td>'
    )


def milliseconds_words(milliseconds: float) -> str:
    """Returns a time to the microsecond, and that it is less where it would read as none."""
    return f"{milliseconds:.3f} ms" if milliseconds >= LEAST_MS else f"below {2 * LEAST_MS:.3f} ms"


def _bar_colour(description: NetworkDescription) -> str:
    return network_colour(description.name, dark=is_dark())
