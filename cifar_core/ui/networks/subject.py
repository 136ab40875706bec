"""What the Networks page looks at: a trained network, a picture, and what it made of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import formats, services
from cifar_core.dataset.arrays import Dataset
from cifar_core.evaluation.words import with_article
from cifar_core.inference.layer_inspector import LayerInspector, LayerOutput
from cifar_core.inference.litert_ops import IMAGE, LiteRtOp
from cifar_core.networks.description import NetworkDescription
from cifar_core.runs.reading import Run
from cifar_core.runs.results import origin_of
from cifar_core.ui.kit import caches, session
from cifar_core.ui.kit.page import empty_state
from cifar_core.ui.kit.refused_uploads import refusal_in
from cifar_core.ui.kit.runs.labels import model_labels
from cifar_core.ui.kit.runs.results import stamp
from cifar_core.ui.kit.test_image import choose_test_image
from cifar_core.ui.kit.theme import RIGHT_SIGN, WRONG_SIGN
from cifar_core.ui.networks.channel_grids import picture_html

TEST, OWN = "A test picture", "Your picture"


@dataclass(frozen=True, eq=False)
class Subject:
    """A picture seen by a trained network.

    Attributes:
        run: The run that trained it.
        inspector: The network, opened up.
        pixels: (32, 32, 3) uint8, as the network gets it.
        title: What the picture is called.
        label: The class it shows, where the dataset says so.
        outputs: What every step read and made of it.
    """

    run: Run
    inspector: LayerInspector
    pixels: NDArray[np.uint8]
    title: str
    label: int | None
    outputs: list[LayerOutput]


def choose_run(description: NetworkDescription) -> Run | None:
    """Draws the choice of a trained network, where there is one, and returns it.

    Says what to do where this network has not been trained yet.
    """
    runs = [
        run
        for run in services.list_models()
        if run.recipe is not None and run.recipe.network == description.name
    ]
    if not runs:
        empty_state(
            f"There is no trained {description.title} yet. Once one has finished, it can be "
            "looked into here.",
            "Train a network",
            "pages/train.py",
        )
        return None
    ids = [run.id for run in runs]
    if len(runs) == 1:
        return runs[0]
    labels = model_labels(runs)
    key = f"inside_{description.name}"
    chosen = st.selectbox(
        "Trained network",
        ids,
        format_func=lambda run_id: labels[run_id],
        key=key,
        on_change=session.keep_in_address(key, ids, ids[0], name="run"),
        width=420,
    )
    return runs[ids.index(chosen)]


def choose_subject(run: Run) -> Subject | None:
    """Draws the choice of a picture and returns it as the network sees it; None without one.

    Raises:
        DataError: The picture is not in the shipped sample.
        PictureError: What was uploaded is no picture.
        ModelError: The network is missing or not the recorded one.
    """
    beside, controls = st.columns([1, 3], gap="medium")
    with controls:
        noted = session.keep_in_address("networks_from", [TEST, OWN], TEST, name="from")
        kind = st.segmented_control(
            "Picture", [TEST, OWN], required=True, key="networks_from", on_change=noted
        )
        found = _test_picture(caches.open_dataset()) if kind == TEST else _own_picture()
    if found is None:
        return None
    pixels, title, label = found
    inspector = open_inspector(run)
    subject = Subject(run, inspector, pixels, title, label, inspector.look(pixels))
    with beside:
        st.html(picture_html(pixels, 192, subject.title))
    with controls:
        st.text(answer_words(subject))
    return subject


@st.cache_resource(
    max_entries=4,
    show_spinner="Opening the network …",
    hash_funcs={Run: lambda run: (run.id, stamp(run.folder.litert_path))},
)
def open_inspector(run: Run) -> LayerInspector:
    """Returns the opened network of a run, shared by all sessions.

    Raises:
        ModelError: The network is missing or not the recorded one.
    """
    return services.open_inspector(run)


def answer_words(subject: Subject) -> str:
    """Returns in a sentence what the picture shows and what the network says."""
    answers = subject.outputs[-1].made
    guess = int(np.argmax(answers))
    says = f"the network says {with_article(guess)}, {formats.percent(float(answers[guess]))}"
    if subject.label is None:
        return f"{subject.title}: {says} (before calibration)."
    sign = RIGHT_SIGN if guess == subject.label else WRONG_SIGN
    return f"{sign} It shows {with_article(subject.label)}; {says} (before calibration)."


def step_title(steps: tuple[LiteRtOp, ...], index: int) -> str:
    """Returns a step as a choice: its number, what it does, with what, and what it gives."""
    step = steps[index]
    words = step.title
    if step.sources != (index - 1,):
        read = ("picture" if at == IMAGE else str(at + 1) for at in step.sources)
        words += f" of {' and '.join(read)}"
    if step.activation:
        words = f"{words} + {step.activation_title}"
    size = " × ".join(map(str, step.shape)) if len(step.shape) > 1 else f"{step.shape[0]:,}"
    return f"{index + 1}  {words}  {size}"


def inside_origin(run: Run) -> str:
    """Returns where what is shown comes from: run, epoch, device, data and file."""
    return (
        "Read from the file that answers on Classify (model.tflite, LiteRT): "
        f"{origin_of(run, epoch=run.status.epoch)}. Everything here works without a "
        "network connection."
    )


def _test_picture(dataset: Dataset) -> tuple[NDArray[np.uint8], str, int | None]:
    index = choose_test_image(dataset)
    pixels = dataset.test.picture(index)
    label = int(dataset.test.labels[dataset.test.position(index)])
    return np.asarray(pixels), f"Test picture {index}", label


def _own_picture() -> tuple[NDArray[np.uint8], str, int | None] | None:
    brought = st.file_uploader("Drop a picture here, or choose it", key="own_picture")
    st.caption("It stays in the memory of this server while you look at it; nothing is stored.")
    if brought is None:
        return None
    if refusal := refusal_in(brought):
        raise refusal
    picture = services.read_picture(brought.getvalue(), brought.name)
    return services.network_input(picture.pixels), picture.name, None
