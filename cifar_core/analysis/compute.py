"""The whole analysis: features of all pictures, their map, the near-duplicates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cifar_core.analysis import duplicates, projection
from cifar_core.analysis.duplicates import Pair
from cifar_core.analysis.results import Origin, Pairs, Places, folder_of, write_results
from cifar_core.dataset import arrays
from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.dataset.sources import disk_errors
from cifar_core.errors import ModelError
from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.inference.neighbours import unit
from cifar_core.networks import NETWORKS
from cifar_core.runs.devices import usable_cores
from cifar_core.runs.folder import RunFolder

MAP_PICTURES: Final = 5000
"""Shown on the map of the full dataset, half of each split: what a browser draws at once."""

BLOCK: Final = 256


Report = Callable[[str, float], None]
"""Is told what is being done, and how much of the whole is done, from 0 to 1."""

# Where each part ends, as a share of the whole; measured, rounded.
_FEATURES_END: Final = 0.75
_CANDIDATES_END: Final = 0.9
_PAIRS_END: Final = 0.95


@dataclass(frozen=True)
class Network:
    """Which network looks at the pictures.

    Attributes:
        run: Identity of its run.
        title: What people call it.
        path: Its file.
        sha256: The file's recorded digest.
    """

    run: str
    title: str
    path: Path
    sha256: str

    def origin(self, dataset: Dataset) -> Origin:
        """Returns what is noted with everything this network finds in a dataset."""
        pictures = len(dataset.train.labels) + len(dataset.test.labels)
        day = datetime.now(UTC).date().isoformat()
        return Origin(dataset.digest, self.run, self.sha256, self.title, pictures, day)


def network_of(run_dir: Path) -> Network:
    """Returns the network of a finished run.

    Raises:
        ModelError: The run has none.
    """
    folder = RunFolder(run_dir)
    try:
        manifest = folder.read_manifest()
        title = NETWORKS[manifest["network"]].title
        sha256 = str(manifest["sha256"][folder.litert_path.name])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"Run “{folder.id}” has no trained network to look at pictures with ({error}).",
            expected="A finished run with its manifest.",
            remedy="Choose a finished run.",
        ) from error
    return Network(folder.id, title, folder.litert_path, sha256)


def analyse(data_dir: Path, run_dir: Path, report: Report) -> Path:
    """Analyses the full dataset and returns the folder with what was found.

    Raises:
        DataError: The full dataset is missing, or the data folder cannot be written.
        ModelError: The run has no network.
    """
    dataset = arrays.open_full(data_dir)
    network = network_of(run_dir)
    report("Opening the network", 0.0)
    inspector = LayerInspector(network.path, threads=usable_cores(), sha256=network.sha256)
    test, train = dataset.test, dataset.train
    mirrored = duplicates.mirror(np.asarray(test.images))
    features = _features(inspector, [train.images, test.images, mirrored], report)
    compressed = projection.compress(features)
    del features
    origin = network.origin(dataset)
    pairs = find_pairs(dataset, compressed, report)
    report("Laying out the map", _PAIRS_END)
    places = lay_out(dataset, compressed[: origin.pictures], origin, MAP_PICTURES)
    folder = folder_of(data_dir, data=dataset.digest, network=network.sha256)
    with disk_errors(data_dir):
        write_results(folder, places, Pairs(origin, pairs))
    return folder


def lay_out(
    dataset: Dataset, compressed: NDArray[np.float32], origin: Origin, pictures: int
) -> Places:
    """Lays pictures of both splits out in the plane, as many of each class.

    Args:
        dataset: The pictures.
        compressed: (n, k) float32 of all of them, the train split first.
        origin: Noted with the result.
        pictures: How many the map shows, half of each split.
    """
    train, test, classes = dataset.train.labels, dataset.test.labels, dataset.spec.classes
    rows = np.concatenate(
        [
            projection.choose_evenly(train, pictures // 2, classes=classes),
            len(train) + projection.choose_evenly(test, pictures // 2, classes=classes),
        ]
    )
    shown = compressed[rows]
    return Places(
        origin, compressed, rows, projection.plane_pca(shown), projection.plane_tsne(shown)
    )


def analyse_sample(sample: Dataset, run_dir: Path) -> Places:
    """Returns neighbours and map of a small dataset: all its pictures are on the map."""
    network = network_of(run_dir)
    inspector = LayerInspector(network.path, threads=usable_cores(), sha256=network.sha256)
    features = _features(inspector, [sample.train.images, sample.test.images], lambda *_: None)
    origin = network.origin(sample)
    return lay_out(sample, projection.compress(features), origin, origin.pictures)


def find_pairs(
    dataset: Dataset, compressed: NDArray[np.float32], report: Report
) -> tuple[Pair, ...]:
    """Finds the near-duplicates between the test and the train split, the most alike first.

    Args:
        dataset: The pictures.
        compressed: (train + 2 × test, k) float32: of the train split, of the test split, and of
            the test split mirrored.
        report: Is told of the progress.
    """
    train, test = dataset.train, dataset.test
    count = len(train.labels)
    directions = unit(compressed)
    stock = directions[:count]
    thumbs = np.concatenate(
        [
            duplicates.thumbnails(train.images[start : start + 5000])
            for start in range(0, count, 5000)
        ]
    )
    best: dict[tuple[int, int], Pair] = {}
    for is_mirrored in (False, True):
        images = np.asarray(test.images)
        images = duplicates.mirror(images) if is_mirrored else images
        first = count + len(test.labels) * is_mirrored
        queries = directions[first : first + len(test.labels)]
        tell = _Half(report, len(test.labels), is_mirrored=is_mirrored)
        found = duplicates.candidates(
            queries, stock, least=duplicates.LEAST_COSINE, told=tell.first
        ) | duplicates.candidates(
            duplicates.thumbnails(images),
            thumbs,
            least=duplicates.LEAST_THUMBNAIL,
            told=tell.second,
        )
        rows = np.array(sorted(found), np.int64).reshape(-1, 2)
        cosines = np.einsum("ij,ij->i", queries[rows[:, 0]], stock[rows[:, 1]])
        detail = duplicates.judge(rows, images, train.images, cosines)
        for place in np.flatnonzero(detail >= duplicates.LEAST_DETAIL):
            pair = _pair(test, train, rows[place], detail[place], cosines[place], is_mirrored)
            known = best.get((pair.test, pair.train))
            if known is None or pair.detail > known.detail:
                best[pair.test, pair.train] = pair
    return tuple(sorted(best.values(), key=lambda pair: -pair.detail))


@dataclass(frozen=True)
class _Half:
    """Tells how far the search for candidates is: two passes, each over features and pixels."""

    report: Report
    queries: int
    is_mirrored: bool

    def first(self, done: int) -> None:
        self._tell(done / self.queries / 2)

    def second(self, done: int) -> None:
        self._tell(0.5 + done / self.queries / 2)

    def _tell(self, part: float) -> None:
        share = (part + self.is_mirrored) / 2
        here = _FEATURES_END + share * (_CANDIDATES_END - _FEATURES_END)
        self.report("Looking for near-duplicates", here)


def _pair(
    test: Split,
    train: Split,
    row: NDArray[np.int64],
    detail: float,
    cosine: float,
    is_mirrored: bool,
) -> Pair:
    return Pair(
        int(test.indices[row[0]]),
        int(train.indices[row[1]]),
        float(detail),
        float(cosine),
        is_mirrored,
    )


def _features(
    inspector: LayerInspector, parts: list[NDArray[np.uint8]], report: Report
) -> NDArray[np.float16]:
    """Returns what a network's last layer reads of pictures, half precision to spare memory."""
    total = sum(len(part) for part in parts)
    made: NDArray[np.float16] | None = None
    done = 0
    for part in parts:
        for start in range(0, len(part), BLOCK):
            block = inspector.features(np.asarray(part[start : start + BLOCK])).astype(np.float16)
            if made is None:
                made = np.empty((total, block.shape[1]), np.float16)
            made[done : done + len(block)] = block
            done += len(block)
            message = f"Looking at picture {done:,} of {total:,}"
            report(message, _FEATURES_END * done / total)
    assert made is not None
    return made
