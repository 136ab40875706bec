"""The shipped sample: 2,000 real pictures, so that every page opens without a download.

100 pictures of each class and split, spread evenly over the official order (in the train
split 20 from each of the five batches), stored without loss as two mosaics; and the labels
of all 60,000 pictures. ``python -m cifar_core.dataset.sample`` cuts the same files again
from the full dataset.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cifar_core import settings
from cifar_core.dataset import CIFAR10, DatasetSpec
from cifar_core.dataset.arrays import (
    Dataset,
    Split,
    is_prepared,
    open_full,
    sha256,
)
from cifar_core.errors import DataError, LabError, reason
from cifar_core.files import read_json

SAMPLE_DIR = Path(__file__).parent / "sample"
PICTURES_PER_CLASS = 100
MOSAIC_COLUMNS = 40

_SHEET_NAME = "sample.json"
_LABELS_NAME = "labels.gz"

_SPLITS = ("train", "test")


@dataclass(frozen=True)
class _Sheet:
    """What the sample's sheet records: SHA-256 by file and by array, and the pictures."""

    files: dict[str, str]
    arrays: dict[str, str]
    indices: dict[str, list[int]]


def open_dataset(data_dir: Path) -> Dataset:
    """Returns the full dataset where it has been prepared, else the shipped sample.

    Its images are read when they are asked for: whoever shortens a file meanwhile is answered
    with a sentence and ends no server.

    Raises:
        DataError: The full dataset is there and damaged, or the sample is.
    """
    if is_prepared(data_dir):
        return open_full(data_dir, mapped=False)
    return load_sample()


def load_sample(folder: Path = SAMPLE_DIR) -> Dataset:
    """Returns the shipped sample, 1,000 pictures of each split, in the official order.

    Raises:
        DataError: A file of the sample is missing, or its digest is not the recorded one.
    """
    sheet = _read_sheet(folder)
    train_labels, test_labels = load_labels(folder)
    splits = []
    for name, labels in zip(_SPLITS, (train_labels, test_labels), strict=True):
        indices = np.asarray(sheet.indices[name], dtype=np.int64)
        mosaic = _read_recorded(folder, f"{name}.webp", sheet)
        with Image.open(io.BytesIO(mosaic)) as picture:
            images = _from_mosaic(np.asarray(picture.convert("RGB")))
        splits.append(Split(name, images, labels[indices], indices))
    return Dataset(
        train=splits[0],
        test=splits[1],
        is_sample=True,
        source="the sample shipped with the lab: 2,000 of the 60,000 pictures",
        digest=CIFAR10.digest,
        digests=sheet.arrays,
    )


def load_labels(folder: Path = SAMPLE_DIR) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns the labels of all 60,000 pictures: train (50000,) and test (10000,), uint8.

    Raises:
        DataError: The file is missing, or its digest is not the recorded one.
    """
    packed = _read_recorded(folder, _LABELS_NAME, _read_sheet(folder))
    labels = np.frombuffer(gzip.decompress(packed), dtype=np.uint8)
    return labels[: CIFAR10.train_images], labels[CIFAR10.train_images :]


def labels_of(spec: DatasetSpec) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns the labels of a dataset's splits: those that ship, or those in the data folder.

    Raises:
        DataError: They are missing or damaged.
    """
    if spec.name == CIFAR10.name:
        return load_labels()
    full = open_full(settings.current().data_dir, spec, mapped=False)
    return full.train.labels, full.test.labels


def choose(labels: NDArray[np.uint8], *, batches: int) -> NDArray[np.int64]:
    """Chooses the sample's pictures: evenly over the official order, by class and batch.

    Args:
        labels: (n,) uint8, of a whole split.
        batches: Into how many equal stretches the split falls; each gives the same share.

    Returns:
        (1000,) int64, ascending.
    """
    share = PICTURES_PER_CLASS // batches
    chosen: list[int] = []
    for batch in range(batches):
        start = batch * CIFAR10.batch_images
        stretch = labels[start : start + CIFAR10.batch_images]
        for label in range(CIFAR10.classes):
            places = np.flatnonzero(stretch == label)
            even = np.linspace(0, len(places) - 1, share).round().astype(np.int64)
            chosen.extend(start + places[even])
    return np.sort(np.asarray(chosen, dtype=np.int64))


def write_sample(full: Dataset, folder: Path = SAMPLE_DIR) -> None:
    """Cuts the sample from the full dataset; the same versions give the same bytes.

    Raises:
        OSError: The folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, str] = {}
    sheet: dict[str, Any] = {"cut_from": full.digest, "files": files, "arrays": {}, "indices": {}}
    for split, batches in ((full.train, CIFAR10.train_batches), (full.test, 1)):
        indices = choose(split.labels, batches=batches)
        images = np.asarray(split.images[indices])
        sheet["arrays"][f"{split.name}_images"] = sha256(images)
        sheet["arrays"][f"{split.name}_labels"] = sha256(split.labels[indices])
        sheet["indices"][split.name] = indices.tolist()
        packed = io.BytesIO()
        # A greater effort saves 1% and takes sixty times as long.
        Image.fromarray(_to_mosaic(images)).save(
            packed, "WEBP", lossless=True, exact=True, quality=75, method=4
        )
        files[f"{split.name}.webp"] = _write(folder / f"{split.name}.webp", packed.getvalue())
    labels = full.train.labels.tobytes() + full.test.labels.tobytes()
    files[_LABELS_NAME] = _write(folder / _LABELS_NAME, gzip.compress(labels, mtime=0))
    _write(folder / _SHEET_NAME, (json.dumps(sheet) + "\n").encode("ascii"))


def _write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def _to_mosaic(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lays (n, 32, 32, 3) pictures out in rows of forty: (32 n / 40, 1280, 3)."""
    height, width, channels = CIFAR10.image_shape
    grid = images.reshape(-1, MOSAIC_COLUMNS, height, width, channels)
    return grid.swapaxes(1, 2).reshape(-1, MOSAIC_COLUMNS * width, channels)


def _from_mosaic(mosaic: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The inverse of :func:`_to_mosaic`."""
    height, width, channels = CIFAR10.image_shape
    grid = mosaic.reshape(-1, height, MOSAIC_COLUMNS, width, channels)
    return np.ascontiguousarray(grid.swapaxes(1, 2)).reshape(-1, height, width, channels)


def _read_sheet(folder: Path) -> _Sheet:
    try:
        return read_json(folder / _SHEET_NAME, _Sheet)
    except (OSError, ValueError) as error:
        raise _broken(f"{_SHEET_NAME} cannot be read ({reason(error)})") from error


def _read_recorded(folder: Path, name: str, sheet: _Sheet) -> bytes:
    """Returns a file of the sample after comparing it with its recorded SHA-256."""
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise _broken(f"{name} cannot be read ({error.strerror})") from error
    if hashlib.sha256(content).hexdigest() != sheet.files.get(name):
        raise _broken(f"{name} does not have its recorded digest")
    return content


def _broken(reason: str) -> DataError:
    return DataError(
        f"The sample shipped with the lab is broken: {reason}.",
        expected=f"The files of {SAMPLE_DIR.name}/ as they were published.",
        remedy="Fetch the project's files again, for example with `git checkout`.",
    )


def main() -> int:
    """Cuts the sample again from the full dataset of the configured data folder."""
    try:
        write_sample(open_full(settings.current().data_dir))
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
