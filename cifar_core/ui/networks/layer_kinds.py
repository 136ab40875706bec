"""The kinds of layers a network has, each with the glossary's sentence as its help."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from cifar_core.glossary import define
from cifar_core.networks.description import NetworkDescription

TERMS: Mapping[str, str] = {
    "Conv2D": "convolution",
    "Activation": "activation function",
    "Dropout": "dropout",
    "BatchNormalization": "batch normalisation",
}
"""Kinds of layers that the glossary explains, by its terms."""


def kinds_explained(description: NetworkDescription) -> None:
    """Draws the kinds of layers that the glossary explains, in the order of the network."""
    with st.container(horizontal=True, gap="medium", key=f"kinds_{description.name}"):
        for kind in dict.fromkeys(row.kind for row in description.rows if row.kind in TERMS):
            st.caption(TERMS[kind].capitalize(), help=define(TERMS[kind]), width="content")
