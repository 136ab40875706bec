"""Choosing several runs to compare: in a field, or from a table that sorts and filters."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from cifar_core import formats
from cifar_core.glossary import define
from cifar_core.runs.reading import Run
from cifar_core.ui.kit.runs.labels import (
    STATE_WORDS,
    machine_words,
    network_title,
    recipe_title,
    whole_seconds,
)
from cifar_core.ui.kit.runs.picker import default_runs, run_label, run_labels
from cifar_core.ui.kit.runs.search import MOST_SHOWN, offered
from cifar_core.ui.kit.session import Kept, choose, keep_in_address
from cifar_core.ui.kit.tables import share_column, time_column

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

FIELD: Final = "compare_runs"
"""Key of the field that holds the choice."""

TABLE_BASE = Kept[tuple[str, ...]]("compare_table_base", ())
"""What was chosen when the table was last drawn anew: it shows that until it is clicked."""

TABLE_CHOICE = Kept[tuple[str, ...]]("compare_table_choice", ())
"""What the table's clicks have made of it."""

MOST_PIXELS: Final = 400


def choose_runs(runs: Sequence[Run]) -> list[Run]:
    """Draws the choice of several runs and returns them, in the order they were chosen."""
    by_id = {run.id: run for run in runs}
    asked = st.query_params.get("runs", "").split(",")
    gone = [name for name in asked if name and name not in by_id]
    if gone and FIELD not in st.session_state:
        st.text(f"Not here (any more): {', '.join(name[:80] for name in gone[:5])}.")
    start = [run.id for run in default_runs(runs)]
    kept = {*start, *asked, *st.session_state.get(FIELD, ())}
    labels = run_labels(offered(runs, kept, among=runs))
    chosen = st.multiselect(
        "Runs",
        list(labels),
        format_func=lambda run_id: labels[run_id],
        key=FIELD,
        on_change=keep_in_address(FIELD, labels, start, name="runs"),
        placeholder="Choose two or more runs",
    )
    with st.expander(f"Choose from a table of all {len(runs):,} runs"):
        _table(runs, [run_id for run_id in chosen if run_id in by_id])
    return [by_id[run_id] for run_id in chosen if run_id in by_id]


def filtered(runs: Sequence[Run], words: str) -> list[Run]:
    """Returns the runs in whose label, recipe or device every one of the words occurs."""
    wanted = words.casefold().split()
    return [run for run in runs if all(word in _text(run) for word in wanted)]


def _text(run: Run) -> str:
    return " ".join(
        (run_label(run), run.id, recipe_title(run.recipe), run.status.device_name)
    ).casefold()


def _table(runs: Sequence[Run], chosen: list[str]) -> None:
    """Draws the filter and the table; a row ticked there is chosen, one unticked is not."""
    words = st.text_input(
        "Only runs with these words",
        key="compare_filter",
        placeholder="network, name, recipe, state or device",
        width=420,
    )
    found = filtered(runs, words or "")
    if not found:
        st.text("No run has all of these words.")
        return
    shown = offered(found, chosen, among=found)
    if len(shown) < len(found):
        st.caption(f"The newest {MOST_SHOWN} of {len(found):,} runs; the words search in all.")
    if tuple(chosen) != TABLE_CHOICE.get():  # the field was changed: the table follows
        TABLE_BASE.set(tuple(chosen))
        TABLE_CHOICE.set(tuple(chosen))
    ids = [run.id for run in shown]
    base = TABLE_BASE.get()
    # A selection is kept by its row, so other runs make another table.
    key = f"runs_{hashlib.sha256('|'.join([*ids, '', *base]).encode()).hexdigest()[:12]}"
    with st.container(key="compare_table"):
        st.dataframe(
            _rows(shown),
            hide_index=True,
            column_config={
                "Accuracy": share_column(
                    explanation="Of the watched pictures, after the last epoch."
                ),
                "Best": share_column(explanation="The same after its best epoch."),
                "Epochs": st.column_config.NumberColumn(help=define("epoch")),
                "Training": time_column("Training", explanation=define("training time")),
                "Made": _made_column(),
            },
            height=min(36 * (len(shown) + 1) + 2, MOST_PIXELS),
            row_height=36,
            key=key,
            on_select=lambda: take(key, ids, chosen),
            selection_mode="multi-row",
            selection_default={
                "selection": {"rows": [ids.index(name) for name in base if name in ids]}
            },
            placeholder=formats.UNKNOWN,
            alt="All runs; a click on a heading sorts them, ticked ones are compared.",
        )


def take(key: str, ids: list[str], chosen: list[str]) -> None:
    """Takes over the ticks of the table; what the filter hides stays chosen."""
    ticked = {ids[row] for row in st.session_state[key].selection.rows if row < len(ids)}
    kept = [name for name in chosen if name in ticked or name not in ids]
    now = kept + [name for name in ids if name in ticked and name not in kept]
    choose(FIELD, now, name="runs")
    TABLE_CHOICE.set(tuple(now))


def _made_column() -> Any:
    """Returns the form of a moment: in the visitor's time zone, or in UTC by name."""
    zone = st.context.timezone
    pattern = "D MMM YYYY, HH:mm" if zone else "D MMM YYYY, HH:mm [UTC]"
    return st.column_config.DatetimeColumn(format=pattern, timezone=zone)


def _rows(runs: Sequence[Run]) -> pa.Table:
    """Returns the table's columns and rows; numbers and times sort as what they are."""
    import pyarrow as pa

    rows = [_row(run) for run in runs]
    kinds = {
        "Accuracy": pa.float64(),
        "Best": pa.float64(),
        "Epochs": pa.int64(),
        "Training": pa.duration("s"),
        "Made": pa.timestamp("s", "UTC"),
    }
    return pa.table(
        {
            name: pa.array([row[name] for row in rows], kinds.get(name, pa.string()))
            for name in rows[0]
        }
    )


def _row(run: Run) -> dict[str, Any]:
    status = run.status
    return {
        "Run": run.name,
        "Network": network_title(run.recipe),
        "Recipe": recipe_title(run.recipe),
        "State": "Came with the lab" if run.is_shipped else STATE_WORDS[run.state],
        "Epochs": status.epoch,
        "Accuracy": status.accuracy,
        "Best": status.best_accuracy,
        "Training": whole_seconds(status.running_seconds),
        "Device": machine_words(run),
        "Made": int(run.label.created_at) or None,
    }
