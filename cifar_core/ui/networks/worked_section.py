"""The part of the Networks page that works one number out: which one, and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from cifar_core import services
from cifar_core.evaluation.words import listed
from cifar_core.inference.arithmetic import (
    WorkedConvolution,
    can_work,
    work_convolution,
    work_pooling,
    work_softmax,
)
from cifar_core.inference.litert_ops import LiteRtOp
from cifar_core.inference.windows import trace_back
from cifar_core.networks.layers import ACTIVATIONS
from cifar_core.ui.kit import session
from cifar_core.ui.kit.theme import is_dark
from cifar_core.ui.networks.channel_grids import own_greys, strengths
from cifar_core.ui.networks.subject import Subject, step_title
from cifar_core.ui.networks.worked_numbers import (
    convolution_html,
    gelu_html,
    place_figure,
    pooling_html,
    softmax_html,
    softmax_words,
    sum_html,
    verdict_html,
)

CONVOLUTION, POOLING, SOFTMAX = "Convolution", "Pooling", "Softmax"
_KINDS: Mapping[str, str] = {CONVOLUTION: "Conv2D", POOLING: "MaxPooling2D", SOFTMAX: "Softmax"}


@dataclass(frozen=True)
class Place:
    """Which number is worked out.

    Attributes:
        index: The step.
        row: Row of its output.
        column: Column of its output.
        channel: Its filter, or channel.
    """

    index: int
    row: int
    column: int
    channel: int


def worked_section(subject: Subject) -> None:
    """Draws the choice of what is worked out, and the working."""
    steps = subject.inspector.ops
    kinds = [name for name, kind in _KINDS.items() if _positions(steps, kind)]
    noted = session.keep_in_address("work", kinds, kinds[0])
    chosen = st.segmented_control("Work out", kinds, required=True, key="work", on_change=noted)
    if left_out := left_out_words(steps):
        st.caption(left_out)
    if chosen == SOFTMAX:
        _softmax(subject)
        return
    place = _choose_place(subject, _positions(steps, _KINDS[str(chosen)]))
    st.html(_places_html(subject, place))
    if chosen == POOLING:
        _pooling(subject, place)
    else:
        _convolution(subject, place)


def left_out_words(steps: tuple[LiteRtOp, ...]) -> str:
    """Says which kinds of step are not worked out here; empty where all are."""
    kinds = [step.title for step in steps if not can_work(step)]
    if not kinds:
        return ""
    return f"Not worked out here, but shown on Activations: {listed(list(dict.fromkeys(kinds)))}."


def _positions(steps: tuple[LiteRtOp, ...], kind: str) -> list[int]:
    return [i for i, step in enumerate(steps) if step.kind == kind and can_work(step)]


def strongest_place(subject: Subject, index: int, channel: int | None = None) -> Place:
    """Returns where a step answers most strongly: in a channel, or in its most active one."""
    made = subject.outputs[index].made
    at = int(np.argmax(strengths(made))) if channel is None else channel
    row, column = np.unravel_index(int(np.argmax(made[..., at])), made.shape[:2])
    return Place(index, int(row), int(column), at)


def _choose_place(subject: Subject, positions: list[int]) -> Place:
    """Draws the choice of step, filter and position; the address keeps it."""
    steps = subject.inspector.ops
    line = st.container(horizontal=True, vertical_alignment="bottom")
    ids = [str(index + 1) for index in positions]
    kind = steps[positions[0]].kind
    key = f"worked_{kind}_{subject.run.id}"
    chosen = line.selectbox(
        "Layer",
        ids,
        format_func=lambda name: step_title(steps, int(name) - 1),
        key=key,
        on_change=session.keep_in_address(key, ids, ids[0], name="layer"),
        width=340,
    )
    index = int(chosen) - 1
    start = strongest_place(subject, index)
    height, width, channels = steps[index].shape
    names = {
        "filter": ("Filter" if kind == "Conv2D" else "Channel", channels, start.channel),
        "row": ("Row", height, start.row),
        "column": ("Column", width, start.column),
    }
    keys = {name: f"{name}_{subject.run.id}_{index}" for name in names}
    values = {}
    for name, (label, size, fallback) in names.items():
        noted = session.keep_in_address(keys[name], range(size), fallback, name=name)
        values[name] = line.number_input(
            label, min_value=0, max_value=size - 1, key=keys[name], on_change=noted, width=130
        )
    values = {name: int(value) for name, value in values.items()}

    def jump() -> None:
        strongest = strongest_place(subject, index, values["filter"])
        st.session_state[keys["row"]] = strongest.row
        st.session_state[keys["column"]] = strongest.column
        st.query_params.update(row=str(strongest.row), column=str(strongest.column))

    line.button(
        "Brightest place",
        icon=":material/my_location:",
        on_click=jump,
        help="Goes to where this filter answers most strongly.",
    )
    return Place(index, values["row"], values["column"], values["filter"])


def _places_html(subject: Subject, place: Place) -> str:
    """Returns the HTML of the picture and of the step's output, the place framed in each."""
    steps, row, column = subject.inspector.ops, place.row, place.column
    top, left, bottom, right = trace_back(steps, place.index, row=row, column=column)
    whole = f"The picture. This number comes from {bottom - top} × {right - left} of its pixels."
    figures = [place_figure(subject.pixels, (top, left, bottom, right), whole)]
    step, output = steps[place.index], subject.outputs[place.index]
    if place.index and step.kind == "MaxPooling2D" and step.window:
        read = output.read[..., place.channel]
        edges = [place.row * step.stride[0], place.column * step.stride[1]]
        box = (edges[0], edges[1], edges[0] + step.window[0], edges[1] + step.window[1])
        words = f"What the pooling reads: channel {place.channel}."
        figures.append(place_figure(own_greys(read), box, words))
    made = output.made[..., place.channel]
    name = "filter" if step.kind == "Conv2D" else "channel"
    words = f"What {name} {place.channel} makes of it. The frame marks row {row}, column {column}."
    figures.append(place_figure(own_greys(made), (row, column, row + 1, column + 1), words))
    return f'<div class="lab-places">{"".join(figures)}</div>'


