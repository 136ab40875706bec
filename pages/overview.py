"""Overview: what this is, what it has found, what is running, where to go."""

from __future__ import annotations

import streamlit as st

from cifar_core import services
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.page import empty_state, guard, page_header
from cifar_core.ui.overview.sections import class_strip, headline, running_now, ways
from cifar_core.ui.overview.tour import is_first, tour_offer

page_header("Overview", "What is this lab, and what has it found?")

with guard():
    introduction, steps = st.columns([3, 2], gap="large") if is_first() else (st.container(),) * 2
    with introduction:
        st.text(
            "Two small networks learn here to tell ten kinds of things apart in pictures of "
            "32 × 32 pixels, as a well-known tutorial has it. A newer one stands beside them as "
            "the reference. Everything is real: you can start a training, follow it, and ask of "
            "every figure where it comes from."
        )
        class_strip(caches.open_dataset())
    with steps:
        tour_offer()

st.header("Four layers, six layers, and the tutorial", anchor=False)
with guard():
    best = services.headline_runs()
    if best:
        headline(best)
    else:
        empty_state("No network has been trained here yet.", "Start a training", "pages/train.py")

st.header("Running now", anchor=False)
with guard():
    running_now()

st.header("Where to go", anchor=False)
with guard():
    ways()
