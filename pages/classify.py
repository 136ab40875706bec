"""Classify: what a trained network sees in any picture."""

from __future__ import annotations

import streamlit as st

from cifar_core import services
from cifar_core.runs.reading import Run
from cifar_core.runs.results import origin_of
from cifar_core.services import Fit
from cifar_core.ui.classify.batch import many_section
from cifar_core.ui.classify.feedback import feedback_section, kept_section
from cifar_core.ui.classify.predictions import CAUTION, answer_section, mirror_switch
from cifar_core.ui.classify.upload_box import take_pictures
from cifar_core.ui.kit import session
from cifar_core.ui.kit.downloads import chart_format
from cifar_core.ui.kit.page import empty_state, guard, origin_line, page_header
from cifar_core.ui.kit.runs.labels import model_labels

MOST_IN_FULL = 6  # More pictures come as a table, and one of them in full.
FITS: dict[Fit, str] = {"squash": "Whole, squashed", "crop": "Middle, cropped"}


def classify_page() -> None:
    """Draws the page below its head."""
    models = services.models_to_ask()
    if not models:
        empty_state(
            "There is no trained network yet. Once one has finished, it answers here.",
            "Train a network",
            "pages/train.py",
        )
        return

    labels = model_labels(models)
    marked = {
        run.id: f"{labels[run.id]}, the reference" if run.is_reference else labels[run.id]
        for run in models
    }
    session.hold_choice("models", marked)
    chosen = st.multiselect(
        "Models",
        list(labels),
        default=_first_asked(models),
        format_func=lambda run_id: marked[run_id],
        key="models",
        help="Choose several to see what each of them says of the same picture.",
        width=620,
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        fit = st.segmented_control(
            "How the picture becomes 32 × 32",
            list(FITS),
            default="squash",
            required=True,
            format_func=lambda fit: FITS[fit],
            key="fit",
        )
        mirror = mirror_switch([run for run in models if run.id in chosen], labels)
    pictures = take_pictures()
    if not chosen:
        empty_state("No model is chosen.", "Choose at least one above.")
        return
    if not pictures:
        empty_state("No picture yet.", "Bring one of yours, or look at a test picture.")
        return

    asked = [run for run in models if run.id in chosen]
    if len(pictures) > MOST_IN_FULL:
        one = many_section(pictures, asked, labels, fit=fit, mirror=mirror)
        pictures = [] if one is None else [one]
    for brought in pictures:
        if answers := answer_section(brought, asked, labels, fit=fit, mirror=mirror):
            feedback_section(brought, answers, fit=fit)
    st.text(CAUTION)
    if pictures:
        chart_format()
    origin_line("Answered by " + "; ".join(origin_of(run, epoch=run.status.epoch) for run in asked))


def _first_asked(models: list[Run]) -> list[str]:
    """Returns the model the address names, else the first of each network, side by side."""
    ids = [run.id for run in models]
    named = st.query_params.get("run")
    firsts: dict[str, str] = {}
    for run in models:
        if run.recipe is not None:
            firsts.setdefault(run.recipe.network, run.id)
    return [named] if named in ids else list(firsts.values())


page_header("Classify", "What do the trained networks see in your picture?")
with guard():
    classify_page()
kept_section()
