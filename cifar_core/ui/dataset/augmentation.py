"""What a recipe does to a training picture: the same picture, epoch after epoch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset
from cifar_core.dataset.preview import Shown, preview
from cifar_core.glossary import explain
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe, recipe
from cifar_core.runs.reading import Run
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.images import gallery, picture_address
from cifar_core.ui.kit.page import empty_state, origin_line
from cifar_core.ui.kit.runs import results

EPOCHS = 13
FIRST_PICTURE = 11


def recipe_choices(network: str) -> Mapping[str, Recipe]:
    """Returns the recipes of a network: the named ones as it has them, then those of its runs."""
    named = {item.title: recipe(name, network) for name, item in NAMED_RECIPES.items()}
    return named | {
        _run_title(run): run.recipe
        for run in results.list_runs()
        if run.recipe is not None and run.recipe.network == network
    }


def _run_title(run: Run) -> str:
    return f"{' '.join(run.name.split())} ({run.id})"


def _first_network() -> str:
    """Returns the network of the run that the address names as its recipe, else the first."""
    asked = st.query_params.get("recipe", "")
    networks = (
        run.recipe.network for run in results.list_runs() if _run_title(run) == asked and run.recipe
    )
    return next(networks, next(iter(NETWORKS)))


def _choose_recipe() -> Recipe:
    """Draws the choice of network and recipe; both stay in the address."""
    titles = {item.title: name for name, item in NETWORKS.items()}
    title = st.segmented_control(
        "Network",
        list(titles),
        default=NETWORKS[_first_network()].title,
        required=True,
        key="network",
        bind="query-params",
    )
    choices = recipe_choices(titles[title or next(iter(titles))])
    name = st.selectbox("Recipe", list(choices), key="recipe", bind="query-params", width=320)
    return choices[name or next(iter(choices))]


def augmentation_section(dataset: Dataset) -> None:
    """One picture through the pipeline of a recipe, with its controls."""
    st.text(
        "To learn more from the same pictures, a recipe may show each one a little shifted and "
        "now and then mirrored, differently in every epoch. This is the pipeline that a training "
        "runs, with the same random numbers: what you see is what the network sees. A recipe may "
        "have settings of its own for a network.",
        help=explain("augmentation"),
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = _choose_recipe()
        place = st.number_input(
            "Picture",
            min_value=0,
            max_value=len(dataset.train.labels) - 1,
            value=FIRST_PICTURE,
            key="example",
            bind="query-params",
            width=150,
            help="Which of the training pictures here, counted from 0.",
        )
        st.button(
            "Another picture",
            icon=":material/casino:",
            on_click=lambda: st.session_state.update(
                example=(place + 997) % len(dataset.train.labels)
            ),
        )
    index = int(dataset.train.indices[place])
    pixels = np.asarray(dataset.train.images[place])
    shown = preview(chosen, caches.all_labels()[0], index, pixels, EPOCHS)
    st.text(rule(chosen))
    if not shown:
        empty_state(
            "This recipe does not learn from this picture: it holds it out to watch the training.",
            "Choose another picture. A held-out picture is never changed.",
        )
    gallery(
        np.stack([pixels, *(item.pixels for item in shown)]),
        ["unchanged", *(f"epoch {n}: {change(item)}" for n, item in enumerate(shown, start=1))],
        links=[picture_address("train", index)] * (len(shown) + 1),
        factor=4,
    )
    origin_line(
        f"Training picture {index}, {CIFAR10.class_names[int(dataset.train.labels[place])]}; "
        f"recipe “{chosen.name}” for {NETWORKS[chosen.network].title}, seed {chosen.seed}; "
        f"{dataset.source}"
    )


def rule(chosen: Recipe) -> str:
    """Says in a sentence what a recipe does to the pictures."""
    if not chosen.crop_padding and chosen.flips == "none":
        return "This recipe shows every picture unchanged in every epoch."
    parts = []
    if chosen.crop_padding:
        parts.append(
            f"moves each picture by up to {chosen.crop_padding} pixels to each side (what is "
            "missing at the border is filled with its mirror image)"
        )
    if chosen.flips == "alternating":
        parts.append("mirrors it in every second epoch")
    elif chosen.flips != "none":
        parts.append("mirrors it half of the time, at random")
    return f"This recipe {' and '.join(parts)}."


def change(item: Shown) -> str:
    """Says what happened to a picture in an epoch, in a few words."""
    parts = []
    if item.down:
        parts.append(f"{abs(item.down)} {'down' if item.down > 0 else 'up'}")
    if item.right:
        parts.append(f"{abs(item.right)} {'right' if item.right > 0 else 'left'}")
    if item.is_mirrored:
        parts.append("mirrored")
    return ", ".join(parts) or "as it is"
