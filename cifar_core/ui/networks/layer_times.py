"""How long each layer takes: where the figures come from, and measuring them here."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from cifar_core import services
from cifar_core.inference.op_mapping import map_layers_to_ops
from cifar_core.inference.timing import Timing
from cifar_core.networks.description import NetworkDescription
from cifar_core.runs.reading import Run
from cifar_core.runs.timing import TimingStatus
from cifar_core.ui.kit.page import guard
from cifar_core.ui.kit.session import visitor_zone
from cifar_core.ui.networks.layer_table import milliseconds_words
from cifar_core.ui.networks.subject import open_inspector

LOOK_SECONDS = 1.0


def first_run(description: NetworkDescription) -> Run | None:
    """Returns the trained network whose times stand in the layer table: the first there is."""
    runs = services.list_models()
    return next(
        (run for run in runs if run.recipe and run.recipe.network == description.name), None
    )


def layer_milliseconds(
    description: NetworkDescription, run: Run, status: TimingStatus
) -> list[float | None] | None:
    """Returns the time of every layer; None where none was measured or the steps do not fit.

    Raises:
        ModelError: The network is missing or not the recorded one.
    """
    if status.timing is None:
        return None
    steps = open_inspector(run).ops
    mapped = map_layers_to_ops(description, steps)
    if mapped is None or len(status.timing.step_ms) != len(steps):
        return None
    ms = status.timing.step_ms
    return [sum(ms[at] for at in part) if part else None for part in mapped]


def time_section(run: Run, status: TimingStatus) -> None:
    """Draws where the times come from, and the button that measures them on this machine."""
    if status.timing is not None:
        st.caption(timing_words(status.timing, is_here=status.is_here))
    if status.problem:
        st.caption(status.problem)
    if status.is_measuring:
        st.caption("Measuring on this machine, a few seconds …")
        st.fragment(_watch, run_every=LOOK_SECONDS)(run.id)
    elif services.may_change():
        label = "Measure again" if status.is_here else "Measure the layers on this machine"
        if st.button(label, icon=":material/timer:", type="tertiary", key=f"measure_{run.id}"):
            services.start_timing(run)
            st.rerun()
    elif status.timing is None:
        st.caption("How long each layer takes has not been measured here.")


def timing_words(timing: Timing, *, is_here: bool) -> str:
    """Returns machine, date and method of a measurement, and its check against the whole."""
    parts = sum(timing.step_ms) + timing.other_ms
    day = datetime.fromtimestamp(timing.measured_at, visitor_zone()).astimezone(visitor_zone())
    return (
        f"Times: processor time on {timing.device} ({'this machine' if is_here else 'as shipped'}"
        f"), {day.day} {day:%b %Y}, LiteRT {timing.litert}, {timing.threads} thread. Each step was "
        f"cut out of the served network and run alone on a real picture, the median of "
        f"{timing.rounds} rounds. All steps together take {parts:.2f} ms, "
        f"{milliseconds_words(timing.other_ms)} of it between "
        "them, where numbers change their form; the whole network in one go takes "
        f"{timing.whole_ms:.2f} ms."
    )


def _watch(run_id: str) -> None:
    with guard():
        if not services.read_timing(services.read_run(run_id)).is_measuring:
            st.rerun()
