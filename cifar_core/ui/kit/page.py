"""What every page is made of: its head, its empty and error states, origins."""

from __future__ import annotations

import html
import importlib
import logging
import runpy
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.pages_manager import PagesManager

from cifar_core import services
from cifar_core.errors import LabError
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.kit import visitors

_LOG = logging.getLogger(__name__)


def page_header(title: str, question: str) -> None:
    """Draws the page's title and the one sentence that says what the page answers.

    Args:
        title: Short, plain text.
        question: One sentence, plain text.
    """
    _enter_through_app()
    wait_until_whole("pandas")
    st.title(title, anchor=False)
    st.html(f'<p class="lab-question">{html.escape(question)}</p>')


def wait_until_whole(module: str) -> None:
    """Waits for a module that another visitor's page is importing at this moment.

    Plotly uses whatever pandas it finds, also half of one, and fails. A module that nobody has
    asked for yet is not imported.
    """
    if module in sys.modules:
        importlib.import_module(module)


def _enter_through_app() -> None:
    """Runs app.py first if Streamlit opened the page without it.

    A server whose very first visitor opens a page by its address has not met st.navigation
    yet; Streamlit then runs the file in pages/ alone, without theme and navigation.
    """
    if PagesManager.uses_pages_directory:
        runpy.run_path(str(PROJECT_DIR / "app.py"), run_name="__main__")
        st.stop()


@contextmanager
def guard() -> Iterator[None]:
    """Turns a failure inside into sentences on the page, and asks in the visitor's own name.

    A :class:`LabError` is shown as its three answers. Anything else is a defect: the log gets
    the traceback, the page a sentence with the reference under which to find it. Streamlit's own
    control flow (stop, rerun, switch of the page) is no failure and passes through.
    """
    try:
        with services.acting_for(visitors.current()):
            yield
    except LabError as error:
        show_error(error)
    except Exception:  # noqa: BLE001 - the last wall before a person; the log keeps it whole.
        reference = secrets.token_hex(3)
        _LOG.exception("Unexpected failure on a page, reference %s", reference)
        show_error(
            LabError(
                "Something went wrong here that the lab did not foresee.",
                remedy=f"Reload the page. If it happens again, look for {reference} in the "
                "server's log: the details are there.",
            )
        )


def show_error(error: LabError) -> None:
    """Draws a failure in one calm box: what happened, what was expected, what to do."""
    parts = [("lab-what", error.what), ("", error.expected), ("", error.remedy)]
    _box(parts, kind="lab-problem", role="alert")


def empty_state(sentence: str, next_step: str, page: str | None = None) -> None:
    """Says why there is nothing here yet and what to do next.

    Args:
        sentence: Why it is empty.
        next_step: What to do; the label of the link if there is one.
        page: File of the page that link opens, such as ``pages/train.py``.
    """
    if page is None:
        _box([("lab-what", sentence), ("", next_step)], kind="lab-empty", role="note")
        return
    _box([("lab-what", sentence)], kind="lab-empty", role="note")
    page_link(page, next_step)


def page_link(
    file: str, label: str, *, icon: str = ":material/arrow_forward:", **query: str
) -> None:
    """Draws the way to another page; its label alone where this page runs outside app.py.

    Args:
        file: Of the page, such as ``pages/train.py``.
        label: What the link says.
        icon: Stands before it.
        **query: What the address says beside the page.
    """
    try:
        st.page_link(file, label=label, icon=icon, query_params=query or None)
    except StreamlitAPIException:
        st.text(label)


def origin_line(text: str) -> None:
    """Draws the small line that says where the numbers above come from."""
    st.html(f'<p class="lab-origin">{html.escape(text)}</p>')


def _box(parts: list[tuple[str, str]], *, kind: str, role: str) -> None:
    paragraphs = "".join(
        f'<p class="{name}">{html.escape(text)}</p>' for name, text in parts if text
    )
    st.html(f'<div class="lab-box {kind}" role="{role}">{paragraphs}</div>')
