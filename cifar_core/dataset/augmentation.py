"""Shifted and mirrored pictures: the very pipeline that a training uses.

All choices of an epoch follow from (seed, epoch), so an interrupted training goes on with
exactly the pictures it would have seen. The pictures stay uint8: shifting and mirroring move
pixels and change none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from cifar_core.recipes import Recipe


class Stream(IntEnum):
    """Names of the independent sequences of random numbers that a seed gives."""

    ORDER = 1
    SHIFT = 2
    FLIP = 3
    DROPOUT = 4
    INITIALISATION = 5


def generator(seed: int, stream: Stream, epoch: int = 0) -> np.random.Generator:
    """Returns the random numbers of one purpose in one epoch of a run."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, stream, epoch))))


@dataclass(frozen=True)
class EpochPlan:
    """What happens to each training picture in one epoch, in the order they are shown.

    Attributes:
        order: Positions of the pictures, (n,) int32, a permutation.
        rows: Top of the crop in the padded picture, (n,) int32 from 0 to 2 * padding.
        columns: Left of the crop, likewise.
        flips: Whether the picture is mirrored left to right, (n,) bool.
        padding: Pixels of border that the crops are cut from.
    """

    order: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    flips: np.ndarray
    padding: int


def plan_epoch(recipe: Recipe, pictures: int, epoch: int) -> EpochPlan:
    """Draws the order, shifts and mirrorings of one epoch.

    Args:
        recipe: Gives seed, padding and kind of mirroring.
        pictures: How many training pictures there are.
        epoch: Counted from 0.
    """
    order = generator(recipe.seed, Stream.ORDER, epoch).permutation(pictures).astype(np.int32)
    shifts = generator(recipe.seed, Stream.SHIFT, epoch).integers(
        0, 2 * recipe.crop_padding + 1, size=(2, pictures), dtype=np.int32
    )
    if recipe.flips == "alternating":
        first = generator(recipe.seed, Stream.FLIP).integers(0, 2, size=pictures)
        flips = ((first + epoch) % 2 == 1)[order]
    elif recipe.flips == "random":
        flips = generator(recipe.seed, Stream.FLIP, epoch).integers(0, 2, size=pictures) == 1
    else:
        flips = np.zeros(pictures, dtype=bool)
    return EpochPlan(order, shifts[0], shifts[1], flips, recipe.crop_padding)


def pad(images: np.ndarray, padding: int) -> np.ndarray:
    """Surrounds images (n, h, w, c) by ``padding`` reflected pixels on every side."""
    rows, columns = (np.pad(np.arange(side), padding, mode="reflect") for side in images.shape[1:3])
    return np.ascontiguousarray(images[:, rows][:, :, columns] if padding else images)


def cut(padded: np.ndarray, plan: EpochPlan, first: int, last: int) -> np.ndarray:
    """Returns the pictures that a plan shows from position ``first`` up to ``last``.

    Args:
        padded: All pictures, padded: (n, h + 2p, w + 2p, c) uint8, C order.
        plan: The epoch's plan.
        first: First position in the plan's order.
        last: The position after the last.

    Returns:
        Images (last - first, h, w, c) uint8, cropped and mirrored.
    """
    part = slice(first, last)
    count, down, across, channels = padded.shape
    height, width = down - 2 * plan.padding, across - 2 * plan.padding
    if not plan.padding:
        shown: np.ndarray = padded[plan.order[part]]
    else:
        # A row of a crop is neighbouring bytes: a window over (rows, columns × channels).
        flat = padded.reshape(count, down, across * channels)
        size = (height, width * channels)
        windows = np.lib.stride_tricks.sliding_window_view(flat, size, axis=(1, 2))
        crops = windows[plan.order[part], plan.rows[part], plan.columns[part] * channels]
        shown = crops.reshape(-1, height, width, channels)
    flips = plan.flips[part]
    shown[flips] = _mirror(shown[flips])
    return shown


def _mirror(pictures: np.ndarray) -> np.ndarray:
    """Returns images (n, h, w, c) mirrored left to right.

    Channel by channel: NumPy copies three long rows of single bytes several times as fast as
    very many rows of three.
    """
    mirrored = np.empty_like(pictures)
    for channel in range(pictures.shape[3]):
        mirrored[..., channel] = pictures[:, :, ::-1, channel]
    return mirrored
