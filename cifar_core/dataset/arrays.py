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

from cifar_core.dataset import ARRAY_NAMES, CIFAR10, DatasetSpec
from cifar_core.dataset.stored import StoredRows
from cifar_core.errors import DataError, reason
from cifar_core.files import open_regular, read_json

MANIFEST_NAME = "manifest.json"
FETCH_REMEDY = "Run `python -m cifar_core data`, or press Download on the Dataset page."

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
        labels: (n,) uint8, indices into the class names.
        indices: (n,) int64, ascending: each picture's official position in its split.
        spec: Of which dataset it is a split.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    indices: NDArray[np.int64]
    spec: DatasetSpec = CIFAR10

    def position(self, index: int) -> int:
        """Returns where the picture with this official index lies in the arrays.

        Raises:
            DataError: There is no such picture, or the sample does not hold it.
        """
        total = self.spec.count(self.name)
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
            cut from); see :attr:`DatasetSpec.digest`.
        digests: The SHA-256 each of the four arrays must have.
    """

    train: Split
    test: Split
    is_sample: bool
    source: str
    digest: str
    digests: Mapping[str, str] = field(default_factory=lambda: CIFAR10.digests)

    @property
    def spec(self) -> DatasetSpec:
        """What is known of the dataset without opening it."""
        return self.train.spec


def sha256(array: NDArray[Any]) -> str:
    """Returns the SHA-256 of an array's bytes in C order, 64 hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(array).reshape(-1).data).hexdigest()


def is_prepared(data_dir: Path, spec: DatasetSpec = CIFAR10) -> bool:
    """Says whether the full dataset has been put into the data folder.

    Raises:
        DataError: The folder cannot be read.
    """
    path = data_dir / spec.name / MANIFEST_NAME
    try:
        return path.is_file()
    except OSError as error:
        raise DataError(
            f"The data folder {data_dir} cannot be read: {error.strerror}.",
            expected="A folder this account may read.",
            remedy="Change its permissions, or set CIFAR_LAB_DATA to another folder.",
        ) from error


def open_full(data_dir: Path, spec: DatasetSpec = CIFAR10, *, mapped: bool = True) -> Dataset:
    """Returns the full dataset; hashes nothing.

    Args:
        data_dir: Holds its folder.
        spec: Which dataset.
        mapped: Map the files, for a process of its own that computes with all of them: it is
            killed when another process shortens one. Else images are read by rows.

    Raises:
        DataError: It is missing, or a file of it has the wrong size, shape or content.
    """
    if not is_prepared(data_dir, spec):
        pictures = spec.train_images + spec.test_images
        raise DataError(
            f"The full dataset is not in {data_dir}.",
            expected=f"A training needs all {pictures:,} pictures of {spec.title}.",
            remedy=FETCH_REMEDY,
        )
    folder = data_dir / spec.name
    manifest = _read_manifest(folder, spec)
    arrays = {
        name: _open_array(folder / f"{name}.npy", shape, manifest, mapped)
        for name, shape in spec.array_shapes.items()
    }
    return Dataset(
        train=_full_split("train", arrays, spec),
        test=_full_split("test", arrays, spec),
        is_sample=False,
        source=manifest.source,
        digest=spec.digest,
        digests=spec.digests,
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
                raise _damaged(f"the array {name} is not that of {dataset.spec.title}")


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


def _read_manifest(folder: Path, spec: DatasetSpec) -> _Manifest:
    try:
        manifest = read_json(folder / MANIFEST_NAME, _Manifest)
    except (OSError, ValueError) as error:
        raise _damaged(f"{MANIFEST_NAME} cannot be read ({reason(error)})") from error
    names = {f"{name}.npy" for name in ARRAY_NAMES}
    if manifest.digests != spec.digests or set(manifest.size_bytes) != names:
        raise _damaged(f"{MANIFEST_NAME} records other arrays than those of {spec.title}")
    return manifest


def _open_array(
    path: Path, shape: tuple[int, ...], manifest: _Manifest, mapped: bool
) -> NDArray[np.uint8]:
    try:
        size = path.stat().st_size
        recorded = manifest.size_bytes[path.name]
        if size != recorded:
            raise _damaged(f"{path.name} has {size:,} bytes instead of {recorded:,}")
        if not mapped:
            rows: Any = StoredRows(path, shape)
            return rows if len(shape) > 1 else rows[:]  # type: ignore[no-any-return]
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(f"{path.name} cannot be read ({error})") from error
    if array.shape != shape or array.dtype != np.uint8:
        raise _damaged(f"{path.name} holds {array.dtype} {array.shape} instead of {shape}")
    return array  # type: ignore[no-any-return]


def _full_split(name: str, arrays: Mapping[str, NDArray[np.uint8]], spec: DatasetSpec) -> Split:
    images, labels = arrays[f"{name}_images"], arrays[f"{name}_labels"]
    return Split(name, images, labels, np.arange(len(labels), dtype=np.int64), spec)


def _damaged(reason: str) -> DataError:
    return DataError(
        f"The stored dataset is damaged: {reason}.",
        expected="Four arrays with the sizes and SHA-256 digests that are recorded.",
        remedy=FETCH_REMEDY,
    )
