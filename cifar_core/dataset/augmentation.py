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

SIDE = 32


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
    """

    order: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    flips: np.ndarray


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
    return EpochPlan(order, shifts[0], shifts[1], flips)


def pad(images: np.ndarray, padding: int) -> np.ndarray:
    """Surrounds pictures (n, 32, 32, 3) by ``padding`` reflected pixels on every side."""
    mirror = np.pad(np.arange(SIDE), padding, mode="reflect")
    return np.ascontiguousarray(images[:, mirror][:, :, mirror] if padding else images)


def cut(padded: np.ndarray, plan: EpochPlan, first: int, last: int) -> np.ndarray:
    """Returns the pictures that a plan shows from position ``first`` up to ``last``.

    Args:
        padded: All pictures, padded: (n, 32 + 2p, 32 + 2p, 3) uint8, C order.
        plan: The epoch's plan.
        first: First position in the plan's order.
        last: The position after the last.

    Returns:
        Pictures (last - first, 32, 32, 3) uint8, cropped and mirrored.
    """
    part = slice(first, last)
    side = padded.shape[1]
    if side == SIDE:
        shown: np.ndarray = padded[plan.order[part]]
    else:
        # A crop is 32 rows of 96 neighbouring bytes: a window over (rows, columns × 3).
        flat = padded.reshape(len(padded), side, side * 3)
        windows = np.lib.stride_tricks.sliding_window_view(flat, (SIDE, SIDE * 3), axis=(1, 2))
        crops = windows[plan.order[part], plan.rows[part], plan.columns[part] * 3]
        shown = crops.reshape(-1, SIDE, SIDE, 3)
    flips = plan.flips[part]
    shown[flips] = _mirror(shown[flips])
    return shown


def _mirror(pictures: np.ndarray) -> np.ndarray:
    """Returns pictures (n, 32, 32, 3) mirrored left to right.

    Channel by channel: NumPy copies three long rows of single bytes several times as fast as
    very many rows of three.
    """
    mirrored = np.empty_like(pictures)
    for channel in range(pictures.shape[3]):
        mirrored[..., channel] = pictures[:, :, ::-1, channel]
    return mirrored
