"""Compare: runs side by side, whether they truly differ, and the tutorial beside them."""

from __future__ import annotations

import streamlit as st

from cifar_core import services
from cifar_core.errors import RunError
from cifar_core.ui import compare_learning, compare_pair, compare_panels, run_picker
from cifar_core.ui.page import empty_state, guard, page_header, show_error

VIEWS = ["Learning", "Mistakes", "Pictures", "Settings", "Tutorial"]

page_header("Compare", "Which network is better, by how much, and at what price in time?")

with guard():
    runs = services.list_runs()
    chosen = run_picker.choose_runs(runs) if runs else []
    if len(chosen) < 2:
        if len(runs) < 2:
            empty_state(
                "A comparison needs two runs, and there are fewer here.",
                "Start a training",
                "pages/train.py",
            )
        else:
            empty_state("A comparison needs two runs.", "Choose them in the field above.")
        st.subheader("Meanwhile: what the tutorial published", anchor=False)
        compare_panels.tutorial_panel()
        st.stop()
    names = run_picker.short_names(chosen)
    view = st.segmented_control(
        "Look at", VIEWS, default=VIEWS[0], key="look", required=True, bind="query-params"
    )
    pair = None
    if view in ("Mistakes", "Pictures") or (len(chosen) == 2 and view == "Learning"):
        try:
            pair = compare_pair.choose_pair(chosen, names)
            compare_panels.verdict(pair)
        except RunError as error:
            show_error(error)
    with guard():
        if view == "Learning":
            compare_learning.learning_panel(chosen, names)
        elif view == "Settings":
            compare_panels.settings_panel(chosen, names)
        elif view == "Tutorial":
            compare_panels.tutorial_panel()
        elif pair is not None and view == "Mistakes":
            compare_panels.matrix_panel(pair)
        elif pair is not None:
            compare_panels.agreement_panel(pair)
