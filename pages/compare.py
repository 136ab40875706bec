"""Compare: runs side by side, whether they truly differ, and the tutorial beside them."""

from __future__ import annotations

import functools

import pandas as pd  # noqa: F401 - whole before the first chart, see ui.page.wait_until_whole
import streamlit as st

from cifar_core import services
from cifar_core.errors import LabError
from cifar_core.ui.compare import run_pair, runs_picker, training, tutorial
from cifar_core.ui.compare.agreement import agreement_panel
from cifar_core.ui.compare.figures import comparison_figures
from cifar_core.ui.compare.matrices import matrix_panel
from cifar_core.ui.compare.settings import settings_panel
from cifar_core.ui.kit.downloads import take_along
from cifar_core.ui.kit.page import empty_state, guard, page_header, show_error
from cifar_core.ui.kit.runs import picker
from cifar_core.ui.kit.session import keep_in_address

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
        tutorial.claim_panel()
        st.stop()
    names = picker.short_names(chosen)
    view = st.segmented_control(
        "Look at",
        VIEWS,
        key="look",
        on_change=keep_in_address("look", VIEWS, VIEWS[0]),
        required=True,
    )
    pair = None
    paired = run_pair.settled(chosen) if view == "Learning" else chosen
    if view in ("Learning", "Mistakes", "Pictures") and len(paired) > 1:
        try:
            pair = run_pair.choose_pair(paired, names)
            run_pair.verdict(pair)
        except LabError as error:
            show_error(error)
    with guard():
        if view == "Learning":
            training.learning_panel(chosen, names)
        elif view == "Settings":
            settings_panel(chosen, names)
        elif view == "Tutorial":
            tutorial.tutorial_panel(chosen, names)
        elif pair is not None and view == "Mistakes":
            matrix_panel(pair)
        elif pair is not None:
            agreement_panel(pair)
    take_along(functools.partial(comparison_figures, chosen, names), "comparison")
    picker.watch(*chosen)
