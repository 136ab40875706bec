"""Whether an answer holds when the picture changes a little: light, sharpness, place, mirror.

The changes are made to the 32×32 pixels that the network sees. A person would name the same thing
after each of them; an answer that does not hold hangs on details. The idea of measuring it so:
D. Hendrycks, T. Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions
and Perturbations", ICLR 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cifar_core.inference.explain import Ask

Pixels = NDArray[np.uint8]

BRIGHTER, DARKER = 1.2, 0.8
"""Factors on the pixel values."""

BLUR_RADIUS = 0.7
"""Deviation of the Gaussian blur, in pixels."""

SHIFT = 2
"""Pixels of a shift; what comes in at the edge repeats the edge."""


@dataclass(frozen=True)
class Trial:
    """What a network says of a changed picture.

    Attributes:
        change: What was changed, in words.
        label: The class it names now.
        probability: How probable it is.
        holds: Whether it is the class of the unchanged picture.
    """

    change: str
    label: int
    probability: float
    holds: bool


def change(picture: Pixels) -> dict[str, Pixels]:
    """Returns the changed forms of a picture (32, 32, 3) uint8 by what was changed."""
    return {words: made(picture) for words, made in _CHANGES.items()}


def try_changes(ask: Ask, picture: Pixels) -> tuple[Trial, ...]:
    """Asks for each changed form of a picture (32, 32, 3) uint8 whether the answer holds."""
    forms = change(picture)
    answers = ask(np.stack([picture, *forms.values()]))
    before, *after = answers.argmax(axis=1).tolist()
    return tuple(
        Trial(words, label, float(row[label]), label == before)
        for words, label, row in zip(forms, after, answers[1:], strict=True)
    )


def _bright(factor: float) -> Callable[[Pixels], Pixels]:
    return lambda picture: np.clip(np.rint(picture * factor), 0, 255).astype(np.uint8)


def _blurred(picture: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(BLUR_RADIUS)))


def _shifted(down: int, right: int) -> Callable[[Pixels], Pixels]:
    def shift(picture: Pixels) -> Pixels:
        height, width = picture.shape[:2]
        padded = np.pad(picture, ((SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")
        top, left = SHIFT - down, SHIFT - right
        return np.ascontiguousarray(padded[top : top + height, left : left + width])

    return shift


def _mirrored(picture: Pixels) -> Pixels:
    return np.ascontiguousarray(picture[:, ::-1])


_CHANGES: Mapping[str, Callable[[Pixels], Pixels]] = {
    "a fifth brighter": _bright(BRIGHTER),
    "a fifth darker": _bright(DARKER),
    "a little blurred": _blurred,
    "two pixels to the left": _shifted(0, -SHIFT),
    "two pixels to the right": _shifted(0, SHIFT),
    "two pixels up": _shifted(-SHIFT, 0),
    "two pixels down": _shifted(SHIFT, 0),
    "mirrored": _mirrored,
}
