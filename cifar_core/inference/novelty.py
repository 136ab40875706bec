"""“None of these”: how foreign a picture is to a network that must name one of ten classes.

The score adds three signs, each standardised on held-out pictures:

- the energy of the logits (W. Liu, X. Wang, J. Owens, Y. Li, "Energy-based Out-of-distribution
  Detection", NeurIPS 2020): how little any of the ten classes answers;
- the relative Mahalanobis distance of the features before the last layer (K. Lee, K. Lee, H. Lee,
  J. Shin, NeurIPS 2018; J. Ren and others, arXiv 2106.09022, 2021): how far the picture lies from
  the nearest class, compared with the training pictures as a whole;
- the Mahalanobis distance of the mean output of every channel of the convolutions, in logarithms
  (several layers as Lee 2018; one Gaussian as in Ren 2021): how unusual its edges, colours and
  textures are.

The weights were chosen on development pictures; docs/classify.md has the table of what was tried.
The threshold comes from the held-out pictures alone. The test pictures only measure.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cifar_core import files
from cifar_core.errors import ModelError
from cifar_core.inference.layer_inspector import LayerInspector

Floats = NDArray[np.float32]
Tell = Callable[[], object]

PART = 1024
"""Pictures looked at between two signs of life."""

WEIGHTS = (1.0, 0.5, 1.0)
"""Of the three signs, in the order of the module's docstring."""

FALSE_ALARMS = 0.05
"""Share of the held-out pictures that lie above the threshold."""

MOST_LEARNT = 12_000
"""Training pictures that the distances are measured from, evenly spaced; more change little."""

DIMENSIONS = 128
"""Principal directions kept of features and channels: most of what varies, a fifth of the size."""

RIDGE = 1e-3
"""Share of the mean variance that is added to every variance, so that none is zero."""

FLAT = 1e-6
"""Mean variance below which values count as constant: 1 / sqrt(RIDGE * FLAT) fits float16."""

FAINT = 0.05
"""Added to channel means before their logarithm: a channel that is off is not infinitely far."""

MOST_BYTES = 50_000_000
"""The largest file that is read; those of the lab have half a megabyte."""

_BROKEN = (OSError, ValueError, KeyError, TypeError, EOFError, MemoryError, OverflowError)

_ARRAYS = (
    "channel_mean",
    "channel_directions",
    "feature_mean",
    "feature_directions",
    "class_means",
    "within",
    "centres",
    "scales",
    "quantiles",
    "threshold",
    "false_alarm_rate",
)


@dataclass(frozen=True)
class NoneOfThese:
    """Whether a picture perhaps shows none of the ten classes.

    Attributes:
        score: How foreign the picture is; larger is more foreign, no unit.
        threshold: Above it the verdict is yes; set on held-out pictures of the ten classes.
        verdict: Whether the score lies above the threshold.
        false_alarm_rate: Share of the test pictures, which do show one of the ten, that get the
            verdict all the same; None where that was not measured.
        stranger_than: Share of the held-out pictures whose score is smaller, from 0 to 1; None
            where that is not known.
    """

    score: float
    threshold: float
    verdict: bool
    false_alarm_rate: float | None
    stranger_than: float | None = None


