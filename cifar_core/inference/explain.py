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

Ask = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""What answers: images (n, h, w, c) uint8 to class probabilities (n, classes)."""

PATCHES = 4
"""So many patches side by side reach across an image."""


@dataclass(frozen=True)
class Occlusion:
    """What covering the parts of a picture does to an answer.

    Attributes:
        label: The class whose probability is watched.
        probability: What it is for the whole picture.
        drops: (h, w) float64: by how much the probability falls while a pixel is covered, on
            average over the patches that cover it; negative where it rises.
    """

    label: int
    probability: float
    drops: NDArray[np.float64]


def occlude(ask: Ask, picture: NDArray[np.uint8], *, label: int | None = None) -> Occlusion:
    """Covers a picture patch by patch with its own mean colour and asks each time.

    Args:
        ask: The network that is to be explained.
        picture: (h, w, c) uint8.
        label: The class to watch; by default the one that is named for the whole picture.
    """
    height, width = picture.shape[:2]
    size = max(1, min(height, width) // PATCHES)
    corners = [(top, left) for top in _starts(height, size) for left in _starts(width, size)]
    covered = np.repeat(picture[np.newaxis], len(corners) + 1, axis=0)
    colour = picture.mean(axis=(0, 1)).round().astype(np.uint8)
    for view, (top, left) in zip(covered[1:], corners, strict=True):
        view[top : top + size, left : left + size] = colour
    answers = ask(covered)
    watched = int(answers[0].argmax()) if label is None else label
    whole = float(answers[0, watched])
    total, times = np.zeros((height, width)), np.zeros((height, width))
    for share, (top, left) in zip(answers[1:, watched].tolist(), corners, strict=True):
        total[top : top + size, left : left + size] += whole - share
        times[top : top + size, left : left + size] += 1
    return Occlusion(watched, whole, total / times)


def _starts(side: int, size: int) -> list[int]:
    """Returns where patches begin along a side, so that each of its pixels is covered.

    They overlap: each begins three eighths of its size after the one before.
    """
    last = side - size
    return [*range(0, last, max(1, 3 * size // 8)), last]
