"""Images of every format, mode and colour come out as they were; their frames are counted."""

from __future__ import annotations

import hashlib
import random
import struct
import threading

import numpy as np
import pytest
from PIL import Image

from cifar_core.inference.upload import read_picture
from tests.inference import hostile
from tests.inference.reading import largest_difference, refusal

ENDINGS = {"JPEG": "jpg", "PNG": "png", "WebP": "webp", "GIF": "gif", "BMP": "bmp", "AVIF": "avif"}


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WebP"])
def test_a_lossless_picture_comes_back_to_the_pixel(kind: str) -> None:
    options = {"lossless": True} if kind == "WebP" else {}
    data = hostile.encoded(hostile.scene(), kind.upper(), **options)
    picture = read_picture(data, "scene." + ENDINGS[kind])
    assert largest_difference(picture, np.asarray(hostile.scene())) == 0
    assert (picture.format, picture.width, picture.height) == (kind, 24, 16)
    assert picture.notes == ()


@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
def test_a_lossy_picture_comes_back_nearly_to_the_pixel(kind: str) -> None:
    y, x = np.mgrid[:64, :96]
    smooth = np.stack([x * 2, y * 3, x + y], axis=-1).astype(np.uint8)
    data = hostile.encoded(Image.fromarray(smooth), kind, quality=95)
    picture = read_picture(data, "smooth")
    assert picture.format == kind
    assert np.abs(picture.pixels.astype(int) - smooth).mean() < 2


def test_the_digest_is_that_of_the_file() -> None:
    data = hostile.good_files()["PNG"]
    assert read_picture(data, "a").sha256 == hashlib.sha256(data).hexdigest()


def test_printing_colours_become_rgb() -> None:
    inks = np.zeros((16, 32, 4), np.uint8)
    inks[:, 8:16, 0], inks[:, 16:24, 1], inks[:, 24:, 3] = 255, 180, 128
    data = hostile.encoded(Image.fromarray(inks, "CMYK"), "JPEG", quality=100)
    assert b"Adobe" in data  # Photoshop's way: the inks are stored inverted
    light = 255 - inks.astype(float)
    expected = np.round(light[..., :3] * light[..., 3:] / 255)
    picture = read_picture(data, "print.jpg")
    assert largest_difference(picture, expected) <= 1
    assert picture.notes == ("printing colours (CMYK) turned into RGB",)


def test_16_bit_grey_keeps_its_brightness() -> None:
    deep = np.arange(0, 65_536, 257 * 4, dtype=">u2").reshape(8, 8)
    rows = b"".join(b"\x00" + row.tobytes() for row in deep)
    picture = read_picture(hostile.png(size=(8, 8), rows=rows, colour=0, bits=16), "deep.png")
    expected = np.repeat(np.round(deep.astype(float) / 257)[..., None], 3, axis=-1)
    assert largest_difference(picture, expected) <= 1
    assert picture.notes == ("16 bits reduced to 8",)


def test_16_bit_colour_keeps_its_colours() -> None:
    deep = np.random.default_rng(0).integers(0, 65_536, (5, 7, 3)).astype(">u2")
    rows = b"".join(b"\x00" + row.tobytes() for row in deep)
    picture = read_picture(hostile.png(size=(7, 5), rows=rows, bits=16), "deep.png")
    assert largest_difference(picture, np.round(deep.astype(float) / 257)) <= 1


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_grey_becomes_white(bits: int) -> None:
    key, other = (2**bits - 2, 2**bits - 1) if bits > 1 else (0, 1)
    row = np.array([other, key, key, other, key, other, other, 0])
    packed = int("".join(f"{value:0{bits}b}" for value in row), 2).to_bytes(bits, "big")
    chunk = hostile.chunk(b"tRNS", key.to_bytes(2, "big"))
    data = hostile.png(size=(8, 1), rows=b"\x00" + packed, colour=0, bits=bits, before=chunk)
    picture = read_picture(data, "key.png")
    expected = np.where((row == key) | (row == other), 255, 0).reshape(1, 8, 1).repeat(3, axis=-1)
    assert largest_difference(picture, expected) == 0
    assert "transparency laid on white" in picture.notes


@pytest.mark.parametrize("bits", [8, 16])
def test_the_transparent_colour_becomes_white(bits: int) -> None:
    colours = np.array([[[3, 4, 5], [200, 100, 50]]]) * (257 if bits == 16 else 1)
    key = hostile.chunk(b"tRNS", colours[0, 0].astype(">u2").tobytes())
    rows = b"\x00" + colours.astype(">u2" if bits == 16 else np.uint8).tobytes()
    data = hostile.png(size=(2, 1), rows=rows, bits=bits, before=key)
    expected = np.array([[[255, 255, 255], [200, 100, 50]]])
    assert largest_difference(read_picture(data, "key.png"), expected) <= 1


