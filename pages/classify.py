"""Classify: what a trained network sees in any picture."""

from __future__ import annotations

import streamlit as st

from cifar_core import services
from cifar_core.runs.manager import Run
from cifar_core.services import Fit
from cifar_core.ui import session
from cifar_core.ui.answers import CAUTION, answer_section, model_labels
from cifar_core.ui.intake import take_pictures
from cifar_core.ui.page import empty_state, guard, origin_line, page_header

PAGE_PICTURES = 6
FITS: dict[Fit, str] = {"squash": "Whole, squashed", "crop": "Middle, cropped"}


def classify_page() -> None:
    """Draws the page below its head."""
    models = services.list_models()
    if not models:
        empty_state(
            "There is no trained network yet. Once one has finished, it answers here.",
            "Train a network",
            "pages/train.py",
        )
        return

    labels = model_labels(models)
    with st.container(horizontal=True):
        ids = [run.id for run in models]
        chosen = st.multiselect(
            "Models",
            ids,
            default=[session.address_choice("run", ids, ids[0])],
            format_func=lambda run_id: labels[run_id],
            key="models",
            help="Choose several to see what each of them says of the same picture.",
        )
        fit = st.segmented_control(
            "How the picture becomes 32 × 32",
            list(FITS),
            default="squash",
            required=True,
            format_func=lambda fit: FITS[fit],
            key="fit",
        )
    pictures = take_pictures()
    if not chosen:
        empty_state("No model is chosen.", "Choose at least one above.")
        return
    if not pictures:
        empty_state("No picture yet.", "Bring one of yours, or look at a test picture.")
        return

    pages = max(1, -(-len(pictures) // PAGE_PICTURES))
    page = st.pagination(pages, key="answers_page") if pages > 1 else 1
    asked = [run for run in models if run.id in chosen]
    for brought in pictures[(page - 1) * PAGE_PICTURES : page * PAGE_PICTURES]:
        answer_section(brought, asked, labels, fit=fit)
    st.text(CAUTION)
    origin_line("Answered by " + "; ".join(_origin(labels[run.id], run) for run in asked))


def _origin(label: str, run: Run) -> str:
    return f"{label}: run {run.id}, epoch {run.status.epoch}, {run.status.device_name or 'cpu'}"


page_header("Classify", "What do the trained networks see in your picture?")
with guard():
    classify_page()
