"""Networks: what the networks are made of, layer by layer, and what they do to a picture."""

from __future__ import annotations

import streamlit as st

from cifar_core import services
from cifar_core.charts.network import drawing_width
from cifar_core.networks import NETWORKS
from cifar_core.networks.description import NetworkDescription
from cifar_core.ui.kit.page import empty_state, guard, origin_line, page_header
from cifar_core.ui.kit.session import keep_in_address
from cifar_core.ui.networks.activations import activation_section, filter_section, fixed_words
from cifar_core.ui.networks.comparison import comparison_section, pair_of
from cifar_core.ui.networks.layer_table import drawing, layer_section, totals
from cifar_core.ui.networks.layer_times import first_run, layer_milliseconds, time_section
from cifar_core.ui.networks.subject import choose_run, choose_subject, inside_origin, open_inspector
from cifar_core.ui.networks.text import printouts, source_codes
from cifar_core.ui.networks.worked_section import worked_section

BOTH = "Side by side"
LAYERS, FILTERS, ACTIVATIONS = "Layers", "Filters", "Activations"
WORKED, PRINTOUT, CODE = "Step by step", "Print-out", "Keras code"


def layers_part(description: NetworkDescription) -> None:
    """Draws the layer table, with times where a trained network was measured."""
    run = first_run(description)
    if run is None:
        layer_section(description, None)
        return
    status = services.read_timing(run)
    layer_section(description, layer_milliseconds(description, run, status))
    time_section(run, status)


def inside_part(description: NetworkDescription, part: str) -> None:
    """Draws what only a trained network can show: filters, activations, a number worked out."""
    run = choose_run(description)
    if run is None:
        return
    if part == FILTERS:
        filter_section(run, open_inspector(run).ops, fixed=fixed_words(description, run.recipe))
    else:
        subject = choose_subject(run)
        if subject is None:
            empty_state("No picture yet.", "Bring one of yours, or look at a test picture.")
            return
        (activation_section if part == ACTIVATIONS else worked_section)(subject)
    origin_line(inside_origin(run))


def plain_part(described: list[NetworkDescription], part: str) -> None:
    """Draws what the description alone shows: layers, print-out, code."""
    if part == LAYERS:
        width = max(map(drawing_width, described))
        for item in described:
            if len(described) > 1:
                st.header(NETWORKS[item.name].marked_title, anchor=False)
            st.text(NETWORKS[item.name].summary)
            drawing(item, least_width=width)
            totals(item)
        if len(described) == 2:
            comparison_section(*described)
        else:
            layers_part(described[0])
    else:
        (printouts if part == PRINTOUT else source_codes)(described)
    origin_line(
        "Read from the real Keras models. One multiply-add counts as two operations; memory is "
        "for one picture in float32."
    )


page_header("Networks", "What are the networks made of, and what do they do to a picture?")
with guard():
    titles = {network.title: name for name, network in NETWORKS.items()}
    choices = [*titles, BOTH]
    chosen = st.segmented_control(
        "Network",
        choices,
        required=True,
        key="networks_network",
        on_change=keep_in_address("networks_network", choices, choices[0], name="network"),
        label_visibility="collapsed",
    )
    names = pair_of(list(NETWORKS)) if chosen == BOTH else [titles[str(chosen)]]
    described = [services.describe_network(name) for name in names]

    inside = [] if chosen == BOTH else [FILTERS, ACTIVATIONS, WORKED]
    parts = [LAYERS, *inside, PRINTOUT, CODE]
    noted = keep_in_address("networks_part", parts, LAYERS, name="part")
    tabs = st.tabs(parts, key="networks_part", on_change=noted)
    for tab, part in zip(tabs, parts, strict=True):
        if tab.open:
            with tab, guard():
                if part in inside:
                    inside_part(described[0], part)
                else:
                    plain_part(described, part)
