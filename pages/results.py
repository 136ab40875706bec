"""Results: how good one network is, where it fails, and how far its answers can be trusted."""

from __future__ import annotations

import functools

import pandas as pd  # noqa: F401 - whole before the first chart, see ui.page.wait_until_whole
import streamlit as st

from cifar_core import services
from cifar_core.errors import LabError
from cifar_core.ui.kit.downloads import take_along
from cifar_core.ui.kit.page import empty_state, guard, origin_line, page_header, show_error
from cifar_core.ui.kit.runs import picker
from cifar_core.ui.kit.session import keep_in_address
from cifar_core.ui.results import panels, prediction_picker
from cifar_core.ui.results.confidence_panel import confidence_panel
from cifar_core.ui.results.confusion_panel import confusion_frame, confusion_panel
from cifar_core.ui.results.figures import result_figures

VIEWS = ["Confusions", "Classes", "Confidence", "Advice"]

page_header("Results", "How good is this network, where does it fail, and can it be trusted?")

with guard():
    run = picker.choose_run(services.list_runs())
    if run is None:
        empty_state("No network has been trained here yet.", "Start a training", "pages/train.py")
        st.stop()
    figures = None
    try:
        figures = services.read_evaluation(run)
    except LabError as error:
        show_error(error)
    origin = panels.headline(run, figures)

    with guard():
        row = st.container(horizontal=True, gap="medium", vertical_alignment="bottom")
        view = row.segmented_control(
            "Look at",
            VIEWS,
            key="view",
            on_change=keep_in_address("view", VIEWS, VIEWS[0]),
            required=True,
            wrap=True,
        )
        answers = prediction_picker.choose_answers(run, row)
        if answers is None:
            prediction_picker.film(run, functools.partial(confusion_frame, run))
            st.stop()
        if view == "Classes":
            panels.class_panel(run, answers)
        elif view == "Confidence":
            confidence_panel(run, answers, figures)
        elif view == "Advice":
            panels.advice_panel(run, answers)
        else:
            confusion_panel(run, answers)
        if answers.origin != origin:
            origin_line(answers.origin)
        take_along(functools.partial(result_figures, run, figures, answers), f"{run.id}-figures")
    picker.watch(run)
