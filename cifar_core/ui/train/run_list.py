"""The list of the lab's own runs, and what can be done with those that are selected."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cifar_core import services, summaries
from cifar_core.errors import LabError
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run
from cifar_core.ui.kit.page import empty_state, guard, page_link
from cifar_core.ui.kit.runs import labels, results
from cifar_core.ui.kit.runs.search import one_page
from cifar_core.ui.kit.session import STARTED_RUN, Kept, set_address
from cifar_core.ui.kit.tables import plain, share_column, time_column
from cifar_core.ui.train import run_actions
from cifar_core.ui.train.run_curves import curves_together

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

TICK_SECONDS = 4.0
"""The panel below follows the run that is watched; here the others' epochs change, more slowly."""

SLOW_TICK_SECONDS = 10.0
MANY_RUNS = 100
"""With more runs than this the list is refreshed less often: each look goes to every folder."""

COLUMNS = (
    *("Run", "State", "Network", "Recipe", "Epoch", "Epochs", "Accuracy"),
    *("Training", "Time left", "Waited", "Device"),
)
MOST_PIXELS = 292
"""Seven rows; further ones scroll, so that the run below stays in sight."""

LOOKED_AT_FIRST = (State.RUNNING, State.STALLED, State.QUEUED)
"""Which run a page that was asked for none opens on; any of these before one that has ended."""

INCLUDED = Kept[str | None]("train_included", None)
"""The included run that the page shows, if it shows one."""

SELECTED_FOR = Kept[str | None]("train_selected_for", None)
"""The run of the page when the table was drawn last: with another one its row is selected anew."""


def chosen_run(runs: Sequence[Run]) -> str | None:
    """Returns the run the page shows: the address's, else the one that is furthest on its way.

    Among runs that stand alike it is the one this session started last, else the newest.

    Args:
        runs: All runs of the lab, the newest first. The address may also name a shipped one.
    """
    given = st.query_params.get("run")
    if given:
        return given[:100]  # longer than any run is called
    started = STARTED_RUN.get()
    first = min(runs, key=lambda run: (_urgency(run), run.id != started), default=None)
    return first.id if first is not None else None


def _urgency(run: Run) -> int:
    """Returns the place of a run's state in LOOKED_AT_FIRST; behind all for one that has ended."""
    state = run.state
    return LOOKED_AT_FIRST.index(state) if state in LOOKED_AT_FIRST else len(LOOKED_AT_FIRST)


def run_list(runs: Sequence[Run], chosen: str | None) -> None:
    """Draws the list; it refreshes itself while a run of it is alive.

    Args:
        runs: All runs of the lab, the newest first.
        chosen: The run the page shows.
    """
    st.header("Runs", anchor=False)
    if services.may_change():
        for sentence in summaries.unlisted(services.find_unlisted()):
            st.caption(plain(sentence))
    if not runs:
        empty_state(
            "There are no runs yet.",
            "The first one appears here and goes on alone, whatever becomes of this page.",
        )
        if chosen is None:
            _link_shipped()
        _choose_included(chosen)
        return
    with st.container():
        run_actions.show_report()
    alive = any(run.state.is_alive for run in runs)
    pause = TICK_SECONDS if len(runs) <= MANY_RUNS else SLOW_TICK_SECONDS
    fragment = st.fragment(_table, run_every=pause if alive else None)
    fragment(_signature(runs), chosen, [runs])
    _choose_included(chosen)


def _link_shipped() -> None:
    """Draws the way to a run that came with the lab: there is something to see from the first."""
    shipped = next((run for run in services.list_models() if run.is_shipped), None)
    if shipped is None or shipped.recipe is None:
        return
    label = f"See how the shipped {labels.network_title(shipped.recipe)} learnt"
    page_link("pages/train.py", label, run=shipped.id)


def _choose_included(chosen: str | None) -> None:
    """Draws the choice of an included run, whose curves the page then shows."""
    included = {run.id: run for run in services.list_shipped()}
    if not included:
        return
    INCLUDED.set(chosen if chosen in included else None)
    st.selectbox(
        "Included models",
        list(included),
        format_func=lambda run_id: str(included[run_id].name),
        placeholder="Show how one was trained",
        key=INCLUDED.key,
        on_change=lambda: set_address("run", INCLUDED.get()),
        width=480,
    )


