"""Filters and activations: what a trained network looks for, and what it finds in a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import formats
from cifar_core.dataset import CIFAR10
from cifar_core.glossary import explain
from cifar_core.inference.litert_ops import LiteRtOp
from cifar_core.networks.description import NetworkDescription, first_is_fixed
from cifar_core.recipes import Recipe
from cifar_core.runs.reading import Run
from cifar_core.ui.kit import session
from cifar_core.ui.kit.downloads import save_figure
from cifar_core.ui.kit.svg_figures import Row, Tile, figure_svg
from cifar_core.ui.kit.tables import file_name
from cifar_core.ui.kit.theme import is_dark
from cifar_core.ui.networks.channel_grids import (
    CELL,
    channel_grid,
    channel_tiles,
    filter_grid,
    filter_tiles,
    strengths,
)
from cifar_core.ui.networks.flow import (
    FLOW_CHANNELS,
    class_bars,
    class_tiles,
    flow_html,
    flow_rows,
    row_html,
    row_tile,
)
from cifar_core.ui.networks.subject import Subject, step_title

ALL = "all"
ACTIVE_FIRST, STRONGEST_FIRST, IN_ORDER = "Most active first", "Strongest first", "In order"
COMPARED, ITSELF = "Channels compared", "Each for itself"

WEAK_SHARE = 0.1
"""A filter whose largest weight is below this share of the largest of all counts as weak."""

DARK_SHARE = 0.02
"""A channel whose largest number is below this share of the step's largest counts as dark."""


def filter_section(run: Run, steps: Sequence[LiteRtOp], *, fixed: str = "") -> None:
    """Draws the filters of the convolution that reads colours; says so where there is none.

    Args:
        run: The trained network.
        steps: Its steps.
        fixed: How the filters came about, where they did not learn; see :func:`fixed_words`.
    """
    first = next((step for step in steps if step.kind == "Conv2D"), None)
    if first is None or first.kernel is None or first.kernel.shape[2] != 3:
        st.text("No convolution of this network reads the picture's three colours.")
        return
    height, width, _, count = first.kernel.shape
    # Where it reads the pixels themselves, its kernel holds their scaling by 1/255.
    weights = first.kernel * (255 if first is steps[0] else 1)
    sizes = np.abs(weights).max(axis=(0, 1, 2))
    st.text(
        f"The first convolution slides {count} filters of {height} × {width} pixels over the "
        "picture. Middle grey is a weight of zero: such a pixel does not matter. A bright "
        "colour is light of that colour that the filter adds, its opposite is light that it "
        "takes away. Bright on one side and dark on the other: that filter looks for an edge. "
        + (fixed or weak_filters(sizes)),
        help=explain("filter"),
    )
    order = _order(sizes, "filters")
    st.html(filter_grid(weights, order))
    st.caption(
        "Each filter is brightened for itself; beside its number stands its largest weight, for "
        "colours from 0 to 1."
    )
    _save(
        [Row(filter_tiles(weights, order))],
        title=f"Filters of the first convolution: run {run.id}, epoch {run.status.epoch}",
        name=file_name("filters", run.id),
    )


def _save(rows: Sequence[Row], *, title: str, name: str, columns: int = 8) -> None:
    """Draws the buttons that save images of numbers, as the page shows them."""
    dark = is_dark()
    save_figure(
        lambda: figure_svg(rows, title=title, side=CELL, columns=columns, dark=dark),
        name,
        key="inside",
    )


def fixed_words(description: NetworkDescription, recipe: Recipe | None) -> str:
    """Says how the filters of a first convolution that learns nothing came about; else empty."""
    if not first_is_fixed(description):
        return ""
    if recipe is None or recipe.initialisation == "keras":
        return "These were not learnt: they stayed as they were drawn at random."
    return (
        "These were not learnt: they are what patches of the pictures are made of, the rarer the "
        "stronger, each once with either sign."
    )


def weak_filters(sizes: NDArray[np.float32]) -> str:
    """Says how many filters hardly weigh anything.

    Args:
        sizes: The largest weight of each filter.
    """
    weak = int((sizes < WEAK_SHARE * sizes.max()).sum())
    if not weak:
        return ""
    some = f"{weak} of them have" if weak > 1 else "One of them has"
    return (
        f"{some} no weight above {WEAK_SHARE:.0%} of the strongest filter's largest: what "
        f"{'they show' if weak > 1 else 'it shows'} is mostly chance."
    )


