"""The download of the full dataset: offered, watched, stopped, and never waited for."""

from __future__ import annotations

import streamlit as st

from cifar_core import formats, services
from cifar_core.dataset.download import DownloadStatus
from cifar_core.errors import DataError
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.jobs.panel import job_panel, show_failure
from cifar_core.ui.kit.page import empty_state, guard
from cifar_core.ui.kit.session import Kept
from cifar_core.ui.kit.tables import plain

WATCHED = Kept[bool]("download_watched", default=False)
"""Whether the person has watched a download, to tell when it is done."""


def download_panel() -> None:
    """Offers the full dataset where it is missing or damaged; where it is there, tells it once."""
    with guard():
        if not _is_missing():
            _tell_its_end()
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


def _tell_its_end() -> None:
    """Says to who has watched the download that it is done, and what can be done now."""
    if WATCHED.get():
        WATCHED.set(value=False)
        with st.container(border=True, key="download_done"):
            empty_state(
                "Dataset ready: all 60,000 images are on this machine, their digests checked.",
                "Start a training",
                "pages/train.py",
            )


def _progress(status: DownloadStatus) -> None:
    WATCHED.set(value=True)
    with st.container(border=True, key="download_running"):
        st.text(status.message or "Downloading")
        st.progress(status.share or 0.0, text=plain(_amount(status)))
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
