"""Test pictures that the training pictures hold once more, nearly the same.

Two ways find candidates for every test picture and its mirror image, each over all training
pictures: thumbnails whose pixels correlate, and features of a network that point the same way.
Then the fine detail of both pictures is laid over each other, a little shifted where that fits
better, and its correlation decides together with the features. Detail, not brightness, and
without what whole rows or columns share: two ships before the same horizon agree in nearly every
pixel and are two ships.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from cifar_core.dataset import CIFAR10

Pictures = NDArray[np.uint8]
Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

Agreement = Annotated[float, Meta(ge=-1, le=1)]
PairRow = tuple[
    Annotated[int, Meta(ge=0, lt=CIFAR10.test_images)],
    Annotated[int, Meta(ge=0, lt=CIFAR10.train_images)],
    Agreement,
    Agreement,
    Annotated[int, Meta(ge=0, le=1)],
]
"""A pair as its file has it: a short list."""

LEAST_DETAIL: Final = 0.6
LEAST_COSINE: Final = 0.8
"""From which agreement on a pair counts as nearly the same; see docs/dataset.md for why."""

CANDIDATES: Final = 5
LEAST_THUMBNAIL: Final = 0.75
BLOCK: Final = 500

_SHIFT: Final = 3
_LUMA: Final = (0.299, 0.587, 0.114)
_WINDOW: Final = 5
_LEVELS: Final = 6.0
"""Added to the local contrast, in levels of 255: noise of a blue sky is no detail."""


@dataclass(frozen=True)
class Pair:
    """A test picture and a training picture that are nearly the same.

    Attributes:
        test: Official index of the test picture.
        train: Official index of the training picture.
        detail: How far their fine detail agrees, at most 1.
        cosine: How far a network's features agree, at most 1.
        is_mirrored: Whether one is the mirror image of the other.
    """

    test: int
    train: int
    detail: float
    cosine: float
    is_mirrored: bool

    def words(self) -> str:
        """Returns the pair as a line."""
        mirrored = "  mirrored" if self.is_mirrored else ""
        return (
            f"test {self.test:>5}  train {self.train:>5}  "
            f"detail {self.detail:.3f}  features {self.cosine:.3f}{mirrored}"
        )

    def to_json(self) -> PairRow:
        """Returns the pair as a short list."""
        detail, cosine = round(self.detail, 3), round(self.cosine, 3)
        return self.test, self.train, detail, cosine, int(self.is_mirrored)

    @classmethod
    def from_json(cls, values: PairRow) -> Pair:
        """Returns the pair that :meth:`to_json` wrote."""
        return cls(*values[:4], is_mirrored=bool(values[4]))


def mirror(pictures: Pictures) -> Pictures:
    """Returns pictures (n, 32, 32, 3) mirrored left to right."""
    return np.ascontiguousarray(pictures[:, :, ::-1])


def thumbnails(pictures: Pictures) -> Floats:
    """Returns pictures as 16 × 16 pixels without mean, of length 1: (n, 768) float32."""
    halves = pictures.reshape(len(pictures), 16, 2, 16, 2, 3).mean((2, 4), dtype=np.float32)
    return _unit(halves)


def candidates(
    queries: Floats,
    stock: Floats,
    *,
    least: float,
    told: Callable[[int], None] = lambda _: None,
) -> set[tuple[int, int]]:
    """Finds the rows of the stock that are most like each query.

    Args:
        queries: (q, d) float32 of length 1.
        stock: (s, d) float32 of length 1.
        least: Least cosine of a candidate.
        told: Is told how many queries are done.

    Returns:
        Pairs (query, row), at most :data:`CANDIDATES` for each query.
    """
    found: set[tuple[int, int]] = set()
    count = min(CANDIDATES, len(stock))
    for start in range(0, len(queries), BLOCK):
        alike = queries[start : start + BLOCK] @ stock.T
        best = np.argpartition(-alike, count - 1, axis=1)[:, :count]
        query, place = np.nonzero(np.take_along_axis(alike, best, axis=1) >= least)
        found |= set(zip((query + start).tolist(), best[query, place].tolist(), strict=True))
        told(min(start + BLOCK, len(queries)))
    return found


def compare_detail(first: Pictures, second: Pictures) -> Floats:
    """Returns how far the fine detail of pairs of pictures agrees where it fits best.

    Detail is what differs from the mean of the neighbourhood, divided by its local contrast,
    less the mean of its row and of its column. The second picture may lie up to three pixels
    off.

    Args:
        first: (n, h, w, 3) uint8.
        second: (n, h, w, 3) uint8.

    Returns:
        (n,) float32, correlations of at most 1.
    """
    height, width = (side - 2 * _SHIFT for side in first.shape[1:3])
    inner = (slice(_SHIFT, _SHIFT + height), slice(_SHIFT, _SHIFT + width))
    fixed = _unit(_without_stripes(_detail(first)[:, *inner]))
    moved = _detail(second)
    best = np.full(len(first), -1, np.float32)
    for down, right in _shifts():
        top, left = _SHIFT + down, _SHIFT + right
        window = moved[:, top : top + height, left : left + width]
        agreement = np.einsum("ij,ij->i", fixed, _unit(_without_stripes(window)))
        np.maximum(best, agreement, out=best)
    return best


def judge(pairs: Rows, test: Pictures, train: Pictures, cosines: Floats) -> Floats:
    """Returns the agreement in detail of candidates that the features do not rule out.

    Args:
        pairs: (n, 2) int64, positions of the test and of the training picture.
        test: All test pictures (mirrored or not), uint8.
        train: All training pictures, uint8.
        cosines: (n,) float32, agreement of the features.

    Returns:
        (n,) float32; -1 where the features rule the pair out.
    """
    detail = np.full(len(pairs), -1, np.float32)
    open_ = np.flatnonzero(cosines >= LEAST_COSINE)
    for start in range(0, len(open_), BLOCK):
        rows = open_[start : start + BLOCK]
        detail[rows] = compare_detail(test[pairs[rows, 0]], train[pairs[rows, 1]])
    return detail


def _shifts() -> Iterator[tuple[int, int]]:
    reach = range(-_SHIFT, _SHIFT + 1)
    return ((down, right) for down in reach for right in reach)


def _detail(pictures: Pictures) -> Floats:
    grey = pictures.astype(np.float32) @ np.array(_LUMA, np.float32)
    fine = grey - _blur(grey)
    return np.asarray(fine / (np.sqrt(_blur(fine * fine)) + _LEVELS), np.float32)


def _blur(grey: Floats) -> Floats:
    """Returns the mean of each pixel's neighbourhood, (n, h, w)."""
    half, (height, width) = _WINDOW // 2, grey.shape[1:]
    wide = np.pad(grey, ((0, 0), (half, half), (half, half)), mode="edge")
    rows = np.mean([wide[:, place : place + height] for place in range(_WINDOW)], axis=0)
    both = np.mean([rows[:, :, place : place + width] for place in range(_WINDOW)], axis=0)
    return np.asarray(both, np.float32)


def _without_stripes(values: Floats) -> Floats:
    """Returns (n, rows, columns) less what whole rows and whole columns share."""
    values = values - values.mean(axis=2, keepdims=True)
    return np.asarray(values - values.mean(axis=1, keepdims=True), np.float32)


def _unit(values: Floats) -> Floats:
    """Returns values (n, …) flat, without mean, of length 1."""
    flat = values.reshape(len(values), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(lengths, 1e-3), np.float32)
