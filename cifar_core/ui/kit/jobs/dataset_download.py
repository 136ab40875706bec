"""The download of the full dataset: offered, watched, stopped, and never waited for."""

from __future__ import annotations

import html

import streamlit as st

from cifar_core import formats, services
from cifar_core.dataset.download import DownloadStatus
from cifar_core.errors import DataError
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.jobs.panel import job_panel, show_failure
from cifar_core.ui.kit.page import empty_state, guard


def download_panel() -> None:
    """Offers the full dataset where it is missing or damaged; draws nothing where it is there."""
    with guard():
        if not _is_missing():
            return
        if not services.may_change():
            empty_state(
                "Only a small sample of the pictures is here.",
                "Ask whoever runs this lab to download the full dataset.",
            )
            return
        job_panel(services.read_download, _progress, _offer)


def _is_missing() -> bool:
    try:
        return caches.open_dataset().is_sample
    except DataError:  # the page says what is wrong with it
        return True


def _progress(status: DownloadStatus) -> None:
    with st.container(border=True, key="download_running"):
        st.text(status.message or "Downloading")
        if status.share is not None:
            st.progress(status.share)
        st.html(f'<p class="lab-origin">{html.escape(_amount(status))}</p>')
        if status.refused:
            st.text(f"Not used: {status.refused}")
        if st.button("Stop and keep what has arrived", key="download_stop"):
            services.stop_download()
            st.toast("Stopping the download: what has arrived is kept.")


def _offer(status: DownloadStatus | None) -> None:
    """Says why the pictures are not here and offers to fetch them."""
    label = "Download the dataset"
    if status is not None and status.state == "failed":
        show_failure(status)
        label = "Try again"
    elif status is not None and status.state == "interrupted":
        empty_state(status.message, status.remedy)
        label = "Go on with the download"
    else:
        empty_state(
            "The full dataset is not on this machine yet.",
            "Download its 60,000 pictures once, 140 to 170 MB. You may leave the page meanwhile: "
            "the download goes on by itself.",
        )
    if st.button(label, type="primary", icon=":material/download:", key="download_start"):
        services.start_download()
        st.rerun()


def _amount(status: DownloadStatus) -> str:
    """Returns how much has arrived, of what and from where."""
    parts = []
    if status.done_bytes:
        arrived = formats.data_size(status.done_bytes)
        whole = status.total_bytes
        parts.append(f"{arrived} of {formats.data_size(whole)}" if whole else arrived)
    if status.source:
        parts.append(f"from {status.source}")
    return " ".join(parts) or "This takes a moment."
