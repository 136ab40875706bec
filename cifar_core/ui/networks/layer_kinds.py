"""The kinds of layers a network has, each with the glossary's sentence as its help."""

from __future__ import annotations

import streamlit as st

from cifar_core.glossary import define
from cifar_core.networks.description import NetworkDescription
from cifar_core.networks.layers import LAYER_KINDS


def kinds_explained(description: NetworkDescription) -> None:
    """Draws the kinds of layers that the glossary explains, in the order of the network."""
    with st.container(horizontal=True, gap="medium", key=f"kinds_{description.name}"):
        kinds = [LAYER_KINDS.get(layer.kind) for layer in description.layers]
        for term in dict.fromkeys(kind.term for kind in kinds if kind and kind.term):
            st.caption(term.capitalize(), help=define(term), width="content")
