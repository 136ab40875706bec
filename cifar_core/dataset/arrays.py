"""The images as arrays: the full set on disk, mapped or read by rows.

The full set lies in ``data_dir/cifar10``: four ``.npy`` files and ``manifest.json``. Opening
it reads a few headers; :func:`verify` reads everything once and compares digests, and again only
when a file has changed. Writing it is :mod:`cifar_core.dataset.store`'s work.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cifar_core.dataset import (
    DIGESTS,
    PICTURE_SHAPE,
    TEST_PICTURES,
    TRAIN_PICTURES,
)
from cifar_core.dataset.stored import StoredRows
from cifar_core.errors import DataError, reason
from cifar_core.files import open_regular, read_json

FULL_FOLDER = "cifar10"
MANIFEST_NAME = "manifest.json"
FETCH_REMEDY = "Run `python -m cifar_core data`, or press Download on the Dataset page."
SHAPES: Mapping[str, tuple[int, ...]] = {
    "train_images": (TRAIN_PICTURES, *PICTURE_SHAPE),
    "train_labels": (TRAIN_PICTURES,),
    "test_images": (TEST_PICTURES, *PICTURE_SHAPE),
    "test_labels": (TEST_PICTURES,),
}
"""The shape of each of the four arrays, all uint8."""

_HASHING = threading.Lock()


@dataclass(frozen=True)
class _Manifest:
    source: str
    digests: dict[str, str]  # SHA-256 by array
    size_bytes: dict[str, int]  # by file


@dataclass(frozen=True, eq=False)
class Split:
    """The pictures of one split, in the official order.

    Attributes:
        name: ``train`` or ``test``.
        images: (n, 32, 32, 3) uint8; of the full set memory-mapped and read-only, or rows that
            are read when they are asked for (:class:`StoredRows`).
        labels: (n,) uint8, indices into ``CLASS_NAMES``.
        indices: (n,) int64, ascending: each picture's official position in its split.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    indices: NDArray[np.int64]

    def position(self, index: int) -> int:
        """Returns where the picture with this official index lies in the arrays.

        Raises:
            DataError: There is no such picture, or the sample does not hold it.
        """
        total = TRAIN_PICTURES if self.name == "train" else TEST_PICTURES
        if not 0 <= index < total:
            raise DataError(
                f"The {self.name} split has no picture {index}.",
                expected=f"Its pictures are numbered from 0 to {total - 1:,}.",
                remedy="Choose a number in that range.",
            )
        found = int(np.searchsorted(self.indices, index))
        if found == len(self.indices) or self.indices[found] != index:
            raise DataError(
                f"Picture {index} of the {self.name} split is not in the shipped sample.",
                expected=f"The sample holds {len(self.indices):,} of its {total:,} pictures.",
                remedy=f"Choose one of those, or get the full dataset. {FETCH_REMEDY}",
            )
        return found

    def picture(self, index: int) -> NDArray[np.uint8]:
        """Returns the picture with this official index, (32, 32, 3) uint8.

        Raises:
            DataError: As :meth:`position`.
        """
        return np.asarray(self.images[self.position(index)])


@dataclass(frozen=True, eq=False)
class Dataset:
    """Both splits and where they come from.

    Attributes:
        train: 50,000 pictures, or the sample's 1,000.
        test: 10,000 pictures, or the sample's 1,000.
        is_sample: Whether this is the shipped sample.
        source: Where the pictures were taken from, in words.
        digest: 16 hexadecimal digits that name the full set (of a sample: the set it was
            cut from); see :func:`short_digest`.
        digests: The SHA-256 each of the four arrays must have.
    """

    train: Split
    test: Split
    is_sample: bool
    source: str
    digest: str
    digests: Mapping[str, str] = field(default_factory=lambda: DIGESTS)


