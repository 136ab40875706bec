"""A closer look at an answer: what mattered, whether it holds, and what it resembles.

Drawn only where a person asks for it, and apart from the rest of the page, so that the answer
itself stays instant.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import formats, services
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset
from cifar_core.glossary import explain
from cifar_core.inference.explain import Occlusion
from cifar_core.inference.neighbours import Catalogue
from cifar_core.inference.stability import Trial
from cifar_core.runs.reading import Run
from cifar_core.services import Model
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.images import enlarge, gallery, image_html
from cifar_core.ui.kit.theme import RIGHT_SIGN, WRONG_SIGN

CLOSER = "Look closer at the answer"
FACTOR = 6
NEIGHBOURS = 6
LEAST_DROP = 0.02
"""A fall of the probability below two points is not drawn: it would paint noise."""

MARK = (255, 140, 0)
"""What mattered glows orange on the greyed picture."""

MEANING = (
    "Each part of the picture is covered in turn, and the brighter a place, the further the "
    "probability falls while it is covered. This shows what the answer hangs on. It does not show "
    "whether the answer is right, nor what the network saw there; and of two equal parts each may "
    "seem to matter little, because the other one remains."
)


@st.fragment
def explanation_section(
    key: str, pixels: NDArray[np.uint8], models: Sequence[Run], labels: Mapping[str, str]
) -> None:
    """Offers a closer look at a picture's answers and draws it when it is asked for.

    Args:
        key: Tells the picture from all others of the session.
        pixels: (32, 32, 3) uint8, what the networks see.
        models: The runs whose answers are looked at.
        labels: What they are called, by identity.
    """
    if not st.toggle(CLOSER, key=f"closer_{key}", help=explain("saliency (occlusion)")):
        return
    for place, run in zip(st.columns(len(models)), models, strict=True):
        with place:
            if len(models) > 1:
                st.html(f'<p class="lab-name">{html.escape(labels[run.id])}</p>')
            _closer(caches.open_model(run), pixels)
    st.text(MEANING, width=640)


def _closer(model: Model, pixels: NDArray[np.uint8]) -> None:
    found = services.explain_answer(model, pixels)
    st.html(map_html(found, pixels))
    _changes(model, pixels)
    dataset = caches.open_dataset()
    _neighbours(model, caches.open_catalogue(model, dataset), dataset, pixels)


def map_html(found: Occlusion, pixels: NDArray[np.uint8]) -> str:
    """Returns the HTML of the map of what mattered, and of what it says in words."""
    words, side = map_sentence(found), FACTOR * pixels.shape[0]
    painted = enlarge(glow(found, pixels), FACTOR)
    shown = image_html(painted, f"What mattered. {words}", width=side, height=side)
    caption = f"<figcaption>{html.escape(words)}</figcaption>"
    return f'<figure class="lab-map">{shown}{caption}</figure>'


def glow(found: Occlusion, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the picture (32, 32, 3) uint8 in grey, orange where covering it lowers the answer."""
    grey = np.repeat(pixels.mean(axis=2, keepdims=True) * 0.6, 3, axis=2)
    strength = np.clip(found.drops / max(float(found.drops.max()), LEAST_DROP), 0, 1)
    if found.drops.max() < LEAST_DROP:
        strength = np.zeros_like(strength)
    share = 0.8 * strength[..., None]
    painted: NDArray[np.uint8] = np.rint(grey * (1 - share) + share * np.array(MARK)).astype(
        np.uint8
    )
    return painted


def map_sentence(found: Occlusion) -> str:
    """Says in words where the answer hangs on the picture, and by how much."""
    name = CIFAR10.class_names[found.label]
    most = float(found.drops.max())
    if most < LEAST_DROP:
        return f"What mattered for “{name}”: no single part. Covering any of them changes little."
    row, column = np.unravel_index(int(found.drops.argmax()), found.drops.shape)
    down = ("top", "middle", "bottom")[min(2, int(row) * 3 // 32)]
    across = ("left", "centre", "right")[min(2, int(column) * 3 // 32)]
    left = formats.percent(max(0.0, found.probability - most))
    return (
        f"What mattered for “{name}”: most of all the {down} {across}. Covered there, it falls "
        f"from {formats.percent(found.probability)} to about {left}."
    )


def _changes(model: Model, pixels: NDArray[np.uint8]) -> None:
    import pandas as pd

    trials = services.try_changes(model, pixels)
    held = sum(trial.holds for trial in trials)
    st.text(f"The answer holds under {held} of {len(trials)} small changes.")
    table = pd.DataFrame(
        {
            "The picture": [trial.change for trial in trials],
            "The answer": [_held(trial) for trial in trials],
        }
    )
    st.dataframe(table, hide_index=True, height="content", width="stretch")


def _held(trial: Trial) -> str:
    answer = f"{CIFAR10.class_names[trial.label]}, {formats.percent(trial.probability)}"
    return f"{RIGHT_SIGN} holds: {answer}" if trial.holds else f"{WRONG_SIGN} changes: {answer}"


def _neighbours(
    model: Model, catalogue: Catalogue, dataset: Dataset, pixels: NDArray[np.uint8]
) -> None:
    near = services.find_neighbours(model, catalogue, pixels, count=NEIGHBOURS)
    if catalogue.is_whole:
        st.text("Most alike, to this network, of all 50,000 training pictures:")
    else:
        st.text(
            f"Most alike, to this network, of the {len(catalogue.labels):,} training pictures in "
            "the shipped sample"
            + (":" if dataset.is_sample else "; all 50,000 are being prepared for later:")
        )
    gallery(
        np.stack([dataset.train.picture(one.index) for one in near]),
        [f"{one.similarity:.0%} alike" for one in near],
        factor=2,
        truths=[CIFAR10.class_names[one.label] for one in near],
    )
