"""Train: start a run, watch it learn, and look after the runs there are."""

from __future__ import annotations

import streamlit as st

from cifar_core import services
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.jobs.dataset_download import download_panel
from cifar_core.ui.kit.page import guard, page_header
from cifar_core.ui.train import run_actions, run_form, run_list, run_panel

page_header("Train", "How does a network learn to see, and how well does it do so far?")

# Each part has a place of its own: what refreshes itself is known by its place, and a click on
# it would be lost if a box above came or went meanwhile.
offer, form, runs_place, panel, dialog = (st.container() for _ in range(5))

with guard():
    runs = services.list_runs(with_shipped=False)
    chosen = run_list.chosen_run(runs)
    is_watched = "run" in st.query_params or any(run.state.is_alive for run in runs)
    may_change = services.may_change()
    with offer, guard():
        if may_change:
            run_actions.offer_resuming(runs)
    with form, guard():
        if not may_change:
            run_form.closed_form()
        else:
            download_panel()
            if not caches.open_dataset().is_sample:
                run_form.run_form(runs, is_open=not is_watched)
    with runs_place, guard():
        run_list.run_list(runs, chosen)
    with panel:
        if chosen is not None:
            run_panel.run_panel(chosen)
    with dialog, guard():
        run_actions.show_dialog(runs)
