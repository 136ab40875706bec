"""What was tried before the lab's ways were chosen: fits of photographs, and scores of strangeness.

Ways to make a photograph 32 × 32 are compared by accuracy. Published scores are compared on
development pictures only: held-out training pictures, the development half of the photographs,
generated pictures of the development seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Split
from cifar_core.inference import novelty
from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.inference.neighbours import unit
from cifar_core.services import Model

if TYPE_CHECKING:
    from benchmarks.photographs import Photographs

Pixels = NDArray[np.uint8]
Fit = Callable[[Pixels], list[Pixels]]
Way = Image.Resampling
LEARNT, HELD_OUT = 12_000, 2_500
"""Training pictures that the scores learn from, and held-out ones they are compared on."""


def resized(pixels: Pixels, way: Way) -> Pixels:
    """Returns pixels (h, w, 3) squashed to (32, 32, 3)."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize((32, 32), way))


def square(pixels: Pixels, size: float = 1.0, place: float = 0.5) -> Pixels:
    """Returns a square of the picture: of a share of its shorter side, at a place from 0 to 1."""
    height, width = pixels.shape[:2]
    side = max(1, round(min(height, width) * size))
    top, left = int((height - side) * place), int((width - side) * place)
    return pixels[top : top + side, left : left + side]


def padded(pixels: Pixels) -> Pixels:
    """Returns the picture in the middle of a square of its mean colour."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    whole = np.empty((side, side, 3), np.uint8)
    whole[:] = pixels.mean(axis=(0, 1))
    top, left = (side - height) // 2, (side - width) // 2
    whole[top : top + height, left : left + width] = pixels
    return whole


def sharpened(pixels: Pixels, percent: int) -> Pixels:
    """Returns 32×32 pixels sharpened by an unsharp mask of one pixel."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.UnsharpMask(1, percent, 0)))


FITS: Mapping[str, Fit] = {
    "squash, box": lambda p: [resized(p, Way.BOX)],
    "squash, bilinear": lambda p: [resized(p, Way.BILINEAR)],
    "squash, bicubic": lambda p: [resized(p, Way.BICUBIC)],
    "squash, Lanczos": lambda p: [resized(p, Way.LANCZOS)],
    "crop, box": lambda p: [resized(square(p), Way.BOX)],
    "crop, bilinear": lambda p: [resized(square(p), Way.BILINEAR)],
    "crop, bicubic": lambda p: [resized(square(p), Way.BICUBIC)],
    "crop, Lanczos": lambda p: [resized(square(p), Way.LANCZOS)],
    "crop of 90%, bilinear": lambda p: [resized(square(p, 0.9), Way.BILINEAR)],
    "crop of 80%, bilinear": lambda p: [resized(square(p, 0.8), Way.BILINEAR)],
    "padded, bilinear": lambda p: [resized(padded(p), Way.BILINEAR)],
    "squash and crop averaged, bilinear": lambda p: [
        resized(p, Way.BILINEAR),
        resized(square(p), Way.BILINEAR),
    ],
    "squash and three crops averaged, bilinear": lambda p: [
        resized(p, Way.BILINEAR),
        *(resized(square(p, 1, place), Way.BILINEAR) for place in (0, 0.5, 1)),
    ],
    "squash, bilinear, sharpened": lambda p: [sharpened(resized(p, Way.BILINEAR), 100)],
    "squash, box, sharpened": lambda p: [sharpened(resized(p, Way.BOX), 100)],
}


def accuracies(photographs: Photographs, models: Mapping[str, Model]) -> list[dict[str, Any]]:
    """Returns the share of known photographs named rightly, by fit, network and mirroring.

    ``classes`` is the mean over the classes that are there, ``all`` counts every photograph once.
    """
    known = np.flatnonzero(photographs.labels >= 0)
    labels, development = photographs.labels[known], photographs.is_development[known]
    rows: list[dict[str, Any]] = []
    for name, fit in FITS.items():
        forms = [fit(photographs.pixels[place]) for place in known]
        batch = np.stack([pixels for form in forms for pixels in form])
        for mirror in (False, True):
            answers = {
                network: model.probabilities(batch, flip=mirror)
                .reshape(len(known), -1, 10)
                .mean(axis=1)
                for network, model in models.items()
            }
            answers["all averaged"] = np.mean(list(answers.values()), axis=0)
            for network, shares in answers.items():
                right = shares.argmax(axis=1) == labels
                halves = {"all": labels >= 0, "development": development, "reporting": ~development}
                rows.append(
                    {"fit": name, "network": network, "mirrored": mirror}
                    | {half: _share(right[which], labels[which]) for half, which in halves.items()}
                )
    return rows


def _share(right: NDArray[np.bool_], labels: NDArray[np.int64]) -> dict[str, float]:
    by_class = [right[labels == label].mean() for label in sorted(set(labels.tolist()))]
    return {"classes": float(np.mean(by_class)), "all": float(right.mean())}


