"""A network as text to copy: Keras' summary, the ASCII print-out, and the code that builds it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cifar_core.networks.description import NetworkDescription, ascii_printout, source_code


def printouts(described: Sequence[NetworkDescription]) -> None:
    """Draws both print-outs of each network."""
    st.text(
        "As the tutorial prints its networks, to copy: Keras' own summary() and the ASCII "
        "print-out. Here the scaling is a layer too, and the channels come last."
    )
    blocks = [
        [
            ("Keras summary", description.keras_summary),
            ("ASCII print-out", ascii_printout(description)),
        ]
        for description in described
    ]
    # Beside each other where the screen is wide enough, else below each other.
    places = [[text] for text in blocks[0]] if len(blocks) == 1 else blocks
    with st.container(horizontal=True, gap="large"):
        for texts in places:
            with st.container(width="content"):
                for title, text in texts:
                    st.markdown(f"**{title}**")
                    st.code(text, language=None, width="content")


def source_codes(described: Sequence[NetworkDescription]) -> None:
    """Draws the module that builds each network."""
    st.text("The code that builds the network: this file is what the lab trains.")
    for place, description in zip(st.columns(len(described)), described, strict=True):
        place.code(source_code(description.name), language="python")
