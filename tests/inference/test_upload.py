from __future__ import annotations

import hashlib
import random
import struct
import subprocess
import sys
import threading
import time
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from cifar_core import settings
from cifar_core.errors import PictureError
from cifar_core.inference import heif
from cifar_core.inference.exif import read_orientation
from cifar_core.inference.upload import PREVIEW_SIDE, Picture, read_picture, to_network_input
from tests.inference import hostile

ENDINGS = {"JPEG": "jpg", "PNG": "png", "WebP": "webp", "GIF": "gif", "BMP": "bmp", "AVIF": "avif"}
REFUSED = sorted(hostile.refused_bombs())
ENDURED = sorted(hostile.endured_bombs())


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def upright(stored: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """The eight orientations by NumPy alone (CIPA DC-008, tag 274)."""
    turned = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.swapaxes(0, 1),
        6: np.rot90(stored, -1),
        7: stored[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(stored, 1),
    }
    return turned[orientation]


def largest_difference(picture: Picture, expected: NDArray[np.generic]) -> int:
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape == expected.shape
    return int(np.abs(picture.pixels.astype(int) - expected.astype(int)).max())


def refusal(data: bytes, name: str = "picture.png") -> PictureError:
    with pytest.raises(PictureError) as caught:
        read_picture(data, name)
    error = caught.value
    assert error.what
    assert error.expected
    assert error.remedy
    assert str(error).isprintable()
    return error


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


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (10_000, 1), (1, 513), (511, 2)])
def test_extreme_sizes_are_read_and_brought_to_the_networks_size(size: tuple[int, int]) -> None:
    data = hostile.encoded(Image.new("RGB", size, (9, 99, 199)), "PNG")
    picture = read_picture(data, "thin.png")
    assert (picture.width, picture.height) == size
    assert max(picture.pixels.shape) <= PREVIEW_SIDE
    assert (picture.pixels == (9, 99, 199)).all()
    fits: tuple[Literal["squash", "crop"], ...] = ("squash", "crop")
    for fit in fits:
        seen = to_network_input(picture.pixels, fit=fit)
        assert seen.shape == (32, 32, 3)
        assert (seen == (9, 99, 199)).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
def test_a_large_picture_is_reduced_by_averaging(kind: str) -> None:
    y, x = np.mgrid[:1536, :2048]
    large = np.stack([x // 8, y // 6, (x + y) // 15], axis=-1).astype(np.uint8)
    picture = read_picture(hostile.encoded(Image.fromarray(large), kind), "large")
    expected = large.reshape(384, 4, 512, 4, 3).mean(axis=(1, 3))
    assert picture.pixels.shape == expected.shape
    assert (picture.width, picture.height) == (2048, 1536)
    assert np.abs(picture.pixels - expected).mean() < (0.6 if kind in ("PNG", "BMP") else 2)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16"])
@pytest.mark.parametrize("size", [(2048, 1024), (4, 8192), (1536, 3072)])
def test_a_large_picture_of_any_mode_is_reduced_like_its_parts(
    mode: str, size: tuple[int, int]
) -> None:
    rng = np.random.default_rng(4)
    grey = Image.fromarray(rng.integers(0, 256, size[::-1], dtype=np.uint8))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    else:
        image = grey.convert(mode)
    reference = grey.convert("1") if mode == "1" else grey
    picture = read_picture(hostile.encoded(image, "PNG", compress_level=1), "large.png")
    height, width = picture.pixels.shape[:2]
    expected = reference.convert("RGB").resize((width, height), Image.Resampling.BOX)
    assert max(width, height) == PREVIEW_SIDE
    assert largest_difference(picture, np.asarray(expected)) <= 1


@pytest.mark.parametrize("size", [(2500, 1401), (1029, 1027), (3, 9001), (513, 511)])
def test_odd_sizes_are_reduced_without_a_seam(size: tuple[int, int]) -> None:
    y, x = np.mgrid[: size[1], : size[0]]
    ramp = np.stack([x * 255 / size[0], y * 255 / size[1], np.full(x.shape, 77)], axis=-1)
    image = Image.fromarray(ramp.astype(np.uint8))
    picture = read_picture(hostile.encoded(image, "PNG"), "odd.png")
    height, width = picture.pixels.shape[:2]
    expected = image.resize((width, height), Image.Resampling.BOX)
    assert largest_difference(picture, np.asarray(expected)) <= 1
    assert (np.diff(picture.pixels[..., 1].astype(int), axis=0) >= 0).all()


def test_a_large_transparent_palette_is_laid_on_white() -> None:
    stripes = np.zeros((2048, 2048), np.uint8)
    stripes[:, 1024:] = 1
    image = Image.fromarray(stripes, "P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    picture = read_picture(hostile.encoded(image, "PNG", transparency=b"\x00\xff"), "p.png")
    assert (picture.pixels[:, :256] == 255).all()
    assert (picture.pixels[:, 256:] == (40, 50, 60)).all()


def test_a_large_photograph_is_decoded_at_a_fraction_of_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded: list[tuple[int, int]] = []
    load = JpegImagePlugin.JpegImageFile.load

    def watched(image: JpegImagePlugin.JpegImageFile) -> object:
        decoded.append(image.size)
        return load(image)

    monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", watched)
    picture = read_picture(hostile.encoded(Image.new("RGB", (4000, 3000)), "JPEG"), "a.jpg")
    assert decoded[0] == (1000, 750)
    assert (picture.width, picture.height) == (4000, 3000)


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


def test_a_picture_of_the_networks_size_is_untouched() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert to_network_input(pixels, fit="squash") is pixels
    assert to_network_input(pixels, fit="crop") is pixels


def test_squashing_weighs_an_area_with_a_triangle() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (64, 128, 3), dtype=np.uint8)

    def weights(side: int) -> np.ndarray:
        """Returns (32, side): bilinear over the area that a pixel of the small picture covers."""
        scale, places = side / 32, np.arange(side) + 0.5
        centres = (np.arange(32)[:, None] + 0.5) * scale
        triangle = np.maximum(0, 1 - np.abs(places - centres) / scale)
        return np.asarray(triangle / triangle.sum(axis=1, keepdims=True))

    expected = np.einsum("iy,jx,yxc->ijc", weights(64), weights(128), pixels)
    assert np.abs(to_network_input(pixels, fit="squash") - expected).max() <= 1


def test_cropping_takes_the_square_in_the_middle() -> None:
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[:, 32:96] = 200
    assert (to_network_input(pixels, fit="crop") == 200).all()
    assert not (to_network_input(pixels, fit="squash") == 200).all()


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


@pytest.mark.parametrize("shape", [(20, 25), (20, 50), (31, 31), (1, 7)])
def test_a_small_image_is_enlarged_bilinearly(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (*shape, 3), dtype=np.uint8)

    def weights(side: int) -> NDArray[np.float64]:
        """Returns (32, side): between the two nearest pixels, or over an area where it shrinks."""
        scale = side / 32
        centres = (np.arange(32)[:, None] + 0.5) * scale
        distance = np.abs(np.arange(side) + 0.5 - centres) / max(1, scale)
        triangle = np.maximum(0, 1 - distance)
        return np.asarray(triangle / triangle.sum(axis=1, keepdims=True))

    expected = np.einsum("iy,jx,yxc->ijc", weights(shape[0]), weights(shape[1]), pixels)
    assert np.abs(to_network_input(pixels) - expected).max() <= 1
