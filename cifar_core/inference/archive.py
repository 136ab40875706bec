"""A zip of pictures, read one entry at a time and within limits."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from cifar_core import settings
from cifar_core.errors import PictureError
from cifar_core.inference.names import safe_name
from cifar_core.inference.upload import check_bytes
from cifar_core.inference.zip_names import UTF8_MARK, read_names

MAX_ENTRIES = 1_000
MAX_TOTAL_BYTES = 100 * 1024 * 1024
"""Largest sum of the entries' declared sizes."""

_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")
_ENTRY = b"PK\x01\x02"  # how each entry of a zip's directory starts
_SYSTEM_FILES = (".ds_store", "thumbs.db", "desktop.ini")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Archive:
    """A zip of pictures; nothing is unpacked to disk, the names inside are labels.

    Folders and the system files of macOS and Windows are passed over.

    Attributes:
        names: Harmless names of its files, in its order.

    Args:
        data: The whole archive.

    Raises:
        PictureError: The archive as a whole is broken or too large.
    """

    def __init__(self, data: bytes) -> None:
        check_bytes(len(data), "the archive")
        # Every entry of the directory starts with this mark, so the count bounds the directory
        # before it is parsed; pictures hold the four bytes by chance once in 4 GB.
        if data.count(_ENTRY) > MAX_ENTRIES:
            raise _too_much(f"more than {MAX_ENTRIES:,} files")
        try:
            self._zip = _open(data)
        # zipfile raises more than BadZipFile on damaged directories (struct.error, ValueError,
        # NotImplementedError, OverflowError …).
        except Exception as error:
            raise PictureError(
                "The archive could not be opened: it is cut off, damaged or no zip.",
                expected="A zip of pictures was expected.",
                remedy="Pack the pictures again, or upload them one by one.",
            ) from error
        entries = self._zip.infolist()
        kept = [
            (entry, name)
            for entry, name in zip(entries, read_names(entries), strict=True)
            if not _is_furniture(name, entry.file_size)
        ]
        self._entries = [entry for entry, _ in kept]
        total = sum(entry.file_size for entry in self._entries)
        if total > MAX_TOTAL_BYTES:
            raise _too_much(f"{total / 2**20:,.0f} MB of files when unpacked")
        self.names = tuple(safe_name(name) for _, name in kept)

    def read(self, index: int) -> bytes:
        """Unpacks one file into memory.

        Args:
            index: Its place in :attr:`names`.

        Raises:
            PictureError: It is damaged, too large, locked, packed in a rare way or an archive.
        """
        entry, label = self._entries[index], self.names[index]
        check_bytes(entry.file_size, label)
        if entry.flag_bits & 1 or entry.compress_type not in _METHODS:
            raise PictureError(
                f"“{label}” is locked or packed in a rare way.",
                expected="A plain zip without a password was expected.",
                remedy="Pack the pictures again without a password.",
            )
        try:
            with self._zip.open(entry) as file:
                data = file.read(settings.MAX_UPLOAD_BYTES + 1)
        except (
            OSError,
            zipfile.BadZipFile,
            zlib.error,
            ValueError,
            EOFError,
            RuntimeError,
        ) as error:
            raise PictureError(
                f"“{label}” is damaged inside the archive.",
                expected="A whole file was expected.",
                remedy="Pack the pictures again.",
            ) from error
        if data.startswith(_ARCHIVES):
            raise PictureError(
                f"“{label}” is an archive inside the archive.",
                expected="Pictures were expected.",
                remedy="Unpack it first, then upload its pictures.",
            )
        return data


def open_archive(data: bytes, label: str) -> Archive:
    """Opens a zip that holds at least one file.

    Args:
        data: The whole archive.
        label: Its harmless name.

    Raises:
        PictureError: It is empty, broken or too large.
    """
    archive = Archive(data)
    if not archive.names:
        raise PictureError(
            f"“{label}” holds no files.",
            expected="A zip of pictures was expected.",
            remedy="Pack the pictures again, or choose them one by one.",
        )
    return archive


def is_archive(data: bytes) -> bool:
    """Says whether a file's first bytes are those of a zip, whatever it is called."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def _open(data: bytes) -> zipfile.ZipFile:
    """Opens a zip; where it marks names as UTF-8 that are not, the marks are not believed."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except UnicodeDecodeError:
        unmarked, place = bytearray(data), data.find(_ENTRY)
        while place >= 0:
            unmarked[place + 9] &= 0xFF ^ UTF8_MARK >> 8
            place = data.find(_ENTRY, place + 4)
        archive = zipfile.ZipFile(io.BytesIO(unmarked))
    for entry in archive.infolist():
        # The mark stands in the directory and before the file; zipfile wants both to be equal.
        place = entry.header_offset + 6
        flags = int.from_bytes(data[place : place + 2], "little")
        if place + 2 <= len(data) and (flags ^ entry.flag_bits) & UTF8_MARK and archive.fp:
            archive.fp.seek(place)
            archive.fp.write(struct.pack("<H", flags ^ UTF8_MARK))
    return archive


def _is_furniture(name: str, size: int) -> bool:
    """Whether an entry is a folder or a file that a system left there."""
    path = name.replace("\\", "/").casefold()
    parts = path.split("/")
    is_folder = path.endswith("/") and size == 0
    return (
        is_folder
        or parts[0] == "__macosx"
        or parts[-1] in _SYSTEM_FILES
        or parts[-1].startswith("._")
    )


def _too_much(what: str) -> PictureError:
    return PictureError(
        f"The archive holds {what}.",
        expected=f"At most {MAX_ENTRIES:,} files and {MAX_TOTAL_BYTES // 2**20} MB are read.",
        remedy="Split it into smaller archives.",
    )
