"""The glossary on a page: every term with its sentence, in the order of the alphabet."""

from __future__ import annotations

import html
from collections.abc import Mapping

import streamlit as st

from cifar_core.glossary import GLOSSARY
from cifar_core.ui.kit.page import empty_state


def terms_with(words: str) -> Mapping[str, str]:
    """Returns the terms in whose name or sentence every one of the words occurs."""
    wanted = words.casefold().split()
    return {
        term: sentence
        for term, sentence in sorted(GLOSSARY.items(), key=lambda item: item[0].casefold())
        if all(word in f"{term} {sentence}".casefold() for word in wanted)
    }


def glossary_list() -> None:
    """Draws a field that filters, and the terms."""
    words = st.text_input(
        "Find", key="find", bind="query-params", placeholder="a term, or a word of its sentence",
        width=420,
    )  # fmt: skip
    found = terms_with(words or "")
    if not found:
        empty_state("No term has all of these words.", "Try fewer or other words.")
        return
    items = "".join(
        f"<div><dt>{html.escape(term)}</dt><dd>{html.escape(sentence)}</dd></div>"
        for term, sentence in found.items()
    )
    st.html(f'<dl class="lab-terms">{items}</dl>')
