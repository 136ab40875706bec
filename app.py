"""Registers the pages of CIFAR-10 Lab and the look they share; nothing else.

`streamlit run` imports this file once, to find the server and the gate before it, and then runs
it for every visitor.
"""

from __future__ import annotations

import streamlit as st

from cifar_core.ui.kit import theme
from cifar_core.ui.overview import tour
from cifar_core.ui.shell import descriptors, gate, malloc_arenas, own_address, sign_in


def show() -> None:
    """Shows a visitor the page that was asked for."""
    pages = {
        "Look": [
            st.Page("pages/overview.py", title="Overview", icon=":material/home:", default=True),
            st.Page("pages/dataset.py", title="Dataset", icon=":material/grid_view:"),
            st.Page("pages/networks.py", title="Networks", icon=":material/layers:"),
            # Opened from every picture, not from the navigation.
            st.Page(
                "pages/picture.py", title="Picture", icon=":material/image:", visibility="hidden"
            ),
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
            st.Page("pages/report.py", title="Report", icon=":material/description:"),
            st.Page("pages/glossary.py", title="Glossary", icon=":material/menu_book:"),
        ],
    }
    # The icon before the navigation, which would otherwise fetch the page's own from the network;
    # the title after it, because it names the page.
    st.set_page_config(page_icon=theme.favicon(), layout="wide")
    page = st.navigation(pages, expanded=True)
    st.set_page_config(page_title=f"{page.title} · CIFAR-10 Lab")
    theme.dress()
    sign_in.enter()
    tour.tour_line(page.title)
    page.run()


if __name__ == "__main__":
    show()
else:
    malloc_arenas.keep_few()
    descriptors.allow_many()
    own_address.print_address()
    app = st.App(__file__, middleware=gate.MIDDLEWARE)
