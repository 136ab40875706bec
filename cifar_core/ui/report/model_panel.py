"""A trained network to take away: its card, and its files for other programs."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from cifar_core import formats, services
from cifar_core.runs.reading import Run
from cifar_core.ui.kit.page import empty_state, guard
from cifar_core.ui.kit.runs.picker import run_labels
from cifar_core.ui.kit.session import keep_in_address
from cifar_core.ui.kit.tables import file_name

FIELD: Final = "report_model"
"""Key of the field that holds the choice."""

KINDS: Final[Mapping[str, str]] = {
    "model.keras": "Keras, to train on or look inside",
    "model.tflite": "LiteRT, to answer with in other programs",
}


def model_panel(models: Sequence[Run]) -> None:
    """Draws the choice of a model, its files and its card."""
    if not models:
        empty_state("There is no trained network yet.", "Train a network", "pages/train.py")
        return
    run = _choose_model(models)
    with st.container(horizontal=True, gap="small", key="model_files"):
        for name, size in services.list_model_files(run).items():
            st.download_button(
                f"{name} ({formats.data_size(size)})",
                functools.partial(services.read_model_file, run, name),
                file_name=file_name(run.id, name),
                mime="application/octet-stream",
                on_click="ignore",
                icon=":material/download:",
                help=KINDS[name],
                key=f"file_{name}",
            )
        st.download_button(
            "Its card (Markdown)",
            functools.partial(services.read_card, run),
            file_name=f"{file_name(run.id)}-card.md",
            mime="text/markdown",
            on_click="ignore",
            icon=":material/download:",
            key="file_card",
        )
        for name in services.FACTS_FILES:  # the card points to them
            st.download_button(
                name,
                functools.partial(services.read_facts_file, run, name),
                file_name=file_name(run.id, name),
                mime="application/json",
                on_click="ignore",
                icon=":material/download:",
                key=f"file_{name}",
            )
    with st.expander("The model's card"), guard():
        text = services.read_card(run)
        heading, _, rest = text.partition("\n")
        st.markdown(f"**{heading.removeprefix('# ')}**\n{rest}")


def _choose_model(models: Sequence[Run]) -> Run:
    """Draws the choice of a model; the address keeps its id, for a label changes."""
    by_id = {run.id: run for run in models}
    asked = st.query_params.get("model", "")
    if asked and asked not in by_id and FIELD not in st.session_state:
        st.text(f"There is no model “{asked[:80]}” here (any more): this is another one.")
    labels = run_labels(models)
    chosen = st.selectbox(
        "Model",
        list(by_id),
        format_func=lambda run_id: labels[run_id],
        key=FIELD,
        on_change=keep_in_address(FIELD, labels, models[0].id, name="model"),
        width=620,
    )
    return by_id.get(chosen or "", models[0])