@dataclass(frozen=True, eq=False)
class Novelty:
    """What a network's score is made of; k directions, c channels, d features.

    Attributes:
        channel_mean: (c,) of the logarithms of the channel means.
        channel_directions: (c, k) float16, each scaled to variance 1.
        feature_mean: (d,).
        feature_directions: (d, k) float16, each scaled to variance 1.
        class_means: (classes, k) of the scaled features.
        within: (k, k): makes the scatter within the classes round.
        centres: (3,) medians of the signs on the held-out pictures.
        scales: (3,) their deviations.
        quantiles: (101,) of the score on the held-out pictures.
        threshold: Their quantile that leaves :data:`FALSE_ALARMS` above it.
        false_alarm_rate: Share of the test pictures above the threshold; NaN until measured.
    """

    channel_mean: Floats
    channel_directions: NDArray[np.float16]
    feature_mean: Floats
    feature_directions: NDArray[np.float16]
    class_means: Floats
    within: Floats
    centres: Floats
    scales: Floats
    quantiles: Floats
    threshold: float
    false_alarm_rate: float = float("nan")

    def signs(
        self, inspector: LayerInspector, pictures: NDArray[np.uint8], tell: Tell = lambda: None
    ) -> NDArray[np.float64]:
        """Returns the three signs of pictures (n, h, w, c) uint8, as measured: (n, 3)."""
        channels, features, logits = _seen(inspector, pictures, tell)
        outer = (channels - self.channel_mean) @ self.channel_directions.astype(np.float32)
        inner = (features - self.feature_mean) @ self.feature_directions.astype(np.float32)
        return np.stack(
            [
                energy(logits),
                relative_distance(inner, self.class_means, self.within),
                np.log(np.square(outer.astype(np.float64)).sum(axis=1) + 1e-9),
            ],
            axis=1,
        )

    def score(
        self, inspector: LayerInspector, pictures: NDArray[np.uint8], tell: Tell = lambda: None
    ) -> NDArray[np.float64]:
        """Returns how foreign pictures (n, h, w, c) uint8 are: (n,)."""
        return combine(self.signs(inspector, pictures, tell), self.centres, self.scales)

    def judge(self, inspector: LayerInspector, pictures: NDArray[np.uint8]) -> list[NoneOfThese]:
        """Returns the verdict on each of the pictures (n, h, w, c) uint8."""
        measured = None if np.isnan(self.false_alarm_rate) else self.false_alarm_rate
        below = np.linspace(0, 1, len(self.quantiles))
        return [
            NoneOfThese(
                score,
                self.threshold,
                score > self.threshold,
                measured,
                float(np.interp(score, self.quantiles, below)),
            )
            for score in self.score(inspector, pictures).tolist()
        ]

    def to_bytes(self) -> bytes:
        """Returns the file's content, an .npz archive."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            allow_pickle=False,
            **{name: np.asarray(getattr(self, name)) for name in _ARRAYS},
        )
        return buffer.getvalue()


def energy(logits: Floats) -> NDArray[np.float64]:
    """Returns minus the logarithm of the summed exponentials of logits (n, classes): (n,)."""
    values = logits.astype(np.float64)
    top = values.max(axis=1)
    answered: NDArray[np.float64] = top + np.log(np.exp(values - top[:, None]).sum(axis=1))
    return -answered


def relative_distance(scaled: Floats, class_means: Floats, within: Floats) -> NDArray[np.float64]:
    """Returns the squared distance to the nearest class less that to the whole: (n,).

    Args:
        scaled: (n, k) features in directions of variance 1 around their common mean.
        class_means: (classes, k) of them.
        within: (k, k): distances within a class are Euclidean after it.
    """
    points = scaled.astype(np.float64)
    turned, means = points @ within, class_means.astype(np.float64) @ within
    gaps = np.stack([np.square(turned - mean).sum(axis=1) for mean in means])
    nearest: NDArray[np.float64] = gaps.min(axis=0) - np.square(points).sum(axis=1)
    return nearest


def combine(signs: NDArray[np.float64], centres: Floats, scales: Floats) -> NDArray[np.float64]:
    """Returns the weighted sum of signs (n, 3) in deviations from their centres: (n,)."""
    summed: NDArray[np.float64] = ((signs - centres) / scales) @ np.array(WEIGHTS)
    return summed


def fit(
    inspector: LayerInspector,
    *,
    learnt: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    held_out: NDArray[np.uint8],
    tell: Tell = lambda: None,
) -> Novelty:
    """Learns what is usual for a network, and sets the threshold.

    Args:
        inspector: The network.
        learnt: (n, h, w, c) uint8: pictures it was trained on.
        labels: (n,) their classes.
        held_out: (m, h, w, c) uint8: training pictures it was not trained on; the threshold
            comes from them. The test pictures have no part in it.
        tell: Called after every thousand pictures or so, as a sign of life.
    """
    chosen = np.linspace(0, len(learnt) - 1, min(len(learnt), MOST_LEARNT)).astype(int)
    channels, features, logits = _seen(inspector, np.asarray(learnt[chosen]), tell)
    channel_mean, channel_directions = directions(channels)
    feature_mean, feature_directions = directions(features)
    scaled = (features - feature_mean) @ feature_directions.astype(np.float32)
    class_means, within = classes(scaled, labels[chosen], logits.shape[1])
    unset = np.zeros(3, np.float32)
    made = Novelty(
        channel_mean, channel_directions, feature_mean, feature_directions,
        class_means, within, unset, unset, unset, 0.0,
    )  # fmt: skip
    signs = made.signs(inspector, held_out, tell)
    centres = np.median(signs, axis=0).astype(np.float32)
    scales = np.maximum(signs.std(axis=0), 1e-9).astype(np.float32)
    scores = combine(signs, centres, scales)
    quantiles = np.quantile(scores, np.linspace(0, 1, 101)).astype(np.float32)
    threshold = float(np.quantile(scores, 1 - FALSE_ALARMS))
    return Novelty(
        channel_mean, channel_directions, feature_mean, feature_directions,
        class_means, within, centres, scales, quantiles, threshold,
    )  # fmt: skip


def measure(
    novelty: Novelty, inspector: LayerInspector, test: NDArray[np.uint8], tell: Tell = lambda: None
) -> Novelty:
    """Returns it with its false-alarm rate, measured on test pictures (n, h, w, c) uint8."""
    alarms = float((novelty.score(inspector, test, tell) > novelty.threshold).mean())
    return replace(novelty, false_alarm_rate=alarms)


def read(path: Path, sha256: str) -> Novelty:
    """Reads what :meth:`Novelty.to_bytes` wrote; the bytes that are checked are those used.

    Raises:
        ModelError: The file is missing, not the recorded one, or of another form.
    """
    try:
        content = files.read_bytes(path, most=MOST_BYTES)
        if hashlib.sha256(content).hexdigest() != sha256.lower():
            raise ValueError("it is not the file that was recorded")
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in _ARRAYS}
        threshold, rate = (float(arrays.pop(name)) for name in ("threshold", "false_alarm_rate"))
        return Novelty(**arrays, threshold=threshold, false_alarm_rate=rate)
    except (*_BROKEN, zipfile.BadZipFile) as error:
        raise ModelError(
            f"What “none of these” needs cannot be read from {path.name} ({error}).",
            expected="The file that the run's manifest records.",
            remedy=f"Make it again: python -m tools.fit_novelty {path.parent.name}",
        ) from error


def _seen(
    inspector: LayerInspector, pictures: NDArray[np.uint8], tell: Tell
) -> tuple[Floats, Floats, Floats]:
    """Returns logarithms of channel means (n, c), features (n, d) and logits (n, classes)."""
    parts = []
    for start in range(0, max(1, len(pictures)), PART):
        parts.append(inspector.summary(pictures[start : start + PART]))
        tell()
    means, features, logits = (np.concatenate(part) for part in zip(*parts, strict=True))
    return np.log(np.maximum(means, 0) + np.float32(FAINT)), features, logits


def directions(values: Floats) -> tuple[Floats, NDArray[np.float16]]:
    """Returns the mean (d,) and the first principal directions (d, k), scaled to variance 1."""
    mean = values.mean(axis=0)
    variances, found = np.linalg.eigh(np.cov((values - mean).T.astype(np.float64)))
    kept = slice(None, -min(DIMENSIONS, len(mean)) - 1, -1)
    variances, found = np.maximum(variances[kept], 0), found[:, kept]
    ridge = RIDGE * max(float(variances.mean()), FLAT)
    return mean, (found / np.sqrt(variances + ridge)).astype(np.float16)


def classes(scaled: Floats, labels: NDArray[np.uint8], count: int) -> tuple[Floats, Floats]:
    """Returns class means (classes, k) and what makes the scatter within classes round (k, k)."""
    points = scaled.astype(np.float64)
    means = np.stack(
        [points[labels == label].mean(axis=0) if (labels == label).any() else points.mean(axis=0)
         for label in range(count)]
    )  # fmt: skip
    scatter = np.cov((points - means[labels]).T)
    scatter += RIDGE * max(float(np.trace(scatter)), 1e-9) / len(scatter) * np.eye(len(scatter))
    within = np.linalg.cholesky(np.linalg.inv(scatter))
    return means.astype(np.float32), within.astype(np.float32)
