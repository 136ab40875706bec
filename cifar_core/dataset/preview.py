"""One training picture as a network sees it epoch after epoch, through a recipe's own pipeline."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cifar_core.dataset.augmentation import cut, pad, plan_epoch
from cifar_core.dataset.splits import positions
from cifar_core.recipes import Recipe


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture as it is shown in one epoch.

    Attributes:
        pixels: (h, w, c) uint8.
        down: By how many pixels it is moved down; negative: up.
        right: By how many pixels it is moved right; negative: left.
        is_mirrored: Whether it is mirrored left to right.
        step: Which step of the epoch shows it, counted from 1.
    """

    pixels: NDArray[np.uint8]
    down: int
    right: int
    is_mirrored: bool
    step: int


def preview(
    recipe: Recipe, labels: NDArray[np.uint8], index: int, pixels: NDArray[np.uint8], epochs: int
) -> list[Shown]:
    """Returns a training picture as a run with this recipe sees it in its first epochs.

    Args:
        recipe: Decides which pictures are learned from, and how each is moved and mirrored.
        labels: (n,) uint8, of the whole train split.
        index: Official index of the picture.
        pixels: The picture, (h, w, c) uint8.
        epochs: How many epochs.

    Returns:
        One entry per epoch; none when the recipe does not learn from the picture.
    """
    learned, _ = positions(recipe, labels)
    place = int(np.searchsorted(learned, index))
    if place == len(learned) or learned[place] != index:
        return []
    padded = pad(pixels[np.newaxis], recipe.crop_padding)
    shown = []
    for epoch in range(epochs):
        plan = plan_epoch(recipe, len(learned), epoch)
        turn = int(np.flatnonzero(plan.order == place)[0])
        one = slice(turn, turn + 1)
        alone = dataclasses.replace(
            plan,
            order=np.zeros(1, np.int32),
            rows=plan.rows[one],
            columns=plan.columns[one],
            flips=plan.flips[one],
        )
        is_mirrored = bool(plan.flips[turn])
        right = recipe.crop_padding - int(plan.columns[turn])
        shown.append(
            Shown(
                cut(padded, alone, 0, 1)[0],
                recipe.crop_padding - int(plan.rows[turn]),
                -right if is_mirrored else right,
                is_mirrored,
                turn // recipe.batch_size + 1,
            )
        )
    return shown
