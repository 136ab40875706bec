"""What mattered in a picture: cover a part of it and see how far the answer falls (occlusion).

Works with any network, for it only asks for answers. Source: M. D. Zeiler, R. Fergus,
"Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2.

A map says which parts this network's answer hangs on. It does not say that the answer is right,
nor what in that part mattered; and a part that is there twice may seem to matter little, for
covering one leaves the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cifar_core.dataset import PICTURE_SHAPE

Ask = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""What answers: pictures (n, 32, 32, 3) uint8 to class probabilities (n, 10)."""

PATCH = 8
"""Side of what is covered, in pixels: a quarter of the picture's side."""

STRIDE = 3
"""Pixels from one place to the next: 81 places, and every pixel is covered."""


@dataclass(frozen=True)
class Occlusion:
    """What covering the parts of a picture does to an answer.

    Attributes:
        label: The class whose probability is watched.
        probability: What it is for the whole picture.
        drops: (32, 32) float64: by how much the probability falls while a pixel is covered, on
            average over the patches that cover it; negative where it rises.
    """

    label: int
    probability: float
    drops: NDArray[np.float64]


def occlude(ask: Ask, picture: NDArray[np.uint8], *, label: int | None = None) -> Occlusion:
    """Covers a picture patch by patch with its own mean colour and asks each time.

    Args:
        ask: The network that is to be explained.
        picture: (32, 32, 3) uint8.
        label: The class to watch; by default the one that is named for the whole picture.
    """
    corners = _corners()
    covered = np.repeat(picture[np.newaxis], len(corners) + 1, axis=0)
    colour = picture.mean(axis=(0, 1)).round().astype(np.uint8)
    for view, (top, left) in zip(covered[1:], corners, strict=True):
        view[top : top + PATCH, left : left + PATCH] = colour
    answers = ask(covered)
    watched = int(answers[0].argmax()) if label is None else label
    whole = float(answers[0, watched])
    total, times = np.zeros(PICTURE_SHAPE[:2]), np.zeros(PICTURE_SHAPE[:2])
    for share, (top, left) in zip(answers[1:, watched].tolist(), corners, strict=True):
        total[top : top + PATCH, left : left + PATCH] += whole - share
        times[top : top + PATCH, left : left + PATCH] += 1
    return Occlusion(watched, whole, total / times)


def _corners() -> list[tuple[int, int]]:
    """Returns the top left corners of the patches, from one edge to the other."""
    starts = range(0, PICTURE_SHAPE[0] - PATCH + 1, STRIDE)
    return [(top, left) for top in starts for left in starts]
