"""A job in a process of its own, on a page: watched while it runs, offered while it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import streamlit as st

from cifar_core.errors import LabError
from cifar_core.jobs.status import JobStatus
from cifar_core.ui.kit.page import guard, show_error

TICK_SECONDS: Final = 1.0

S = TypeVar("S", bound=JobStatus)


def job_panel(
    read: Callable[[], S | None],
    progress: Callable[[S], None],
    offer: Callable[[S | None], None],
) -> None:
    """Draws a job as it stands, once a second while it runs, whoever started it.

    The page is rerun when the job starts or ends.

    Args:
        read: Returns what the job last said of itself.
        progress: Draws how far it is.
        offer: Draws why it is not done and the button that starts it.
    """

    def draw(was_running: bool) -> None:
        with guard():
            status = read()
            is_running = status is not None and status.state == "running"
            if is_running != was_running:
                st.rerun()
            if status is not None and is_running:
                progress(status)
            else:
                offer(status)

    status = read()
    is_running = status is not None and status.state == "running"
    st.fragment(draw, run_every=TICK_SECONDS if is_running else None)(is_running)


def show_failure(status: JobStatus) -> None:
    """Draws why a job failed, in three answers."""
    what = status.what or status.message
    show_error(LabError(what, expected=status.expected, remedy=status.remedy))
