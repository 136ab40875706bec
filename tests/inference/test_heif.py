"""HEIC files, made by the optional decoder's own encoder; without it they get their advice."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cifar_core.errors import PictureError
from cifar_core.inference import heif
from cifar_core.inference.conversion import STRIP_BYTES_PER_PIXEL, STRIP_PIXELS
from cifar_core.inference.upload import DECODED_BYTES_PER_PIXEL, MAX_PIXELS, read_picture
from cifar_core.settings import PROJECT_DIR
from tests.inference import profiles
from tests.inference.test_room import MEASURE

pytest.importorskip("pillow_heif", reason="requirements-heif.txt is not installed")


def heic(pixels: NDArray[np.uint8], **options: Any) -> bytes:
    assert heif.is_readable()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "HEIF", quality=95, **options)
    return file.getvalue()


def corners(height: int = 64, width: int = 96) -> NDArray[np.uint8]:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (200, 40, 40)
    pixels[: height // 2, width // 2 :] = (40, 200, 40)
    pixels[height // 2 :, : width // 2] = (40, 40, 200)
    return pixels


def test_a_heic_image_is_read() -> None:
    picture = read_picture(heic(corners()), "IMG_1.HEIC")
    assert (picture.format, picture.width, picture.height) == ("HEIC", 96, 64)
    assert np.abs(picture.pixels.astype(int) - corners()).mean() < 4
    assert picture.notes == ()


def test_a_heic_image_is_upright_once() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read_picture(heic(corners(), exif=exif.tobytes()), "IMG_1.HEIC")
    assert np.abs(picture.pixels.astype(int) - np.rot90(corners(), -1)).mean() < 4
    assert (picture.width, picture.height) == (64, 96)


def test_its_colours_are_converted() -> None:
    data = heic(corners(), icc_profile=profiles.rgb_profile("Display P3"))
    picture = read_picture(data, "IMG_1.HEIC")
    expected = profiles.as_srgb(corners(), "Display P3")
    assert np.abs(picture.pixels.astype(int) - expected).mean() < 4
    assert "colours converted from Display P3 to sRGB" in picture.notes


def declaring(width: int, height: int) -> bytes:
    data = bytearray(heic(corners()))
    place = data.index(b"ispe") + 8
    data[place : place + 8] = struct.pack(">II", width, height)
    return bytes(data)


@pytest.mark.parametrize("size", [(60_000, 60_000), (31_000, 10), (7_100, 7_100)])
def test_a_heic_image_that_declares_too_much_is_refused_unread(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = declaring(*size)
    monkeypatch.setattr(Image, "open", None)
    with pytest.raises(PictureError) as caught:
        read_picture(data, "IMG_1.HEIC")
    assert f"{MAX_PIXELS // 10**6} megapixels" in caught.value.expected


def test_a_heic_image_that_declares_less_than_it_holds_is_refused() -> None:
    data = bytearray(heic(np.zeros((3000, 4000, 3), np.uint8)))
    place = data.index(b"ispe") + 8
    data[place : place + 8] = struct.pack(">II", 16, 16)
    with pytest.raises(PictureError):
        read_picture(bytes(data), "IMG_1.HEIC")


def test_what_lies_behind_a_heic_image_changes_nothing() -> None:
    film = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + np.random.default_rng(1).bytes(3_000_000)
    alone = read_picture(heic(corners()), "IMG_1.HEIC")
    assert np.array_equal(read_picture(heic(corners()) + film, "a").pixels, alone.pixels)


def test_damaged_heic_files_give_an_image_or_a_sentence() -> None:
    rng, whole, refused = np.random.default_rng(4), heic(corners()), 0
    for _ in range(100):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 4):
            data[place] = rng.integers(256)
        try:
            read_picture(bytes(data), "damaged.heic")
        except PictureError:
            refused += 1
    assert refused > 5


def test_heic_takes_no_more_memory_than_it_is_weighed_with(tmp_path: Path) -> None:
    side = 2000
    noise = np.random.default_rng(1).integers(0, 256, (50, 50, 4), dtype=np.uint8)
    image = noise.repeat(side // 50, axis=0).repeat(side // 50, axis=1)
    (tmp_path / "large.heic").write_bytes(heic(image))
    answer = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / "large.heic")],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT_DIR,
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"},
    )
    weighed = DECODED_BYTES_PER_PIXEL["HEIF"] * side**2 + STRIP_PIXELS * STRIP_BYTES_PER_PIXEL
    assert 0 < int(answer.stdout) <= weighed
