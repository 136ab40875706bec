"""Compare: runs side by side, whether they truly differ, and the tutorial beside them."""

from __future__ import annotations

import functools

import pandas as pd  # noqa: F401 - whole before the first chart, see ui.page.wait_until_whole
import streamlit as st

from cifar_core import services
from cifar_core.errors import LabError
from cifar_core.ui import compare_learning, compare_pair, compare_tutorial, run_picker, runs_picker
from cifar_core.ui.compare_agreement import agreement_panel
from cifar_core.ui.compare_figures import comparison_figures
from cifar_core.ui.compare_matrices import matrix_panel
from cifar_core.ui.compare_settings import settings_panel
from cifar_core.ui.page import empty_state, guard, page_header, show_error
from cifar_core.ui.saving import take_along
from cifar_core.ui.session import keep_in_address

VIEWS = ["Learning", "Mistakes", "Pictures", "Settings", "Tutorial"]

page_header("Compare", "Which network is better, by how much, and at what price in time?")

with guard():
    runs = services.list_runs()
    chosen = runs_picker.choose_runs(runs) if runs else []
    if len(chosen) < 2:
        if len(runs) < 2:
            empty_state(
                "A comparison needs two runs, and there are fewer here.",
                "Start a training",
                "pages/train.py",
            )
        else:
            empty_state("A comparison needs two runs.", "Choose them in the field above.")
        st.header("Meanwhile: what the tutorial published", anchor=False)
        compare_tutorial.claim_panel()
        st.stop()
    names = run_picker.short_names(chosen)
    view = st.segmented_control(
        "Look at",
        VIEWS,
        key="look",
        on_change=keep_in_address("look", VIEWS, VIEWS[0]),
        required=True,
    )
    pair = None
    paired = compare_pair.settled(chosen) if view == "Learning" else chosen
    if view in ("Learning", "Mistakes", "Pictures") and len(paired) > 1:
        try:
            pair = compare_pair.choose_pair(paired, names)
            compare_pair.verdict(pair)
        except LabError as error:
            show_error(error)
    with guard():
        if view == "Learning":
            compare_learning.learning_panel(chosen, names)
        elif view == "Settings":
            settings_panel(chosen, names)
        elif view == "Tutorial":
            compare_tutorial.tutorial_panel(chosen, names)
        elif pair is not None and view == "Mistakes":
            matrix_panel(pair)
        elif pair is not None:
            agreement_panel(pair)
    take_along(functools.partial(comparison_figures, chosen, names), "comparison")
    run_picker.watch(*chosen)