def scores(
    inspector: LayerInspector,
    *,
    learned: Split,
    watched: Split,
    photographs: Photographs,
    families: Mapping[str, Pixels],
) -> dict[str, dict[str, float]]:
    """Returns the AUROC of published scores on development pictures, by score and comparison."""
    from benchmarks.photographs import NONE, auroc
    from cifar_core.inference.upload import to_network_input

    chosen = np.linspace(0, len(learned.labels) - 1, LEARNT).astype(int)
    held = np.linspace(0, len(watched.labels) - 1, HELD_OUT).astype(int)
    mine = np.flatnonzero(photographs.is_development)
    known = photographs.labels[mine] != NONE
    seen = np.stack([to_network_input(photographs.pixels[place]) for place in mine])
    summary = {name: inspector.summary(some) for name, some in families.items()}
    summary |= {
        "held out": inspector.summary(watched.images[held]),
        "photographs": inspector.summary(seen),
    }
    tried = _scores(inspector.summary(learned.images[chosen]), learned.labels[chosen])
    found: dict[str, dict[str, float]] = {}
    for name, score in tried.items():
        values = {part: score(*made) for part, made in summary.items()}
        photos = values["photographs"]
        found[name] = {"known against other photographs": auroc(photos[known], photos[~known])} | {
            f"held out against {family}": auroc(values["held out"], values[family])
            for family in families
        }
    return found


Score = Callable[
    [NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]], NDArray[np.float64]
]
"""From channel means, features and logits to how foreign each picture is."""


def _scores(
    learnt: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]],
    labels: NDArray[np.uint8],
) -> dict[str, Score]:
    means, features, logits = learnt
    scaled = unit(features)
    centres = unit(np.stack([scaled[labels == label].mean(axis=0) for label in range(10)]))
    origin, residual = features.mean(axis=0), _residual(features, novelty.DIMENSIONS)
    spread = np.linalg.norm((features - origin) @ residual, axis=1).mean()
    alpha = float(logits.max(axis=1).mean() / spread)
    logs = np.log(np.maximum(means, 0) + np.float32(novelty.FAINT))
    inner, outer = _distances(features, labels), _distances(logs, labels)

    def vim(_: Any, f: Any, z: Any) -> NDArray[np.float64]:
        rest = np.linalg.norm((f - origin) @ residual, axis=1)
        return np.asarray(alpha * rest + novelty.energy(z), np.float64)

    def nearest(_: Any, f: Any, __: Any) -> NDArray[np.float64]:
        return np.asarray(np.partition(-(unit(f) @ scaled.T), 9, axis=1)[:, 9], np.float64)

    def log(m: Any) -> Any:
        return np.log(np.maximum(m, 0) + np.float32(novelty.FAINT))

    return {
        "largest softmax (Hendrycks 2017)": lambda _, __, z: -_softmax(z).max(axis=1),
        "largest logit (Hendrycks 2022)": lambda _, __, z: -z.max(axis=1).astype(np.float64),
        "energy (Liu 2020)": lambda _, __, z: novelty.energy(z),
        "10 nearest, unit features (Sun 2022)": nearest,
        "cosine to class means": lambda _, f, __: -(unit(f) @ centres.T).max(axis=1),
        "ViM (Wang 2022)": vim,
        "Mahalanobis, features (Lee 2018)": lambda _, f, __: inner(f)[0],
        "relative Mahalanobis, features (Ren 2021)": lambda _, f, __: inner(f)[1],
        "Mahalanobis to the classes, channels": lambda m, _, __: outer(log(m))[0],
        "relative Mahalanobis, channels": lambda m, _, __: outer(log(m))[1],
        "Mahalanobis to the whole, channels": lambda m, _, __: outer(log(m))[2],
    }


def _distances(
    learnt: NDArray[np.float32], labels: NDArray[np.uint8]
) -> Callable[[NDArray[np.float32]], tuple[NDArray[np.float64], ...]]:
    """Returns what gives the distance to the nearest class, relative, and to the whole."""
    mean, directions = novelty.directions(learnt)
    scale = directions.astype(np.float32)
    scaled = np.asarray((learnt - mean) @ scale, np.float32)
    class_means, within = novelty.classes(scaled, labels, CIFAR10.classes)

    def distances(values: NDArray[np.float32]) -> tuple[NDArray[np.float64], ...]:
        points = np.asarray((values - mean) @ scale, np.float32)
        relative = novelty.relative_distance(points, class_means, within)
        whole = np.square(points.astype(np.float64)).sum(axis=1)
        return relative + whole, relative, whole

    return distances


def _residual(features: NDArray[np.float32], kept: int) -> NDArray[np.float64]:
    """Returns the directions (d, d - kept) that vary least."""
    _, directions = np.linalg.eigh(np.cov((features - features.mean(axis=0)).T))
    rest: NDArray[np.float64] = directions[:, : max(1, features.shape[1] - kept)]
    return rest


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    values = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(values / values.sum(axis=1, keepdims=True))