def sha256(array: NDArray[Any]) -> str:
    """Returns the SHA-256 of an array's bytes in C order, 64 hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(array).reshape(-1).data).hexdigest()


def short_digest(digests: Mapping[str, str]) -> str:
    """Returns one digest for the whole: of the four array digests in the order of DIGESTS."""
    joined = "".join(digests[name] for name in DIGESTS)
    return hashlib.sha256(joined.encode("ascii")).hexdigest()[:16]


def is_prepared(data_dir: Path) -> bool:
    """Says whether the full dataset has been put into the data folder.

    Raises:
        DataError: The folder cannot be read.
    """
    path = data_dir / FULL_FOLDER / MANIFEST_NAME
    try:
        return path.is_file()
    except OSError as error:
        raise DataError(
            f"The data folder {data_dir} cannot be read: {error.strerror}.",
            expected="A folder this account may read.",
            remedy="Change its permissions, or set CIFAR_LAB_DATA to another folder.",
        ) from error


def open_full(data_dir: Path, *, mapped: bool = True) -> Dataset:
    """Returns the full dataset; hashes nothing.

    Args:
        data_dir: Holds its folder.
        mapped: Map the files, for a process of its own that computes with all of them: it is
            killed when another process shortens one. Else images are read by rows.

    Raises:
        DataError: It is missing, or a file of it has the wrong size, shape or content.
    """
    if not is_prepared(data_dir):
        raise DataError(
            f"The full dataset is not in {data_dir}.",
            expected="A training needs all 60,000 pictures of CIFAR-10.",
            remedy=FETCH_REMEDY,
        )
    folder = data_dir / FULL_FOLDER
    manifest = _read_manifest(folder)
    arrays = {name: _open_array(folder, name, manifest, mapped) for name in DIGESTS}
    return Dataset(
        train=_full_split("train", arrays),
        test=_full_split("test", arrays),
        is_sample=False,
        source=manifest.source,
        digest=short_digest(DIGESTS),
    )


def verify(dataset: Dataset) -> None:
    """Compares the SHA-256 of all four arrays; the full set's are computed once per process.

    That takes a fifth of a second to a whole one; afterwards a file is hashed again only when its
    size or time has changed. Who asks while somebody else computes waits for the result.

    Raises:
        DataError: An array is not what was recorded; names it.
    """
    with _HASHING:
        _verify(dataset)


def _verify(dataset: Dataset) -> None:
    for split in (dataset.train, dataset.test):
        for kind, array in (("images", split.images), ("labels", split.labels)):
            name = f"{split.name}_{kind}"
            if _sha256_once(array) != dataset.digests[name]:
                raise _damaged(f"the array {name} does not have the digest of CIFAR-10")


def _sha256_once(array: NDArray[Any]) -> str:
    """Returns the SHA-256 of an array; of a whole mapped file once per change of the file."""
    stored: Any = array
    is_file = isinstance(stored, np.memmap | StoredRows)
    if not is_file or not isinstance(stored.filename, str | Path):
        return sha256(array)
    path = Path(stored.filename)
    try:
        state = path.stat()
        return _sha256_of_file(path, stored.offset, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise _damaged(f"{path.name} cannot be read ({error.strerror})") from error


@functools.lru_cache(maxsize=16)
def _sha256_of_file(path: Path, offset: int, _size: int, _time: int) -> str:
    """Returns the SHA-256 of a file behind its header, read so that it fills no memory."""
    with open_regular(path) as file:
        file.seek(offset)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_manifest(folder: Path) -> _Manifest:
    try:
        manifest = read_json(folder / MANIFEST_NAME, _Manifest)
    except (OSError, ValueError) as error:
        raise _damaged(f"{MANIFEST_NAME} cannot be read ({reason(error)})") from error
    if manifest.digests != DIGESTS or set(manifest.size_bytes) != {f"{n}.npy" for n in DIGESTS}:
        raise _damaged(f"{MANIFEST_NAME} records other arrays than those of CIFAR-10")
    return manifest


def _open_array(folder: Path, name: str, manifest: _Manifest, mapped: bool) -> NDArray[np.uint8]:
    path = folder / f"{name}.npy"
    try:
        size = path.stat().st_size
        recorded = manifest.size_bytes[path.name]
        if size != recorded:
            raise _damaged(f"{path.name} has {size:,} bytes instead of {recorded:,}")
        if not mapped:
            rows: Any = StoredRows(path, SHAPES[name])
            return rows if name.endswith("_images") else rows[:]  # type: ignore[no-any-return]
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(f"{path.name} cannot be read ({error})") from error
    if array.shape != SHAPES[name] or array.dtype != np.uint8:
        raise _damaged(f"{path.name} holds {array.dtype} {array.shape} instead of {SHAPES[name]}")
    return array  # type: ignore[no-any-return]


def _full_split(name: str, arrays: Mapping[str, NDArray[np.uint8]]) -> Split:
    labels = arrays[f"{name}_labels"]
    return Split(name, arrays[f"{name}_images"], labels, np.arange(len(labels), dtype=np.int64))


def _damaged(reason: str) -> DataError:
    return DataError(
        f"The stored dataset is damaged: {reason}.",
        expected="Four arrays with the sizes and SHA-256 digests of CIFAR-10.",
        remedy=FETCH_REMEDY,
    )
