"""Report: the findings to take away, to print and to present."""

from __future__ import annotations

import streamlit as st

from cifar_core import services
from cifar_core.report.subjects import MOST_RUNS
from cifar_core.ui.kit.page import empty_state, guard, page_header
from cifar_core.ui.kit.runs.picker import run_labels
from cifar_core.ui.kit.session import keep_in_address
from cifar_core.ui.report import report_panel
from cifar_core.ui.report.model_panel import model_panel

page_header("Report", "What has been found, to save, to print and to present?")

with guard():
    runs = {run.id: run for run in services.reportable_runs()}
    if not runs:
        empty_state("No network has been trained here yet.", "Start a training", "pages/train.py")
        st.stop()
    labels = run_labels(list(runs.values()))
    start = [run.id for run in services.headline_runs()]
    chosen = st.multiselect(
        "Runs to report on",
        list(runs),
        format_func=lambda run_id: labels[run_id],
        max_selections=MOST_RUNS,
        key="report_runs",
        on_change=keep_in_address("report_runs", labels, start, name="runs", most=MOST_RUNS),
        placeholder="Choose one to six finished runs",
    )
    picked = [runs[run_id] for run_id in chosen]
    if not picked:
        empty_state("No run is chosen.", "Choose at least one above.")
    elif st.query_params.get("present"):
        report_panel.presentation(picked)
    else:
        st.text(
            "One HTML file of about 5 MB. It opens on any computer without a network, its charts "
            "answer to the mouse, it prints, and its button Present turns it into slides for the "
            "arrow keys."
        )
        report_panel.actions(picked)
        with st.expander("What is in it"):
            st.markdown(report_panel.CONTENTS)

    st.header("Models to take away", anchor=False)
    with guard():
        model_panel(services.list_models())
