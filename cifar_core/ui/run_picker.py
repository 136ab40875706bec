"""Choosing runs: one for Results, several for Compare; the address keeps the choice."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from cifar_core import formats, services
from cifar_core.networks import NETWORKS
from cifar_core.runs.folder import State
from cifar_core.runs.manager import Run
from cifar_core.ui.page import guard
from cifar_core.ui.run_words import STATE_WORDS, network_title
from cifar_core.ui.session import set_address

WATCH_SECONDS = 5.0
"""How often a page that shows a living run looks whether it has gone on."""


def run_label(run: Run) -> str:
    """Returns a run as a choice: name, network, where it stands, how good it is."""
    parts = [run.name, network_title(run.recipe)]
    parts.append("came with the lab" if run.is_shipped else STATE_WORDS[run.state])
    if run.status.accuracy is not None and run.recipe is not None:
        accuracy = formats.percent(run.status.accuracy)
        parts.append(f"{accuracy} {run.recipe.monitored_split}")
    return " · ".join(parts)


def short_names(runs: Sequence[Run]) -> dict[str, str]:
    """Returns a name for each run that fits a chart and is its own, by run id.

    A run without a name is called by its network, with the end of its id where several share
    the network.
    """
    wanted = {run.id: run.label.name or network_title(run.recipe) for run in runs}
    taken = list(wanted.values())
    return {
        run.id: wanted[run.id]
        if taken.count(wanted[run.id]) == 1
        else f"{wanted[run.id]} {run.id.rsplit('-', 1)[-1]}"
        for run in runs
    }


def has_begun(run: Run) -> bool:
    """Returns whether there is anything to see of a run beyond its name."""
    return run.state is State.FINISHED or run.status.epoch > 0 or run.state is State.RUNNING


def default_run(runs: Sequence[Run]) -> Run | None:
    """Returns the run a visitor most likely wants: the newest finished one, else any begun."""
    finished = [run for run in runs if run.state is State.FINISHED]
    begun = [run for run in runs if has_begun(run)]
    return next(iter([*finished, *begun, *runs]), None)


def default_runs(runs: Sequence[Run]) -> list[Run]:
    """Returns the newest finished run of each network, own runs before shipped ones.

    Where only one network has finished runs, the next newest is taken for a second.
    """
    finished = [run for run in runs if run.state is State.FINISHED and run.recipe is not None]
    newest = (
        next((run for run in finished if run.recipe and run.recipe.network == network), None)
        for network in NETWORKS
    )
    chosen = [run for run in newest if run is not None]
    others = [run for run in finished if run not in chosen]
    return chosen + others[: max(0, 2 - len(chosen))]


def choose_run(runs: Sequence[Run]) -> Run | None:
    """Draws the choice of one run and returns it; None when there are no runs.

    An address that names no run of the lab is answered with the default and a sentence.
    """
    by_id = {run.id: run for run in runs}
    fallback = default_run(runs)
    if fallback is None:
        return None
    asked = st.query_params.get("run", "")
    if asked and asked not in by_id and "results_run" not in st.session_state:
        st.text(f"There is no run “{asked[:80]}” here (any more): this is another one.")
    ids = list(by_id)
    chosen = st.selectbox(
        "Run",
        ids,
        index=ids.index(asked if asked in by_id else fallback.id),
        format_func=lambda run_id: run_label(by_id[run_id]),
        key="results_run",
        width=620,
    )
    run = by_id.get(chosen or "", fallback)
    set_address("run", run.id)
    return run


def choose_runs(runs: Sequence[Run]) -> list[Run]:
    """Draws the choice of several runs and returns them, in the order they were chosen."""
    by_id = {run.id: run for run in runs}
    asked = [name for name in st.query_params.get("runs", "").split(",") if name in by_id]
    start = list(dict.fromkeys(asked)) or [run.id for run in default_runs(runs)]
    chosen = st.multiselect(
        "Runs",
        list(by_id),
        default=start,
        format_func=lambda run_id: run_label(by_id[run_id]),
        key="compare_runs",
        placeholder="Choose two or more runs",
    )
    set_address("runs", ",".join(chosen) or None)
    return [by_id[run_id] for run_id in chosen if run_id in by_id]


def watch(run: Run) -> None:
    """Reruns the page when a living run has finished another epoch, or has ended."""
    if run.state.is_alive:
        st.fragment(_watch, run_every=WATCH_SECONDS)(run.id, run.state, run.status.epoch)


def _watch(run_id: str, state: State, epoch: int) -> None:
    with guard():
        run = services.read_run(run_id)
        if (run.state, run.status.epoch) != (state, epoch):
            st.rerun()
