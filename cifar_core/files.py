"""Writing files so that they are whole or absent, also after a crash or a power cut.

Every durable write of the lab goes through this module, so the reliability tests can fail,
tear or reorder any single operation here and know that they have met them all.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar, overload

from cifar_core.decoding import decode

T = TypeVar("T")

MOST_JSON_BYTES = 16_000_000
"""The largest JSON file that is read: what a stranger lays there must not fill the memory."""


class NoFileError(OSError):
    """What stands at a path is no regular file, or one that is too large to be read."""


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Replaces a file by new content in one step.

    Args:
        path: The file; its folder exists.
        data: The complete content.
        durable: Whether the content must survive a power cut: the file and its folder are
            flushed to the disk. Without it the file is still whole or absent for readers.

    Raises:
        OSError: The disk is full or the folder cannot be written; the old content stands.
    """
    with _temporary(path, data, durable=durable) as temporary:
        os.replace(temporary, path)
    if durable:
        flush_folder(path.parent)


def write_whole_keeping(path: Path, keep: Path, data: bytes) -> None:
    """Replaces a file durably and keeps the old one under a second name.

    The new content is on the disk before any name changes, so at every moment one of the two
    names holds a whole file.

    Raises:
        OSError: The disk is full or the folder cannot be written; the old content stands
            under one of the two names.
    """
    with _temporary(path, data, durable=True) as temporary:
        if path.exists():
            os.replace(path, keep)
        os.replace(temporary, path)
    flush_folder(path.parent)


def write_whole_within(path: Path, spare: Path, data: bytes) -> None:
    """Replaces a file durably, using the room of a spare file: it works on a full disk.

    Args:
        path: The file to replace.
        spare: A file beside it that is at least as long; it is used up.
        data: The complete content.

    Raises:
        OSError: The spare file is not there, or cannot be written; the old content stands.
    """
    descriptor = os.open(spare, os.O_WRONLY)
    try:
        write_all(descriptor, data)
        os.ftruncate(descriptor, len(data))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(spare, path)
    flush_folder(path.parent)


def append(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Adds bytes to the end of a file in one write."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        write_all(descriptor, data)
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def cut(path: Path, size_bytes: int) -> None:
    """Shortens a file to a size, durably; a missing file is made empty.

    Raises:
        ValueError: The file is shorter than that already: something was lost.
    """
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        have = os.fstat(descriptor).st_size
        if have < size_bytes:
            raise ValueError(f"{path.name} has {have} bytes where {size_bytes} were recorded")
        if have > size_bytes:
            os.ftruncate(descriptor, size_bytes)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        flush_folder(path.parent)


def flush(path: Path) -> None:
    """Makes what was written to a file so far survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(path: Path, target: Path) -> None:
    """Gives a file another name in one step, durably; what had that name is gone."""
    os.replace(path, target)
    flush_folder(target.parent)


def sweep(folder: Path, name: str) -> None:
    """Removes what writers of a file that were killed have left beside it."""
    for left in folder.glob(f".{name}.*.tmp"):
        left.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Replaces a file by a value as JSON, in one step."""
    write_whole(path, to_json(value), durable=durable)


def to_json(value: Any) -> bytes:
    """Returns a value as the bytes of a JSON file."""
    return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"


@overload
def read_json(path: Path) -> Any: ...
@overload
def read_json(path: Path, kind: type[T]) -> T: ...
def read_json(path: Path, kind: Any = Any) -> Any:
    """Returns the value in a JSON file.

    Args:
        path: The file.
        kind: What it must be; anything by default.

    Raises:
        OSError: The file cannot be read.
        DecodeError: It is not JSON (also when it was torn by a power cut) or not of that kind.
    """
    return decode(read_bytes(path, most=MOST_JSON_BYTES), kind, path.name)


def read_bytes(path: Path, *, most: int | None = None) -> bytes:
    """Returns the bytes of a regular file; anything else is refused, never waited for.

    Opening a pipe waits for its other end and a device may never end; a folder, a socket or a
    link into a circle is refused by the system itself.

    Args:
        path: The file.
        most: A larger file is refused.

    Raises:
        OSError: The file cannot be read, is no file (:class:`NoFileError`), or too large.
    """
    with open_regular(path) as file:
        if most is None:
            return file.read()
        data = file.read(most + 1)
    if len(data) > most:
        raise NoFileError(errno.EFBIG, f"it has more than {most:,} bytes", str(path))
    return data


def open_regular(path: Path) -> BufferedReader:
    """Opens a regular file for reading, without waiting for anything.

    Raises:
        OSError: The file cannot be read.
        NoFileError: It is a pipe, a device or the like.
    """
    file = open(path, "rb", opener=_open_without_waiting)  # noqa: SIM115 - Path has none
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NoFileError(errno.EINVAL, "it is no file", str(path))
    return file


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file's bytes in hexadecimal."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _temporary(path: Path, data: bytes, *, durable: bool) -> Iterator[Path]:
    """Writes data under a temporary name beside a path and removes what was not renamed."""
    # A name of its own for each write: threads of a server write the same file at once.
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            write_all(descriptor, data)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        yield temporary
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_all(descriptor: int, data: bytes) -> None:
    """Writes all bytes to an open file, however many the system takes at once."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
