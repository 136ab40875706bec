"""The analysis of the full dataset: offered, watched, stopped, and never waited for."""

from __future__ import annotations

import streamlit as st

from cifar_core import formats, services
from cifar_core.analysis.process import AnalysisStatus
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.jobs.panel import job_panel, show_failure
from cifar_core.ui.kit.page import empty_state, guard, origin_line


def analysis_panel() -> None:
    """Offers to analyse all pictures where that has not been done; draws nothing where it has."""
    with guard():
        if caches.open_dataset().is_sample:
            st.text(
                "This is the sample of 2,000 pictures. With the full dataset the lab can look at "
                "all 60,000; download it above."
            )
            return
        status = services.read_analysis()
        is_running = status is not None and status.state == "running"
        if services.analysis_state() == "ready" and not is_running:
            return
        job_panel(services.read_analysis, _progress, _offer)


def _progress(status: AnalysisStatus) -> None:
    with st.container(border=True, key="analysis_running"):
        st.text(status.message or "Looking at the pictures")
        st.progress(min(1.0, status.share))
        left = formats.duration(status.seconds_left)
        origin_line(f"{formats.duration(status.seconds)} so far, about {left} to go")
        if not services.may_change():
            return
        if st.button("Stop the analysis", key="analysis_stop"):
            services.stop_analysis()
            st.toast("Stopping the analysis.")


def _offer(status: AnalysisStatus | None) -> None:
    """Says why all pictures have not been looked at and offers to do so."""
    label = "Analyse all 60,000 pictures"
    if status is not None and status.state == "failed":
        show_failure(status)
        label = "Try again"
    elif status is not None and status.state == "interrupted":
        empty_state(status.message, status.remedy)
    elif services.analysis_state() == "stale":
        empty_state(
            "There is an analysis by another network or an older version of the lab.",
            "It is not shown. Analyse the pictures again.",
        )
    else:
        empty_state(
            "Neighbours and the map are those of the sample of 2,000 pictures.",
            "Let a network look at all 60,000: a few minutes in the background; you may leave "
            "the page meanwhile.",
        )
    if not services.may_change():
        return
    if st.button(label, type="primary", icon=":material/travel_explore:", key="analysis_start"):
        services.start_analysis()
        st.rerun()