def test_a_palette_with_transparency_is_laid_on_white() -> None:
    palette = Image.new("P", (3, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    for x in range(3):
        palette.putpixel((x, 0), x)
    data = hostile.encoded(palette, "PNG", transparency=b"\x00\x80\xff")
    colours = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90]])
    share = np.array([[0], [128], [255]]) / 255
    expected = np.round(colours * share + 255 * (1 - share))[None]
    assert largest_difference(read_picture(data, "palette.png"), expected) <= 1


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_laid_on_white(mode: str, kind: str) -> None:
    rng = np.random.default_rng(1)
    channels = rng.integers(0, 256, (9, 11, len(mode)), dtype=np.uint8)
    options: dict[str, object] = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    data = hostile.encoded(Image.fromarray(channels, mode), kind, **options)
    share = channels[..., -1:].astype(float) / 255
    colours = np.broadcast_to(channels[..., :-1], (9, 11, 3))
    picture = read_picture(data, "glass.png")
    assert largest_difference(picture, np.round(colours * share + 255 * (1 - share))) <= 1
    assert picture.notes == ("transparency laid on white",)


def test_an_alpha_channel_that_hides_nothing_is_not_mentioned() -> None:
    data = hostile.encoded(hostile.scene().convert("RGBA"), "PNG")
    picture = read_picture(data, "opaque.png")
    assert largest_difference(picture, np.asarray(hostile.scene())) == 0
    assert picture.notes == ()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_and_black_and_white_become_three_equal_channels(mode: str, kind: str) -> None:
    grey = hostile.scene().convert(mode)
    picture = read_picture(hostile.encoded(grey, kind), "grey")
    expected = np.repeat(np.asarray(grey.convert("L"))[..., None], 3, axis=-1)
    assert largest_difference(picture, expected) == 0


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_only_the_first_frame_of_an_animation_is_read(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), (40 * n, 255 - 40 * n, 30)) for n in range(5)]
    data = hostile.encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
    picture = read_picture(data, "moving")
    assert picture.notes == ("first frame of 5",)
    assert np.abs(picture.pixels.astype(int) - (0, 255, 30)).max() <= 3


@pytest.mark.parametrize("kind", sorted(ENDINGS))
def test_the_ending_of_the_name_does_not_matter(kind: str) -> None:
    data = hostile.encoded(hostile.scene(), kind.upper())
    assert read_picture(data, "notes.txt").format == kind


def test_many_threads_read_the_same_pixels() -> None:
    files = hostile.good_files()
    alone = {kind: read_picture(data, kind).pixels for kind, data in files.items()}
    wrong: list[str] = []

    def read_all() -> None:
        for kind, data in files.items():
            if not np.array_equal(read_picture(data, kind).pixels, alone[kind]):
                wrong.append(kind)

    threads = [threading.Thread(target=read_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


BEHIND = {
    "a video": b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + random.Random(1).randbytes(6_000_000),
    "zeros": bytes(2_000_000),
    "text of a phone": b"SEFH\x6b\0\0\0" * 50 + b"SEFT",
    "other images": hostile.encoded(hostile.scene().rotate(90), "JPEG", progressive=True) * 30,
}


@pytest.mark.parametrize("what", BEHIND)
@pytest.mark.parametrize("kind", [*hostile.good_files(), "run-length BMP"])
def test_what_lies_behind_an_images_end_changes_nothing(kind: str, what: str) -> None:
    packed = hostile.run_length_bmp((4, 2), b"\x04\x01\x00\x00\x04\x02\x00\x01")
    data = (hostile.good_files() | {"run-length BMP": packed})[kind]
    alone, followed = read_picture(data, kind), read_picture(data + BEHIND[what], kind)
    assert np.array_equal(followed.pixels, alone.pixels)
    assert followed.notes == alone.notes


def test_scans_before_the_end_still_count() -> None:
    data = hostile.refused_bombs()["JPEG of 200 scans"]
    assert "scans" in refusal(data + BEHIND["a video"]).what


@pytest.mark.parametrize(
    "declared", [b"", struct.pack(">II", 1_240_641_512, 0), bytes(8), bytes(2)]
)
def test_a_png_that_lies_about_its_frames_says_nothing_of_them(declared: bytes) -> None:
    lie = hostile.chunk(b"acTL", declared)
    data = hostile.png(size=(1, 1), rows=bytes(4), before=lie)
    assert read_picture(data, "still.png").notes == ()


def test_the_frames_of_a_png_are_counted() -> None:
    frames = [Image.new("RGB", (8, 8), (40 * n, 9, 30)) for n in range(3)]
    data = hostile.encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])
    place = data.index(b"acTL") - 4
    for declared in (0, 1, 3, 10**9):
        lie = hostile.chunk(b"acTL", struct.pack(">II", declared, 0))
        changed = data[:place] + lie + data[place + 20 :]
        assert read_picture(changed, "moving.png").notes == ("first frame of 3",)