def activation_section(subject: Subject) -> None:
    """Draws what the steps make of the picture: all of them in short, or one in full."""
    steps = subject.inspector.ops
    ids = [ALL, *(str(index + 1) for index in range(len(steps)))]
    key = f"layer_{subject.run.id}"
    chosen = st.selectbox(
        "Layer",
        ids,
        format_func=lambda name: (
            "All, from the picture to the answer" if name == ALL else _title(steps, name)
        ),
        key=key,
        on_change=session.keep_in_address(key, ids, ALL, name="layer"),
        width=420,
    )
    if chosen == ALL:
        st.text(
            f"From left to right, what the network makes of the picture: of every step the "
            f"{FLOW_CHANNELS} most active channels, each brightened for itself. White is a large "
            "number. The further to the right, the fewer places, and the more each stands for.",
            help=explain("activation"),
        )
        st.html(flow_html(subject))
        _save_step(subject, flow_rows(subject), "all", columns=FLOW_CHANNELS)
        return
    index = int(chosen) - 1
    made = subject.outputs[index].made
    st.text(seen_in_words(steps[index], made))
    if made.ndim == 3:
        rows = [Row(_channel_section(made))]
    elif len(made) == len(CIFAR10.class_names):
        is_share = steps[index].kind == "Softmax"
        st.html(class_bars(made, is_share=is_share))
        rows = [Row(class_tiles(made, is_share=is_share))]
    else:
        st.html(row_html(made, 480))
        rows = [Row([row_tile(made)])]
    _save_step(subject, rows, str(index + 1), columns=8)


def _save_step(subject: Subject, rows: Sequence[Row], step: str, *, columns: int) -> None:
    steps, run = subject.inspector.ops, subject.run
    what = "Every step" if step == ALL else f"Step {' '.join(_title(steps, step).split())}"
    _save(
        rows,
        title=f"{what} for “{subject.title}”: run {run.id}, epoch {run.status.epoch}",
        name=file_name("activations", run.id, step),
        columns=columns,
    )


def _title(steps: tuple[LiteRtOp, ...], name: str) -> str:
    return step_title(steps, int(name) - 1)


def _channel_section(made: NDArray[np.float32]) -> list[Tile]:
    """Draws the channels as they are asked for, and returns what it has drawn."""
    row = st.container(horizontal=True)
    with row:
        order = _order(strengths(made), "channels")
        scale = st.segmented_control(
            "Brightness",
            [COMPARED, ITSELF],
            default=COMPARED,
            required=True,
            key="brightness",
            bind="query-params",
            help="One scale for all channels of the step, or each from its own darkest to its "
            "own brightest number.",
        )
    st.html(channel_grid(made, order, each_for_itself=scale == ITSELF))
    st.caption("Below each picture: the channel's number and the mean size of its numbers.")
    return channel_tiles(made, order, each_for_itself=scale == ITSELF)


def _order(sizes: NDArray[np.float32], what: Literal["filters", "channels"]) -> list[int]:
    first = ACTIVE_FIRST if what == "channels" else STRONGEST_FIRST
    chosen = st.segmented_control(
        "Order",
        [first, IN_ORDER],
        default=first,
        required=True,
        key=f"order_{what}",
        bind="query-params",
    )
    if chosen == IN_ORDER:
        return list(range(len(sizes)))
    return [int(index) for index in np.argsort(-sizes, kind="stable")]


def seen_in_words(step: LiteRtOp, made: NDArray[np.float32]) -> str:
    """Returns in sentences what one sees of a step's output for one picture."""
    if made.ndim == 1:
        return _row_in_words(step, made)
    height, width, channels = made.shape
    peaks = np.abs(made).max(axis=(0, 1))
    dark = int((peaks < DARK_SHARE * peaks.max()).sum())
    strongest = int(np.argmax(strengths(made)))
    row, column = np.unravel_index(int(np.argmax(made[..., strongest])), (height, width))
    parts = [
        f"{channels} channels of {height} × {width} numbers. White is a large number, black is "
        + ("zero: the pattern is not there." if made.min() >= 0 else "the smallest one.")
    ]
    if dark:
        some = f"{dark} of them are" if dark > 1 else "One of them is"
        parts.append(
            f"{some} dark everywhere: what {'they look' if dark > 1 else 'it looks'} for does "
            "not occur in this picture."
        )
    parts.append(
        f"The most active is channel {strongest}, brightest in row {row}, column {column}."
    )
    return " ".join(parts)


def _row_in_words(step: LiteRtOp, made: NDArray[np.float32]) -> str:
    if step.kind == "Softmax":
        return "The scores as shares of one whole: the network's answer, before calibration."
    if len(made) == len(CIFAR10.class_names):
        return "One score per class. The softmax turns them into shares of one whole."
    silent = int((made == 0).sum())
    return (
        f"{len(made):,} numbers in one row, folded here into a square. White is a large number. "
        f"{silent:,} of them ({formats.percent(silent / len(made))}) are zero for this picture."
    )
