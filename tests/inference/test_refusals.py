"""What is no image, is broken or costs too much is refused within limits."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest

from cifar_core import settings
from cifar_core.errors import PictureError
from cifar_core.inference import heif
from cifar_core.inference.upload import PREVIEW_SIDE, read_picture
from tests.inference import hostile
from tests.inference.reading import refusal

REFUSED = sorted(hostile.refused_bombs())
ENDURED = sorted(hostile.endured_bombs())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"hello, this is no picture",
        b"<!doctype html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg'><circle r='4'/></svg>",
        b"%PDF-1.7\n",
        b"PK\x03\x04" + bytes(100),
        b"\x7fELF" + bytes(100),
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"II*\x00\x08\x00\x00\x00" + bytes(100),
        b"GIF89a",
        b"BM",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\x00\x00\x00\x00WEBP",
        b"\x00\x00\x00\x18ftypavif" + bytes(20),
        b"\x00\x00\x00\x18ftypheic" + bytes(20),
        bytes(range(256)) * 40,
    ],
)
def test_what_is_no_picture_is_refused_in_three_sentences(data: bytes) -> None:
    refusal(data)


def test_a_file_above_the_limit_is_refused_unread() -> None:
    error = refusal(hostile.good_files()["PNG"] + bytes(settings.MAX_UPLOAD_BYTES))
    assert "10.0 MB" in error.what


@pytest.mark.parametrize("kind", ["JPEG", "progressive JPEG", "PNG", "WebP", "BMP", "AVIF", "GIF"])
def test_a_picture_cut_off_anywhere_is_refused_or_whole(kind: str) -> None:
    whole = hostile.good_files()[kind]
    refused = 0
    for cut in range(0, len(whole), max(1, len(whole) // 60)):
        try:
            picture = read_picture(whole[:cut], "cut")
        except PictureError:
            refused += 1
        else:
            assert picture.pixels.shape == (16, 24, 3)
    assert refused >= 20


def test_damaged_files_give_a_picture_or_a_sentence() -> None:
    refused = 0
    for what, data in hostile.mutants(seed=7, count=300):
        try:
            picture = read_picture(data, what)
        except PictureError:
            refused += 1
        else:
            assert picture.pixels.dtype == np.uint8
            assert 1 <= max(picture.pixels.shape) <= PREVIEW_SIDE
    assert 50 < refused < 300


@pytest.mark.parametrize("what", REFUSED)
def test_a_bomb_is_refused_within_half_a_second(what: str) -> None:
    data = hostile.refused_bombs()[what]
    start = time.process_time()
    refusal(data)
    assert time.process_time() - start < 0.5


def test_a_png_that_cannot_hold_its_pixels_is_refused_before_decoding() -> None:
    data = hostile.refused_bombs()["PNG of 49 megapixels without data"]
    assert "7,000 × 7,000 pixels but holds far fewer" in refusal(data).what


@pytest.mark.parametrize("what", ENDURED)
def test_ballast_around_a_small_picture_costs_less_than_half_a_second(what: str) -> None:
    data = hostile.endured_bombs()[what]
    start = time.process_time()
    assert read_picture(data, what).pixels.shape == (1, 1, 3)
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(
    ("what", "note"),
    [
        ("GIF of 10,000 frames", "first frame of 10,000"),
        ("GIF of 500,000 frames", "first frame of at least 50,000"),
    ],
)
def test_the_frames_are_counted_as_far_as_it_is_cheap(what: str, note: str) -> None:
    assert read_picture(hostile.endured_bombs()[what], "long.gif").notes == (note,)


MEMORY_SCRIPT = """
import resource
from cifar_core.errors import PictureError
from cifar_core.inference.upload import read_picture
from tests.inference import hostile

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

files = list(hostile.refused_bombs().values()) + list(hostile.endured_bombs().values())
for data in hostile.good_files().values():
    read_picture(data, "good")
before = peak()
for data in files:
    try:
        read_picture(data, "bomb")
    except PictureError:
        pass
print(peak() - before)
"""


def test_bombs_cost_less_than_50_megabytes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEMORY_SCRIPT],
        cwd=settings.PROJECT_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < 50


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("C:\\Users\\me\\cat.png", "C:/Users/me/cat.png"),
        ("two\nlines\r\n.png", "two lines .png"),
        ("\u202egnp.exe", "gnp.exe"),
        ("nul\x00\x1b[31mred.png", "nul[31mred.png"),
        ("\ud800broken.png", "broken.png"),
        ("", "unnamed file"),
        ("..", "unnamed file"),
    ],
)
def test_a_refusal_names_the_file_harmlessly(name: str, label: str) -> None:
    assert f"“{label}”" in refusal(b"no picture", name).what


def test_a_long_name_is_cut_in_the_middle() -> None:
    name = read_picture(hostile.good_files()["PNG"], "a" * 1_000 + ".png").name
    assert len(name) == 80
    assert name.endswith("aaa.png")


HEIC = ("heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs", "mif1", "msf1", "heif")


@pytest.mark.parametrize("major", [None, *HEIC])
@pytest.mark.parametrize("brand", HEIC)
def test_a_picture_as_iphones_keep_them_is_refused_with_what_to_do(
    brand: str, major: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heif, "is_readable", lambda: False)
    brands = f"{major}\0\0\0\0{brand}".encode() if major else f"{brand}\0\0\0\0".encode()
    box = (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands
    error = refusal(box + bytes(40), "IMG_1.HEIC")
    assert "HEIC" in error.what
    assert "Most Compatible" in error.remedy


def test_other_films_are_no_heic() -> None:
    film = b"\x00\x00\x00\x18ftypmp42\0\0\0\0isommp42" + b"heic" * 20
    assert "HEIC" not in refusal(film, "film.mp4").what
