"""Networks: what the two networks are made of, layer by layer."""

from __future__ import annotations

import streamlit as st

from cifar_core import services
from cifar_core.charts.network import drawing_width
from cifar_core.networks import NETWORKS
from cifar_core.networks.description import ascii_printout, source_code
from cifar_core.ui.network_sections import comparison_section, drawing, layer_section, totals
from cifar_core.ui.page import guard, origin_line, page_header

BOTH = "Side by side"

page_header("Networks", "What are the networks made of, and what does each layer do?")
with guard():
    titles = {network.title: name for name, network in NETWORKS.items()}
    chosen = st.segmented_control(
        "Network",
        [*titles, BOTH],
        default=next(iter(titles)),
        required=True,
        key="network",
        bind="query-params",
        label_visibility="collapsed",
    )
    names = list(titles.values()) if chosen == BOTH else [titles[chosen]]
    described = [services.describe_network(name) for name in names]

    width = max(map(drawing_width, described))
    for description in described:
        st.subheader(description.title, anchor=False)
        st.text(NETWORKS[description.name].summary)
        drawing(description, least_width=width)
        totals(description)

    layers, printout, code = st.tabs(["Layers", "Print-out", "Keras code"])
    with layers:
        if len(described) == 2:
            comparison_section(*described)
        else:
            layer_section(described[0])
    with printout:
        st.text("As the tutorial prints its networks, to copy.")
        for place, description in zip(st.columns(len(described)), described, strict=True):
            place.code(ascii_printout(description), language=None)
    with code:
        st.text("The code that builds the network: this file is what the lab trains.")
        for place, name in zip(st.columns(len(names)), names, strict=True):
            place.code(source_code(name), language="python")

    origin_line(
        "Read from the real Keras models. One multiply-add counts as two operations; memory is "
        "for one picture in float32."
    )
