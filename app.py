"""Registers the pages of CIFAR-10 Lab and the look they share; nothing else."""

from __future__ import annotations

import streamlit as st

from cifar_core.ui import theme

PAGES = {
    "Look": [
        st.Page("pages/dataset.py", title="Dataset", icon=":material/grid_view:", default=True),
        st.Page("pages/networks.py", title="Networks", icon=":material/layers:"),
    ],
    "Train": [
        st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
    ],
    "Judge": [
        st.Page("pages/results.py", title="Results", icon=":material/fact_check:"),
        st.Page("pages/compare.py", title="Compare", icon=":material/compare_arrows:"),
    ],
    "Use": [
        st.Page("pages/classify.py", title="Classify", icon=":material/image_search:"),
    ],
}

# The icon before the navigation, which would otherwise fetch the page's own from the network;
# the title after it, because it names the page.
st.set_page_config(page_icon=theme.favicon(), layout="wide")
page = st.navigation(PAGES, expanded=True)
st.set_page_config(page_title=f"{page.title} · CIFAR-10 Lab")
theme.dress()
page.run()
