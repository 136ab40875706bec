"""Very many runs: a search over all of them, and at a time as many as a browser draws at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import streamlit as st

from cifar_core.runs.reading import Run

MOST_SHOWN: Final = 100
"""Of a table's rows, and of a field's options."""


def matching(runs: Sequence[Run], words: str) -> list[Run]:
    """Returns the runs in whose name or identity every one of the words occurs."""
    wanted = words.casefold().split()
    if not wanted:
        return list(runs)
    texts = ((run, f"{run.name} {run.id}".casefold()) for run in runs)
    return [run for run, text in texts if all(word in text for word in wanted)]


def offered(found: Sequence[Run], keep: Collection[str], *, among: Sequence[Run]) -> list[Run]:
    """Returns the options of a field: the newest that were found, the included ones, and others.

    Args:
        found: What a search has left, the newest first.
        keep: Identities of runs that are offered however old they are.
        among: All runs, in the order of the options.
    """
    own = [run.id for run in found if not run.is_shipped][:MOST_SHOWN]
    wanted = {*own, *keep}
    return [run for run in among if run.is_shipped or run.id in wanted]


def search(runs: Sequence[Run], key: str) -> list[Run]:
    """Draws the field to search in, where there are very many runs; returns those that match."""
    if len(runs) <= MOST_SHOWN:
        return list(runs)
    words = st.text_input(
        f"Search in {len(runs):,} runs", key=f"{key}_search", placeholder="name", width=420
    )
    return matching(runs, words or "")


def one_page(runs: Sequence[Run], key: str) -> list[Run]:
    """Draws the search and the choice of a page, where needed; returns the runs on that page."""
    found = search(runs, key)
    pages = -(-len(found) // MOST_SHOWN)
    if not found:
        st.text("No run has all of these words in its name.")
    if pages <= 1:
        return found
    number = st.number_input(
        f"Page, of {pages:,} with {MOST_SHOWN} runs each",
        min_value=1,
        max_value=pages,
        key=f"{key}_page_of_{pages}",
        width=260,
    )
    return found[(int(number) - 1) * MOST_SHOWN :][:MOST_SHOWN]
