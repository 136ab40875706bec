"""The orientation in a file's Exif block: of all its tags the only one that is read."""

from __future__ import annotations

import struct
from collections.abc import Mapping

MAX_EXIF_TAGS = 1_000

_INTEGERS: Mapping[int, str] = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
"""Exif's integer types as :mod:`struct` writes them."""


def read_orientation(exif: bytes) -> int:
    """Returns the Exif orientation, 1 to 8; 1 (upright) where there is none to be read.

    Pillow would read every tag of every directory and warn about each broken one. Only this
    tag is wanted, and a broken block must not cost the picture.

    Args:
        exif: An Exif block, with or without its ``Exif`` mark.
    """
    block = exif.removeprefix(b"Exif\x00\x00")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, start)
        for entry in range(start + 2, start + 2 + 12 * min(count, MAX_EXIF_TAGS), 12):
            tag, kind, values = struct.unpack_from(order + "HHI", block, entry)
            if tag == 0x0112 and kind in _INTEGERS:
                integer = struct.Struct(order + _INTEGERS[kind])
                place = entry + 8
                if values * integer.size > 4:
                    (place,) = struct.unpack_from(order + "I", block, place)
                (value,) = integer.unpack_from(block, place)
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
