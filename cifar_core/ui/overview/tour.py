"""Five steps through the lab, for a first visit: a list on Overview, then a line on each page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import streamlit as st

from cifar_core.ui.kit.first_visit import is_first_visit
from cifar_core.ui.kit.page import page_link
from cifar_core.ui.kit.session import Kept

HOME: Final = "pages/overview.py"


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        page: Title of its page.
        file: The page's file.
        task: What to do there, a short sentence.
    """

    page: str
    file: str
    task: str


STEPS: Final = (
    Step("Dataset", "pages/dataset.py", "See the tiny pictures that everything is about."),
    Step("Networks", "pages/networks.py", "See what the networks are made of."),
    Step("Train", "pages/train.py", "Start a training, or see how the shipped networks learnt."),
    Step("Results", "pages/results.py", "Find out where a network fails, down to the picture."),
    Step("Classify", "pages/classify.py", "Show a network a picture of your own."),
)

UNDER_WAY = Kept[bool]("kept_tour_under_way", False)
"""Whether the session is on its way through the five steps."""

DISMISSED = Kept[bool]("kept_tour_dismissed", False)
"""Whether the session has had enough of the five steps."""


def is_first() -> bool:
    """Says whether the five steps are to be offered: on a first visit, until it has enough."""
    return is_first_visit() and not DISMISSED.get()


def tour_offer() -> None:
    """Offers the five steps on a first visit; later it leaves a small way back to them."""
    if not is_first():
        if st.button(
            "Five steps through the lab",
            key="tour_again",
            type="tertiary",
            icon=":material/arrow_forward:",
        ):
            _start()
        return
    with st.container(border=True, key="tour_offer"):
        st.header("First time here? Five steps, five minutes", anchor=False)
        steps = enumerate(STEPS, start=1)
        st.markdown("\n".join(f"{number}. **{step.page}**: {step.task}" for number, step in steps))
        with st.container(horizontal=True, gap="small"):
            if st.button("Start with step 1", type="primary", key="tour_start"):
                _start()
            st.button("No, thanks", key="tour_dismiss", on_click=_end)


def tour_line(page: str) -> None:
    """Draws where one is in the five steps, and the way on; nothing off the tour.

    Args:
        page: Title of the page that is shown.
    """
    place = next((place for place, step in enumerate(STEPS) if step.page == page), None)
    if place is None or not UNDER_WAY.get():
        return
    with st.container(horizontal=True, gap="medium", key="tour_line", vertical_alignment="center"):
        st.markdown(f"**Step {place + 1} of {len(STEPS)}.** {STEPS[place].task}", width="content")
        if place + 1 < len(STEPS):
            page_link(STEPS[place + 1].file, f"Next: {STEPS[place + 1].page}")
        else:
            page_link(HOME, "Back to the overview", icon=":material/flag:")
        st.button("Leave the tour", key="tour_leave", type="tertiary", on_click=_end)


def _start() -> None:
    UNDER_WAY.set(True)
    st.switch_page(STEPS[0].file)


def _end() -> None:
    UNDER_WAY.set(False)
    DISMISSED.set(True)