def _signature(runs: Sequence[Run]) -> str:
    """Returns what the rest of the page depends on: which runs there are, and their states."""
    return str(hash(tuple((run.id, run.state, run.label.name) for run in runs)))


def _table(signature: str, chosen: str | None, fresh: list[Sequence[Run]]) -> None:
    """Draws the table and the actions; reruns the page when a run came, went or changed.

    Args:
        signature: Of the runs that the page has drawn.
        chosen: The run the page shows.
        fresh: The runs as the page has just read them; taken out by the first drawing.
    """
    with guard():
        runs = fresh.pop() if fresh else results.list_runs()
        if _signature(runs) != signature:
            st.rerun()
        runs = one_page(runs, "train")
        ids = [run.id for run in runs]
        # A selection is kept by its row, so other runs make another table; so does an included
        # run, or what was selected before it would be taken for a new choice.
        marks = "|".join([*ids, chosen if chosen and chosen not in ids else ""])
        key = f"train_runs_{hashlib.sha256(marks.encode()).hexdigest()[:12]}"
        shown = [ids.index(chosen)] if chosen in ids else []
        if SELECTED_FOR.get() != chosen and key in st.session_state:
            st.session_state[key] = {"selection": {"rows": shown}}
        SELECTED_FOR.set(chosen)
        with st.container(key="train_list"):
            state = st.dataframe(
                _rows(runs),
                hide_index=True,
                column_config=_columns(),
                height=min(36 * (len(runs) + 1) + 2, MOST_PIXELS),
                row_height=36,
                key=key,
                on_select=lambda: take_rows(key, ids),
                selection_mode=["multi-row", "single-cell"],
                selection_default={"selection": {"rows": shown}},
                placeholder="–",
                alt="Runs, the newest first. A click on a row opens it, ticked ones share a chart.",
            )
        selected = [runs[row] for row in state.selection.rows if row < len(runs)]
        if st.query_params.get("run", chosen) != chosen:
            st.rerun()  # a click has chosen another
        if services.may_change():
            run_actions.actions(selected)
        if len(selected) > 1:
            curves_together(selected)


def take_rows(key: str, ids: Sequence[str]) -> None:
    """Opens the run of the one row that is selected, or of which a cell was clicked.

    Args:
        key: Of the table; to be called in its callback.
        ids: The run of each row.
    """
    selection = st.session_state[key].selection
    rows = [cell[0] for cell in selection.cells] or list(selection.rows)
    if selection.cells:
        st.session_state[key] = {"selection": {"rows": rows}}
    if len(rows) == 1 and rows[0] < len(ids):
        set_address("run", ids[rows[0]])


def _rows(runs: Sequence[Run]) -> pa.Table:
    """Returns the table's columns and rows."""
    import pyarrow as pa

    kinds = {
        **dict.fromkeys(("Epoch", "Epochs"), pa.int64()),
        **dict.fromkeys(("Training", "Waited", "Time left"), pa.duration("s")),
        "Accuracy": pa.float64(),
    }
    rows = [labels.run_row(run, _ahead(run)) for run in runs]
    return pa.table(
        {
            name: pa.array([row.get(name) for row in rows], kinds.get(name, pa.string()))
            for name in _shown_columns(runs)
        }
    )


def _ahead(run: Run) -> int | None:
    """Returns how many runs a waiting run has before it; None for others."""
    if run.state is not State.QUEUED:
        return None
    try:
        return services.position_in_line(run)
    except (LabError, OSError):
        return None  # it has just left the line


def _shown_columns(runs: Sequence[Run]) -> list[str]:
    """Returns the columns that tell something: the device only where there are several."""
    several = len({run.status.device for run in runs}) > 1
    alive = any(run.state.is_alive for run in runs)
    hidden = {"Device": not several, "Time left": not alive}
    return [name for name in COLUMNS if not hidden.get(name)]


def _columns() -> dict[str, ColumnConfig | str | None]:
    return {
        "Accuracy": share_column(
            "Accuracy",
            explanation="Share of the watched pictures answered rightly after the last epoch.",
        ),
        "Epoch": st.column_config.NumberColumn("Epoch", help="Epochs that are done."),
        "Epochs": st.column_config.NumberColumn("Of", help="Epochs in all."),
        "Training": time_column("Training"),
        "Time left": time_column("Time left"),
        "Waited": time_column(
            "Waited", explanation="Time in line for the device, apart from the training."
        ),
    }
