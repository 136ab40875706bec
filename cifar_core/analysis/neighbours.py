"""The pictures that look most alike to a network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]


def nearest(
    features: Features, row: int, *, among: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Finds the pictures whose features point in the most similar direction.

    Args:
        features: (n, d) float32 of length 1, see :func:`cifar_core.inference.neighbours.unit`.
        row: The picture asked about; it is never its own neighbour.
        among: (m,) int64, rows to look among.
        count: How many to find.

    Returns:
        Their rows (k,) int64, the most alike first, and cosines (k,) float32 from -1 to 1.
    """
    alike = features[among] @ features[row]
    alike[among == row] = -np.inf
    count = min(count, int(np.isfinite(alike).sum()))
    best = np.argpartition(-alike, count - 1)[:count] if count else np.zeros(0, np.int64)
    best = best[np.argsort(-alike[best], kind="stable")]
    return among[best], alike[best].astype(np.float32)
