"""One run as it learns: where it stands, its curves, its machine, its log, its matrix."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import streamlit as st

from cifar_core import formats, services
from cifar_core.charts import theme as chart_theme
from cifar_core.dataset import CIFAR10
from cifar_core.errors import LabError
from cifar_core.evaluation.metrics import share
from cifar_core.recipes import MonitoredSplit
from cifar_core.runs.folder import MetricRow, State
from cifar_core.runs.forecast import monitored_images
from cifar_core.runs.reading import Run
from cifar_core.runs.results import data_digest
from cifar_core.ui.kit.page import empty_state, guard, origin_line, page_link, show_error
from cifar_core.ui.kit.runs import labels, results
from cifar_core.ui.kit.session import Kept, visitor_zone
from cifar_core.ui.kit.tables import plain
from cifar_core.ui.kit.theme import is_dark
from cifar_core.ui.train.live_chart import live_curves
from cifar_core.ui.train.live_points import Line, Value
from cifar_core.ui.train.run_actions import clone_button
from cifar_core.ui.train.run_details import run_details
from cifar_core.ui.train.run_form import found_devices

TICK_SECONDS = 2.0
"""The worker speaks once a second and adds ten rows in an epoch, which takes from several seconds
to a minute. Looking every second would cost the processor it trains on twice as much and show
hardly more."""

WATCHED = Kept[str | None]("train_watched", None)
"""The run the person watched while it was alive, to tell when it has ended."""

_PLACE = (
    '<div style="min-height:320px;display:grid;place-items:center;text-align:center;'
    "border-radius:6px;border:1px dashed color-mix(in srgb, currentColor 18%, transparent)"
    '"><span style="opacity:.72">{sentence}</span></div>'
)
"""Keeps the place of the curves until there are some."""

ENDINGS: Mapping[State, tuple[str, str]] = {
    State.FINISHED: ("has finished", ":material/check_circle:"),
    State.STOPPED: ("has stopped; everything is kept", ":material/stop_circle:"),
    State.FAILED: ("has failed", ":material/error:"),
    State.INTERRUPTED: ("was interrupted", ":material/error:"),
}


def run_panel(run_id: str) -> None:
    """Draws the run; while it is alive the panel refreshes itself every few seconds.

    Args:
        run_id: The run; own or shipped.
    """
    with guard():
        run = services.read_run(run_id)
        _tell_its_end(run)
        pause = TICK_SECONDS if run.state.is_alive else None
        st.fragment(_panel, run_every=pause)(run_id, run.state)


def _tell_its_end(run: Run) -> None:
    """Notes that a living run is watched, and tells once when it lives no more."""
    if run.state.is_alive:
        WATCHED.set(run.id)
    elif WATCHED.get() == run.id:
        WATCHED.set(None)
        words, icon = ENDINGS[run.state]
        st.toast(f"Run “{plain(run.name)}” {words}.", icon=icon, duration="long")


def _panel(run_id: str, drawn_as: State) -> None:
    """Draws everything once; reruns the page when the state has changed."""
    with guard():
        run = services.read_run(run_id)
        if run.state is not drawn_as:
            st.rerun()
        rows: Sequence[MetricRow] = ()
        _head(run)
        _explain(run)
        _figures(run)
        with guard():
            rows = results.metric_rows(run)
            _curves(run, rows)
        origin_line(_origin(run))
        run_details(run, rows)


def _head(run: Run) -> None:
    """Draws name, state and note, and the way to the results of a finished run."""
    ahead = services.position_in_line(run) if run.state is State.QUEUED else None
    state = html.escape(labels.state_words(run, ahead))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.html(
            f'<h2 class="lab-run">{html.escape(str(run.name))}</h2><p style="margin:0">{state}</p>',
            width="stretch",
        )
        if run.state is State.FINISHED:
            page_link("pages/results.py", "Open its results", run=run.id)
        if run.is_shipped and services.may_change():
            clone_button(run)
    if run.label.note:
        st.text(str(run.label.note))


def _explain(run: Run) -> None:
    """Says why the run is in its state and what to do next, where that needs saying."""
    if run.recipe is None:
        with guard():
            run.folder.read_recipe()  # says what is wrong with it
    if run.state in (State.FAILED, State.INTERRUPTED, State.STALLED):
        show_error(LabError(run.reason or "It gave no reason.", remedy=run.remedy))
    elif run.state is State.STOPPED and run.reason:
        empty_state(run.reason, run.remedy)
    if run.status.caution:
        st.caption(plain(run.status.caution))


def _figures(run: Run) -> None:
    """Draws the progress bar and the figures below it; times of waiting and training apart."""
    status = run.status
    if run.state is not State.FINISHED:
        step = f", step {status.step:,} of {status.steps_per_epoch:,}" if status.step else ""
        doing = f" · {status.phase}" if status.phase else ""
        words = f"{labels.epoch_words(run)} epochs done{step}{doing}"
        st.progress(labels.share_done(run), text=plain(words))
    accuracy = accuracy_words(run, status.accuracy)
    best = formats.percent(status.best_accuracy)
    speed = status.images_per_second
    figures = [
        (
            "Accuracy",
            accuracy,
            "Share of the watched pictures right after the last epoch, with its 95% interval.",
        ),
        (
            f"Best, epoch {status.best_epoch}" if status.best_epoch else "Best",
            best,
            "The best accuracy so far and its epoch.",
        ),
        ("Training", labels.time_words(status.device_seconds), labels.time_parts(run)),
        ("Waited", labels.time_words(labels.waiting_seconds(run)), "Time in line."),
    ]
    if run.state.is_alive:
        left = labels.time_words(status.eta_seconds)
        figures.append(
            (
                "Time left",
                left,
                "Expected, from the speed so far, export and test figures included.",
            )
        )
    rate = formats.count(round(speed)) if speed else formats.UNKNOWN
    figures.append(("Pictures per second", rate, "Training pictures, lately."))
    with st.container(horizontal=True, gap="medium", key="train_figures"):
        for label, value, explanation in figures:
            st.metric(label, value, help=explanation, width="content")


def accuracy_words(run: Run, accuracy: float | None) -> str:
    """Returns an accuracy on the watched pictures with its 95% interval, as far as known."""
    if accuracy is None or run.recipe is None:
        return formats.percent(accuracy)
    pictures = monitored_images(run.recipe)
    found = share(round(accuracy * pictures), pictures)
    return formats.percent(accuracy, (found.interval.low, found.interval.high))


def curve_lines(
    rows: Sequence[MetricRow], value: Value, *, watched: MonitoredSplit = "validation"
) -> dict[str, Line]:
    """Returns one measure as the live chart takes it, by series.

    Args:
        rows: The metrics so far.
        value: ``accuracy`` or ``loss``.
        watched: The split that is measured after each epoch.
    """
    ends = [row for row in rows if row.kind == "epoch"]
    monitored = f"monitored_{value}"
    return {
        "train": Line([row.epoch for row in rows], [getattr(row, value) for row in rows]),
        watched: Line([row.epoch for row in ends], [getattr(row, monitored) for row in ends]),
    }


def _curves(run: Run, rows: Sequence[MetricRow]) -> None:
    if not rows:
        sentence = "Nothing was measured."
        if run.state.is_alive:
            sentence = "The curves begin here a few seconds after the training does."
        st.html(_PLACE.format(sentence=sentence))
        return
    colour = chart_theme.network_colour(run.recipe.network if run.recipe else "", dark=is_dark())
    epochs = float(run.recipe.epochs) if run.recipe else None
    watched: MonitoredSplit = run.recipe.monitored_split if run.recipe else "validation"
    left, right = st.columns(2, gap="medium")
    values: tuple[Value, Value] = ("accuracy", "loss")
    for place, value in zip((left, right), values, strict=True):
        with place:
            live_curves(
                curve_lines(rows, value, watched=watched),
                key=f"panel_{value}_{run.id}",
                value=value,
                colour=colour,
                watched=watched,
                epochs=epochs,
            )
    if watched == "test":
        st.caption(
            "This recipe watches the test pictures, as the tutorial does. An epoch chosen "
            "by them looks better than it is."
        )


def _origin(run: Run) -> str:
    """Returns where the figures come from: network, recipe, split, device and its load, data."""
    status = run.status
    parts = [labels.network_title(run.recipe), labels.recipe_title(run.recipe)]
    if run.recipe:
        parts.append(f"batches of {run.recipe.batch_size:,}")
        parts.append(f"seed {run.recipe.seed}")
        parts.append(f"{monitored_images(run.recipe):,} {run.recipe.monitored_split} pictures")
    if run.label.created_at and not run.is_shipped:
        parts.append(f"started {formats.when(run.label.created_at, zone=visitor_zone())}")
    parts.append(labels.machine_words(run))
    if status.precision:
        parts.append(str(status.precision))
    parts += labels.compute_words(run)
    parts.append(f"data {data_digest(run) or CIFAR10.digest}")
    if run.state.is_alive:
        parts += [
            words
            for device in found_devices()
            if device.id == status.device
            for words in labels.load_words(device)
        ]
    return " · ".join(parts)
