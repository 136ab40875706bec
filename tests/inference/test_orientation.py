"""Images are turned as their Exif blocks say."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from cifar_core.inference.exif import read_orientation
from cifar_core.inference.upload import read_picture
from tests.inference import hostile
from tests.inference.reading import exif, largest_difference, upright


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(orientation: int, kind: str) -> None:
    stored = np.asarray(hostile.scene())
    options: dict[str, object] = {"lossless": True} if kind == "WEBP" else {}
    data = hostile.encoded(hostile.scene(), kind, exif=exif(orientation).tobytes(), **options)
    picture = read_picture(data, "turned")
    expected = upright(stored, orientation)
    assert largest_difference(picture, expected) == 0
    assert (picture.height, picture.width) == expected.shape[:2]
    assert ("turned upright" in picture.notes) == (orientation > 1)


@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_like_lossless_pictures(orientation: int, kind: str) -> None:
    corners = np.zeros((32, 48, 3), np.uint8)
    corners[:16, :24] = (250, 10, 10)
    corners[:16, 24:] = (10, 250, 10)
    corners[16:, :24] = (10, 10, 250)
    block = exif(orientation).tobytes()
    data = hostile.encoded(Image.fromarray(corners), kind, quality=95, exif=block)
    expected = upright(corners, orientation).astype(int)
    picture = read_picture(data, "turned.jpg")
    assert picture.pixels.shape == expected.shape
    assert np.abs(picture.pixels - expected).mean() < 6


@pytest.mark.parametrize("orientation", [0, 9, 255, 65_535])
def test_an_impossible_orientation_means_upright(orientation: int) -> None:
    data = hostile.encoded(hostile.scene(), "PNG", exif=exif(orientation).tobytes())
    assert read_picture(data, "odd").notes == ()


@pytest.mark.parametrize(
    "block", [b"", b"II", b"MM\x00*\x7f\xff\xff\xff", b"II*\x00" + b"\xff" * 40]
)
def test_a_broken_exif_block_does_not_cost_the_picture(block: bytes) -> None:
    data = hostile.encoded(hostile.scene(), "JPEG", exif=b"Exif\x00\x00" + block)
    assert read_picture(data, "odd").pixels.shape == (16, 24, 3)


def exif_block(order: str, kind: int, value: int, count: int = 1) -> bytes:
    """An Exif block whose one tag is the orientation, as an integer of any type."""
    size, letter = {1: (1, "B"), 3: (2, "H"), 4: (4, "I"), 6: (1, "b"), 8: (2, "h"), 9: (4, "i")}[
        kind
    ]
    sign = {"<": b"II*\0", ">": b"MM\0*"}[order]
    values = struct.pack(f"{order}{count}{letter}", *[value] * count)
    entry = struct.pack(order + "HHI", 0x0112, kind, count)
    inline = values.ljust(4, b"\0") if size * count <= 4 else struct.pack(order + "I", 26)
    return sign + struct.pack(order + "IH", 8, 1) + entry + inline + bytes(4) + values


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("kind", [1, 3, 4, 6, 8, 9])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_orientation_may_be_any_integer(order: str, kind: int, count: int) -> None:
    assert [read_orientation(exif_block(order, kind, value, count)) for value in range(1, 9)] == [
        *range(1, 9)
    ]
    assert read_orientation(exif_block(order, kind, 9, count)) == 1
    block = exif_block(order, kind, 6, count)
    data = hostile.encoded(hostile.scene(), "PNG", exif=b"Exif\0\0" + block)
    assert (
        largest_difference(read_picture(data, "turned"), upright(np.asarray(hostile.scene()), 6))
        == 0
    )
