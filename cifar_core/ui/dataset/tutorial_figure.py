"""The tutorial's first figure: one random training image of each class, in two rows of five."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.ui.dataset.image_gallery import captions, links
from cifar_core.ui.kit.downloads import save_figure
from cifar_core.ui.kit.images import gallery
from cifar_core.ui.kit.svg_figures import Row, Tile, figure_svg
from cifar_core.ui.kit.tables import file_name
from cifar_core.ui.kit.theme import is_dark

HIGHEST_SEED = 999_999


def draw_figure(split: Split, seed: int) -> NDArray[np.int64]:
    """Draws one random picture per class, as the tutorial's first figure does.

    Args:
        split: Where to draw from; every class occurs in it.
        seed: The same seed draws the same pictures.

    Returns:
        (10,) int64: positions in the split's arrays, in the order of the classes.
    """
    generator = np.random.Generator(np.random.PCG64(seed))
    return np.array(
        [
            generator.choice(np.flatnonzero(split.labels == label))
            for label in range(CIFAR10.classes)
        ]
    )


def figure_section(dataset: Dataset) -> None:
    """The tutorial's figure: one random training picture per class, drawn again on demand."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    seed = row.number_input(
        "Draw",
        min_value=0,
        max_value=HIGHEST_SEED,
        key="seed",
        bind="query-params",
        width=150,
        help="Each number draws its own ten pictures, and the same ones every time.",
    )
    row.button(
        "Draw again",
        icon=":material/casino:",
        type="primary",
        on_click=lambda: st.session_state.update(seed=(seed + 1) % (HIGHEST_SEED + 1)),
    )
    places = draw_figure(dataset.train, seed)
    gallery(
        dataset.train.images[places],
        captions(dataset.train, places),
        factor=4,
        columns=5,
        truths=CIFAR10.class_names,
        links=links(dataset.train, places),
    )
    dark = is_dark()
    save_figure(
        lambda: drawn_svg(dataset, places, seed, dark=dark),
        file_name("cifar10-one-of-each-class", seed),
        key="figure",
    )


def drawn_svg(dataset: Dataset, places: NDArray[np.int64], seed: int, *, dark: bool) -> str:
    """Returns the tutorial's figure, two rows of five, as SVG.

    Args:
        dataset: Where the images come from.
        places: (10,) as :func:`draw_figure` returns them.
        seed: What drew them.
        dark: Which mode.
    """
    below = captions(dataset.train, places)
    tiles = [
        Tile(np.asarray(dataset.train.images[place]), (CIFAR10.class_names[label], below[label]))
        for label, place in enumerate(places)
    ]
    title = f"CIFAR-10: one training image of each class, draw {seed}; digest {dataset.digest}"
    return figure_svg([Row(tiles)], title=title, side=128, columns=5, dark=dark)
