"""A zip of pictures, read one entry at a time and within limits."""

from __future__ import annotations

import io
import zipfile
import zlib

from cifar_core import settings
from cifar_core.errors import PictureError
from cifar_core.inference.names import safe_name
from cifar_core.inference.upload import check_bytes

MAX_ENTRIES = 1_000
MAX_TOTAL_BYTES = 100 * 1024 * 1024
"""Largest sum of the entries' declared sizes."""

_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")
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
        if data.count(b"PK\x01\x02") > MAX_ENTRIES:
            raise _too_much(f"more than {MAX_ENTRIES:,} files")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        # zipfile raises more than BadZipFile on damaged directories (struct.error, ValueError,
        # NotImplementedError, OverflowError …).
        except Exception as error:
            raise PictureError(
                "The archive could not be opened: it is cut off, damaged or no zip.",
                expected="A zip of pictures was expected.",
                remedy="Pack the pictures again, or upload them one by one.",
            ) from error
        self._entries = [entry for entry in self._zip.infolist() if not _is_furniture(entry)]
        total = sum(entry.file_size for entry in self._entries)
        if total > MAX_TOTAL_BYTES:
            raise _too_much(f"{total / 2**20:,.0f} MB of files when unpacked")
        self.names = tuple(safe_name(entry.filename) for entry in self._entries)

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


def is_archive(data: bytes) -> bool:
    """Says whether a file's first bytes are those of a zip, whatever it is called."""
    return data.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def _is_furniture(entry: zipfile.ZipInfo) -> bool:
    """Whether an entry is a folder or a file that a system left there."""
    parts = entry.filename.replace("\\", "/").split("/")
    hidden = parts[-1].startswith(".") and len(parts[-1]) > 1 and parts[-1] != ".."
    return entry.is_dir() or parts[0] == "__MACOSX" or hidden or parts[-1] == "Thumbs.db"


def _too_much(what: str) -> PictureError:
    return PictureError(
        f"The archive holds {what}.",
        expected=f"At most {MAX_ENTRIES:,} files and {MAX_TOTAL_BYTES // 2**20} MB are read.",
        remedy="Split it into smaller archives.",
    )
