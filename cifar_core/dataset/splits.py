"""Which training pictures are held out to watch a training honestly."""

from __future__ import annotations

import numpy as np

SPLIT_SEED = 20_090_408
"""Start of the one shuffle that decides the held-out pictures.

It does not depend on a run's seed: all runs with the same number of held-out pictures watch
the same ones, so their validation figures can be compared.
"""


def held_out(labels: np.ndarray, pictures: int) -> tuple[np.ndarray, np.ndarray]:
    """Divides the training pictures into those to learn from and those to watch.

    Args:
        labels: Class of each training picture, (n,) integers from 0 to 9.
        pictures: How many to hold out, in equal parts from each class (the first classes
            give one more where ten does not divide it).

    Returns:
        The positions to learn from and the positions held out, both ascending int64.
    """
    generator = np.random.Generator(np.random.PCG64(SPLIT_SEED))
    chosen: list[np.ndarray] = []
    for label in range(10):
        share = pictures // 10 + (1 if label < pictures % 10 else 0)
        of_class = np.flatnonzero(labels == label)
        chosen.append(generator.permutation(of_class)[:share])
    held = np.sort(np.concatenate(chosen))
    learned = np.setdiff1d(np.arange(len(labels)), held, assume_unique=True)
    return learned, held
