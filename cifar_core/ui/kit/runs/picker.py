"""Choosing a run to judge, and what a run is called where it is chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from cifar_core import formats, services
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run
from cifar_core.ui.kit.page import guard
from cifar_core.ui.kit.runs.labels import STATE_WORDS, network_title
from cifar_core.ui.kit.runs.search import offered, search
from cifar_core.ui.kit.session import keep_in_address

WATCH_SECONDS = 5.0
"""How often a page that shows a living run looks whether it has gone on."""


def run_label(run: Run) -> str:
    """Returns a run as a choice: name, network, and of one that has ended how and how good.

    What a living run has reached changes with each epoch and stands elsewhere.
    """
    network = network_title(run.recipe)
    parts = [run.name] if network in run.name else [run.name, network]
    if run.is_reference:
        parts.append("the reference")
    if run.state.is_alive:
        return " · ".join(parts)
    if not run.is_shipped:
        parts.append(STATE_WORDS[run.state])
    if run.status.accuracy is not None and run.recipe is not None:
        accuracy = formats.percent(run.status.accuracy)
        parts.append(f"{accuracy} {run.recipe.monitored_split}")
    return " · ".join(parts)


def run_labels(runs: Sequence[Run]) -> dict[str, str]:
    """Returns each run as a choice, by its id; runs that would look alike carry theirs."""
    return _apart({run.id: run_label(run) for run in runs}, "({})".format)


def _apart(names: Mapping[str, str], signs: Callable[[str], str]) -> dict[str, str]:
    """Returns the names, by run id, with a sign behind those that several runs have."""
    counts = Counter(names.values())
    return {
        run_id: name if counts[name] == 1 else f"{name} {signs(run_id)}"
        for run_id, name in names.items()
    }


def short_names(runs: Sequence[Run]) -> dict[str, str]:
    """Returns a name for each run that fits a chart and is its own, by run id.

    A run without a name is called by its network, with the end of its id where several share
    the network; one that came with the lab is called so.
    """
    wanted = {run.id: _wanted_name(run) for run in runs}
    names = _apart(wanted, lambda run_id: run_id.rsplit("-", 1)[-1])
    if len(set(names.values())) < len(names):
        names = _apart(wanted, "({})".format)
    return names


def _wanted_name(run: Run) -> str:
    network = network_title(run.recipe)
    if run.is_shipped and run.folder.litert_path.is_file():
        return f"Shipped {network}"
    return run.label.name or network


def has_begun(run: Run) -> bool:
    """Returns whether there is anything to see of a run beyond its name."""
    return run.state is State.FINISHED or run.status.epoch > 0 or run.state is State.RUNNING


def default_run(runs: Sequence[Run]) -> Run | None:
    """Returns the run a visitor most likely wants: the newest finished one, else any begun."""
    finished = [run for run in runs if run.state is State.FINISHED]
    begun = [run for run in runs if has_begun(run)]
    return next(iter([*finished, *begun, *runs]), None)


def default_runs(runs: Sequence[Run]) -> list[Run]:
    """Returns the best finished run of each network: a first try stands aside for a full run.

    The best by the validation split, as on Overview. Where only one network has finished runs,
    its next best is taken for a second.
    """
    finished = [run for run in runs if run.state is State.FINISHED and run.recipe is not None]
    chosen = services.best_runs(finished)
    others = [run for run in finished if run not in chosen]
    others.sort(key=services.validation_accuracy, reverse=True)
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
    kept = (asked, fallback.id, st.session_state.get("results_run", ""))
    labels = run_labels(offered(search(runs, "results"), kept, among=runs))
    chosen = st.selectbox(
        "Run",
        list(labels),
        format_func=lambda run_id: labels[run_id],
        key="results_run",
        on_change=keep_in_address("results_run", labels, fallback.id, name="run"),
        width=620,
    )
    return by_id.get(chosen or "", fallback)


def watch(*runs: Run) -> None:
    """Reruns the page when one of the living runs has finished another epoch, or has ended."""
    seen = {run.id: (run.state, run.status.epoch) for run in runs if run.state.is_alive}
    if seen:
        st.fragment(_watch, run_every=WATCH_SECONDS)(seen)


def _watch(seen: dict[str, tuple[State, int]]) -> None:
    with guard():
        now = {run_id: services.read_run(run_id) for run_id in seen}
        if any((run.state, run.status.epoch) != seen[run_id] for run_id, run in now.items()):
            st.rerun()