def _convolution(subject: Subject, place: Place) -> None:
    step, output = subject.inspector.ops[place.index], subject.outputs[place.index]
    worked = work_convolution(
        step, output, row=place.row, column=place.column, channel=place.channel
    )
    # The very first step reads pixels as they are: 0 to 255, in three colours.
    reads_picture = bool(np.array_equal(output.read, subject.pixels))
    height, width, depth = worked.kernel.shape
    what = "pixels in red, green and blue" if reads_picture else f"numbers in {depth} channels"
    st.header("1  Multiply", anchor=False)
    st.text(
        f"The filter lies on {height} × {width} {what}. Each number is multiplied by the weight "
        "that lies on it."
        + (
            ""
            if reads_picture
            else " The channels that add most, or take away most, are worked out in full."
        )
        + ("" if worked.window.inside.all() else " Dashed: outside the picture, counted as 0.")
    )
    st.html(convolution_html(worked, reads_picture=reads_picture, dark=is_dark()))
    st.header("2  Add up", anchor=False)
    st.text(
        "All products are added, and one more number that belongs to the filter, its bias."
        + (" ReLU then keeps what is positive." if step.activation == "relu" else "")
    )
    st.html(sum_html(worked, activation=step.activation, reads_picture=reads_picture))
    _gelu_behind(subject, place, worked.network)
    for words in served_words(worked, activation=step.activation, reads_picture=reads_picture):
        st.caption(words)


def _gelu_behind(subject: Subject, place: Place, value: float) -> None:
    """Draws what a GELU makes of the number, where the step behind the convolution is one."""
    steps = subject.inspector.ops
    readers = [at for at, step in enumerate(steps) if step.sources == (place.index,)]
    behind = next((at for at in readers if steps[at].name == "GELU"), None)
    if behind is None:
        return
    st.header("3  Bend", anchor=False)
    st.text(
        "The step behind it, GELU, multiplies each number by the share of a normal distribution "
        "that lies below it: large numbers stay, negative ones fade to 0."
    )
    made = subject.outputs[behind].made[place.row, place.column, place.channel]
    st.html(gelu_html(value, float(made)))


def served_words(worked: WorkedConvolution, *, activation: str, reads_picture: bool) -> list[str]:
    """Returns in sentences how the served network computes a convolution otherwise than shown."""
    sentences = []
    if reads_picture:
        apart = "; here it is shown apart."
        if activation:
            name = ACTIVATIONS[activation].title
            apart = f" and the {name} in the same step; here both are shown apart."
        sentences.append(
            f"The served network (LiteRT) keeps the division by 255 inside its weights{apart} "
            "The arithmetic is the same."
        )
    if worked.is_8_bit:
        rounding = float(np.abs(worked.window.values - worked.read).max())
        sentences.append(
            "The served network (LiteRT) keeps the weights of this layer in 8 bits and rounds "
            "what it reads to 256 levels; the numbers above are rounded in the same way. The "
            f"largest change here is {rounding:.4f}."
        )
    return sentences


def _pooling(subject: Subject, place: Place) -> None:
    step, output = subject.inspector.ops[place.index], subject.outputs[place.index]
    worked = work_pooling(step, output, row=place.row, column=place.column, channel=place.channel)
    height, width = worked.window.values.shape[:2]
    st.header("Keep the largest", anchor=False)
    st.text(
        f"Of each square of {height} × {width} numbers the largest is kept, the others are "
        "dropped. What was found stays; where exactly it was counts less."
    )
    st.html(pooling_html(worked, limit=float(output.read[..., place.channel].max())))


def _softmax(subject: Subject) -> None:
    """Draws the softmax, with the run's temperature where it has one and a person wants it."""
    output = subject.outputs[-1]
    figures = services.read_evaluation(subject.run)
    temperature = figures.temperature if figures else None
    wants = temperature is not None and st.toggle(
        f"With the temperature that was fitted: {temperature:.3f}",
        key="tempered",
        bind="query-params",
        help="Dividing the scores makes the network less sure of itself, or surer. The number was "
        "fitted on pictures held out of the training, so that its percentages mean what they say. "
        "The Classify page answers with it.",
    )
    worked = work_softmax(output.read, output.made, temperature=temperature if wants else None)
    st.text(
        "The last layer gives a score per class, any number. e (2.718…) to the power of a score "
        "is always positive, and much larger for a larger score. Each one's share of their sum is "
        "the network's answer."
    )
    st.html(softmax_html(worked))
    st.text(softmax_words(worked))
    if wants:
        st.caption(
            "The network itself computes without the temperature; the lab divides afterwards. The "
            "order of the classes stays the same."
        )
        return
    first = int(np.argmax(worked.shares))
    difference = float(np.abs(worked.shares - output.made).max())
    st.html(verdict_html(float(output.made[first]), difference))
