"""Preparing the full dataset: try the sources in turn, accept by digest, store."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset, open_full, sha256, verify
from cifar_core.dataset.fetch import DiskError, check_room
from cifar_core.dataset.formats import ContentError
from cifar_core.dataset.laid import DOWNLOADS_FOLDER
from cifar_core.dataset.mirrors import ARCHIVE_NAME, Progress, Report, Source, default_sources
from cifar_core.dataset.store import Arrays, clear_leftovers, write_full
from cifar_core.errors import DataError
from cifar_core.jobs.slot import Slot

__all__ = [
    "Progress",
    "Source",
    "default_sources",
    "disk_errors",
    "prepare",
    "prepare_locked",
]

JOB_NAME = "download"
STORED_BYTES = 190_000_000
"""Room the prepared set takes, rounded up."""


def prepare(
    data_dir: Path,
    *,
    progress: Callable[[Progress], None],
    sources: Sequence[Source] | None = None,
) -> Dataset:
    """Makes the full dataset ready and opens it; does nothing where it already is.

    Args:
        data_dir: The data folder; made if missing.
        progress: Told what is being done.
        sources: The places to try, in order; :func:`default_sources` if not given.

    Raises:
        DataError: Another process is at it, the folder cannot be written, or no source
            delivered (the reason of each is told).
    """
    with disk_errors(data_dir):
        lock = Slot(data_dir, JOB_NAME).take()
    if lock is None:
        raise DataError(
            "Another process is already fetching the dataset.",
            expected="One preparation at a time.",
            remedy="Wait until it is done.",
        )
    with lock:
        return prepare_locked(data_dir, progress=progress, sources=sources)


def prepare_locked(
    data_dir: Path, *, progress: Report, sources: Sequence[Source] | None = None
) -> Dataset:
    """Does the work of :func:`prepare` for a process that already holds the lock."""
    with disk_errors(data_dir):
        clear_leftovers(data_dir)
        ready = _ready(data_dir)
        if ready is not None:
            progress(Progress(ready.source, 0, None, "The dataset is already here."))
            return ready
        check_room(data_dir, STORED_BYTES)
        tried = default_sources(data_dir) if sources is None else sources
        reasons: list[str] = []

        def tell(step: Progress) -> None:
            progress(replace(step, refused=" ".join(reasons)))

        for source in tried:
            try:
                arrays = _deliver(source, data_dir / DOWNLOADS_FOLDER, tell)
            except DiskError:
                raise
            except DataError as error:
                reasons.append(f"{source.name}: {error.what}")
                continue
            tell(Progress(source.name, 0, None, "Writing the dataset to the disk"))
            write_full(data_dir, arrays, source.name)
            shutil.rmtree(data_dir / DOWNLOADS_FOLDER, ignore_errors=True)
            return open_full(data_dir)
    raise DataError(
        f"No source delivered CIFAR-10. {' '.join(reasons)}",
        expected="At least one source that can be reached and holds the true dataset.",
        remedy="Check the network connection and try again; a download goes on where it "
        f"stopped. Or put {ARCHIVE_NAME} into {data_dir}.",
    )


@contextmanager
def disk_errors(data_dir: Path) -> Iterator[None]:
    """Turns what the operating system says about the data folder into three answers."""
    try:
        yield
    except OSError as error:
        words = {
            errno.ENOSPC: "the disk is full",
            errno.EDQUOT: "the disk quota is used up",
            errno.EROFS: "the disk is read-only",
            errno.EACCES: "this account may not write there",
            errno.EPERM: "this account may not write there",
            errno.EEXIST: "there is a file of that name",
            errno.ENOTDIR: "there is a file of that name",
        }.get(error.errno or 0, error.strerror or str(error))
        raise DiskError(
            f"The data folder {data_dir} cannot be used: {words}.",
            expected="A folder this account may write to, with 400 MB free.",
            remedy="Make room or change its permissions, or set CIFAR_LAB_DATA to another folder.",
        ) from error


def _ready(data_dir: Path) -> Dataset | None:
    """Returns the full set if it stands and is whole."""
    try:
        dataset = open_full(data_dir)
        verify(dataset)
    except DataError:
        return None
    return dataset


def _deliver(source: Source, downloads: Path, progress: Report) -> Arrays:
    """Returns a source's arrays if they are the true ones.

    Files that proved wrong are removed. If they had been begun in an earlier try (perhaps of
    another version), the source gets one more chance from nothing.
    """
    folder = downloads / source.folder_name
    had_files = folder.is_dir() and any(folder.iterdir())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        arrays = source.read(folder, progress)
        progress(Progress(source.name, 0, None, "Comparing with the published digests"))
        _check(arrays, source.name)
    except ContentError:
        shutil.rmtree(folder, ignore_errors=True)
        if had_files:
            return _deliver(source, downloads, progress)
        raise
    return arrays


def _check(arrays: Arrays, origin: str) -> None:
    """Refuses arrays that are not CIFAR-10 to the last bit."""
    for name, array in arrays.by_name().items():
        if array.shape != CIFAR10.array_shapes[name] or sha256(array) != CIFAR10.digests[name]:
            raise ContentError(origin, f"the digest of {name} is wrong")
