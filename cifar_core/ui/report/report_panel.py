"""A report to save, to read here, or to present: the same file each time."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cifar_core import services
from cifar_core.runs.reading import Run
from cifar_core.ui.kit.page import guard
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.session import set_address
from cifar_core.ui.kit.tables import file_name

CONTENTS = """
- The question and the answer: accuracies with their intervals, beside the tutorial's
- The pictures, the networks, and how they learnt
- Where each network fails, with pictures right and wrong
- Whether the difference is real (McNemar's exact test)
- How sure one can be, and the limits
- Where every number comes from, and the commands that repeat it
"""


def _reported(run: Run) -> tuple[results.Stamp, ...]:
    """Returns what changes with what a report says of a run."""
    folder = run.folder
    paths = (folder.evaluation_path, folder.test_predictions_path, folder.label_path)
    return tuple(map(results.stamp, paths))


@st.cache_data(max_entries=3, show_spinner="Making the report …", hash_funcs={Run: _reported})
def report_of(runs: Sequence[Run]) -> bytes:
    """Returns the report on runs, made once for the state their files are in."""
    return services.make_report(runs)


def actions(runs: Sequence[Run]) -> None:
    """Draws the buttons: save, present, read here."""
    with st.container(
        horizontal=True, gap="small", vertical_alignment="center", key="report_actions"
    ):
        st.download_button(
            "Save the report",
            lambda: report_of(runs),
            file_name=f"{file_name('cifar-10-report', *(run.id for run in runs))}.html",
            mime="text/html",
            on_click="ignore",
            icon=":material/download:",
            type="primary",
            key="report_save",
        )
        if st.button("Present", icon=":material/slideshow:", key="report_present"):
            set_address("present", 1)
            st.rerun()
        is_read = st.toggle("Read it here", key="report_read")
    if is_read:
        with guard():
            st.iframe(report_of(runs).decode("utf-8"), height=900, alt="The report")


def presentation(runs: Sequence[Run]) -> None:
    """Covers the window with the slides of the report; leaving them shows the page again."""
    report = report_of(runs).decode("utf-8")
    leave = ".st-key-end_presentation button"
    staged = report.replace("<body>", f'<body data-start="presenting" data-leave="{leave}">', 1)
    with st.container(key="report_stage"):
        st.iframe(staged, height=900, alt="Presentation")
        st.button("End the presentation", key="end_presentation", on_click=_end)


def _end() -> None:
    set_address("present", None)
