"""What a person can ask of many pictures: an answer for each, and one bad file costs one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cifar_core.errors import DataError, PictureError
from cifar_core.inference.upload import Picture, to_network_input
from cifar_core.services.models import Answer, Fit, Model, classify_pixels


@dataclass(frozen=True)
class Glance:
    """What the models say of one of many pictures, without the picture itself.

    Attributes:
        name: The file's harmless name.
        sha256: Digest of its bytes; empty where it could not be read.
        seen: The pixels (32, 32, 3) uint8 that the networks see; None where it could not be read.
        answers: One for each model, in the order asked; none where it could not be read.
        problem: Why it could not be read.
    """

    name: str
    sha256: str = ""
    seen: NDArray[np.uint8] | None = None
    answers: tuple[Answer, ...] = ()
    problem: PictureError | DataError | None = None


def glance_at(
    pictures: Sequence[tuple[str, Callable[[], Picture]]],
    models: Sequence[Model],
    *,
    fit: Fit,
    mirror: bool = False,
) -> list[Glance]:
    """Asks models about some of many pictures and keeps no more of each than they see.

    One picture is in memory at a time. The answers are those of
    :func:`cifar_core.services.classify`.

    Args:
        pictures: What to call each where it cannot be read, and what returns it or raises
            PictureError or DataError.
        models: As :func:`cifar_core.services.open_model` returns them.
        fit: How the pictures become 32 × 32.
        mirror: Average with the answers for the mirrored pictures.
    """
    read: list[Glance] = []
    for name, load in pictures:
        try:
            picture = load()
        except (PictureError, DataError) as error:
            read.append(Glance(name, problem=error))
        else:
            seen = to_network_input(picture.pixels, fit=fit)
            read.append(Glance(picture.name, picture.sha256, seen))
    pixels = [glance.seen for glance in read if glance.seen is not None]
    if not pixels:
        return read
    batch = np.stack(pixels)
    answers = iter(
        zip(*(classify_pixels(model, batch, mirror=mirror) for model in models), strict=True)
    )
    return [
        glance
        if glance.seen is None
        else Glance(glance.name, glance.sha256, glance.seen, next(answers))
        for glance in read
    ]
