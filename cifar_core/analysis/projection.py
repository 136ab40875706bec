"""Pictures laid out in the plane by what a network makes of them: PCA and t-SNE."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]

COMPRESSED: Final = 64
"""Numbers kept of each picture's features: enough for neighbours, small enough to keep."""

SEED: Final = 7
"""Of every random choice of an analysis, so that two analyses draw the same map."""

PERPLEXITY: Final = 30.0

_BLOCK: Final = 2000


def compress(features: NDArray[np.floating], *, size: int = COMPRESSED) -> Features:
    """Returns features in fewer dimensions, those in which the pictures differ most (PCA).

    Block by block, so that nothing of the features' own size is made a second time.

    Args:
        features: (n, d), half or single precision.
        size: Dimensions to keep; fewer where d is smaller.

    Returns:
        (n, min(size, d)) float32, centred, the direction of greatest difference first.
    """
    blocks = [features[start : start + _BLOCK] for start in range(0, len(features), _BLOCK)]
    mean = features.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = np.zeros((features.shape[1], features.shape[1]))
    for block in blocks:
        centred = block.astype(np.float32) - mean
        spread += centred.T @ centred
    _, directions = np.linalg.eigh(spread)  # ascending
    kept = directions[:, ::-1][:, :size].astype(np.float32)
    # A direction and its opposite are the same: the one with the larger positive end is taken.
    kept = kept * np.sign(kept[np.abs(kept).argmax(axis=0), np.arange(kept.shape[1])])
    return np.concatenate(
        [((block.astype(np.float32) - mean) @ kept).astype(np.float32) for block in blocks]
    )


def plane_pca(compressed: Features) -> Features:
    """Returns the two directions of greatest difference, (n, 2) float32."""
    return np.ascontiguousarray(compressed[:, :2], dtype=np.float32)


def plane_tsne(compressed: Features) -> Features:
    """Returns a plane in which neighbours stay neighbours, (n, 2) float32.

    Source: L. van der Maaten, G. Hinton, "Visualizing Data using t-SNE", Journal of Machine
    Learning Research 9, 2008; scikit-learn's form, begun from PCA and seeded.

    Args:
        compressed: (n, k) float32, n at least 4.
    """
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(compressed) - 1) / 3)
    layout = TSNE(2, perplexity=perplexity, init="pca", random_state=SEED, n_jobs=1)
    return np.asarray(layout.fit_transform(compressed), np.float32)


def choose_evenly(labels: NDArray[np.uint8], pictures: int, *, classes: int) -> NDArray[np.int64]:
    """Chooses as many pictures of each class, drawn by :data:`SEED`.

    Args:
        labels: (n,) uint8.
        pictures: How many in all; fewer where a class has not enough.
        classes: How many classes there are.

    Returns:
        (m,) int64, ascending positions.
    """
    generator = np.random.Generator(np.random.PCG64(SEED))
    share = pictures // classes
    chosen = [
        generator.permutation(np.flatnonzero(labels == label))[:share] for label in range(classes)
    ]
    return np.sort(np.concatenate(chosen)).astype(np.int64)
