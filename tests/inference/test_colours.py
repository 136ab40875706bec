from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cifar_core.inference.envelope import MAX_PROFILE_BYTES
from cifar_core.inference.upload import Picture, read_picture
from tests.inference import hostile, profiles

WIDE = sorted(set(profiles.SPACES) - {"sRGB"})


def colours(seed: int = 1) -> NDArray[np.uint8]:
    """(64, 64, 3) patches of many colours, 8 pixels wide, as JPEG keeps them apart."""
    patches = np.random.default_rng(seed).integers(20, 235, (8, 8, 3), dtype=np.uint8)
    return patches.repeat(8, axis=0).repeat(8, axis=1)


def difference(picture: Picture, expected: NDArray[np.uint8]) -> int:
    """Largest difference in the middles of the patches."""
    found = picture.pixels[4::8, 4::8].astype(int)
    return int(np.abs(found - expected[4::8, 4::8].astype(int)).max())


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("space", WIDE)
def test_colours_of_a_profile_become_srgb(space: str, kind: str) -> None:
    options: dict[str, object] = {"lossless": True} if kind == "WEBP" else {}
    image = Image.fromarray(colours())
    data = hostile.encoded(image, kind, icc_profile=profiles.rgb_profile(space), **options)
    picture = read_picture(data, "wide")
    expected = profiles.as_srgb(colours(), space)
    assert np.abs(expected.astype(int) - colours()).max() > 20, "the case tells them apart"
    assert difference(picture, expected) <= 2
    assert picture.notes == (f"colours converted from {space} to sRGB",)


@pytest.mark.parametrize("kind", ["JPEG", "AVIF"])
def test_photographs_are_converted_like_lossless_images(kind: str) -> None:
    image, icc = Image.fromarray(colours()), profiles.rgb_profile("Display P3")
    options = {"quality": 100, "subsampling": "4:4:4"}
    plain = read_picture(hostile.encoded(image, kind, **options), "plain")
    wide = read_picture(hostile.encoded(image, kind, icc_profile=icc, **options), "wide")
    assert difference(wide, profiles.as_srgb(plain.pixels, "Display P3")) <= 2
    assert wide.notes == ("colours converted from Display P3 to sRGB",)


def test_a_profile_in_many_parts_out_of_order_is_put_together() -> None:
    icc = profiles.rgb_profile("ProPhoto RGB")
    parts = [icc[start : start + 60] for start in range(0, len(icc), 60)]
    segments = [
        b"\xff\xe2"
        + struct.pack(">H", len(part) + 16)
        + b"ICC_PROFILE\0"
        + bytes((n, len(parts)))
        + part
        for n, part in enumerate(parts, start=1)
    ]
    jpeg = hostile.encoded(Image.fromarray(colours()), "JPEG", quality=100, subsampling=0)
    picture = read_picture(jpeg[:2] + b"".join(reversed(segments)) + jpeg[2:], "parts")
    plain = read_picture(jpeg, "plain")
    assert difference(picture, profiles.as_srgb(plain.pixels, "ProPhoto RGB")) <= 2


def test_a_profile_inside_a_bmp_is_used() -> None:
    icc, bmp = (
        profiles.rgb_profile("Display P3"),
        hostile.encoded(Image.fromarray(colours()), "BMP"),
    )
    pixels, facts = bmp[54:], bytearray(bmp[14:54].ljust(124, b"\0"))
    facts[:4], facts[56:60] = struct.pack("<I", 124), b"DEBM"
    facts[112:120] = struct.pack("<II", 124 + len(pixels), len(icc))
    head = b"BM" + struct.pack("<IHHI", 138 + len(pixels) + len(icc), 0, 0, 138)
    picture = read_picture(head + bytes(facts) + pixels + icc, "wide.bmp")
    assert difference(picture, profiles.as_srgb(colours(), "Display P3")) <= 2


def test_a_srgb_profile_changes_no_pixel_and_is_not_mentioned() -> None:
    image, icc = Image.fromarray(colours()), profiles.rgb_profile("sRGB")
    picture = read_picture(hostile.encoded(image, "PNG", icc_profile=icc), "srgb.png")
    assert np.array_equal(picture.pixels, colours())
    assert picture.notes == ()


def test_a_large_image_is_converted_like_its_reduced_self() -> None:
    y, x = np.mgrid[:1536, :2048]
    large = np.stack([x // 8, y // 6, (x + y) // 15], axis=-1).astype(np.uint8)
    icc = profiles.rgb_profile("Display P3")
    picture = read_picture(hostile.encoded(Image.fromarray(large), "PNG", icc_profile=icc), "big")
    converted = profiles.as_srgb(large, "Display P3").reshape(384, 4, 512, 4, 3).mean(axis=(1, 3))
    assert np.abs(picture.pixels - converted).max() <= 3
    assert np.abs(picture.pixels - converted).mean() < 0.6


def test_grey_with_a_gamma_of_its_own_becomes_srgb() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    data = hostile.encoded(Image.fromarray(ramp), "PNG", icc_profile=profiles.grey_profile(1.5))
    picture = read_picture(data, "grey.png")
    expected = profiles._packed((ramp / 255.0) ** 1.5)
    assert np.abs(picture.pixels[..., 1].astype(int) - expected).max() <= 2
    assert (picture.pixels == picture.pixels[..., :1]).all()


def test_printing_colours_are_converted_by_their_own_profile() -> None:
    corners = np.random.default_rng(2).integers(0, 256, (2, 2, 2, 2, 3)) * np.array([200, 40, 40])
    corners += np.array([8000, 27000, 27000])
    corners[0, 0, 0, 0], corners[1, 1, 1, 1] = (65280, 32768, 32768), (0, 32768, 32768)
    inks = np.stack(np.meshgrid(*[[0, 255]] * 4, indexing="ij"), axis=-1).reshape(4, 4, 4)
    image = Image.fromarray(inks.astype(np.uint8).repeat(16, 0).repeat(16, 1), "CMYK")
    icc = profiles.cmyk_profile(corners)
    data = hostile.encoded(image, "JPEG", icc_profile=icc, quality=100, subsampling=0)
    lab = corners.reshape(4, 4, 3) / np.array([652.8, 256, 256]) - np.array([0, 128, 128])
    picture = read_picture(data, "press.jpg")
    found = picture.pixels[8::16, 8::16].astype(int)
    assert np.abs(found - srgb_of_lab(lab)).max() <= 3
    assert picture.notes[-1] == "colours converted from Test press to sRGB"


def srgb_of_lab(lab: NDArray[np.float64]) -> NDArray[np.int64]:
    """CIE 1976 L*a*b* under D50 to sRGB."""
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, (f - 4 / 29) * 3 * (6 / 29) ** 2) * profiles._xyz(profiles.D50)
    return profiles._packed(xyz @ np.linalg.inv(profiles.matrix_of("sRGB")).T).astype(int)


def broken_profiles() -> dict[str, bytes]:
    whole = profiles.rgb_profile("Display P3")
    return {
        "cut off": whole[:300],
        "head only": whole[:128],
        "no profile": b"hello" * 50,
        "of a press": profiles.cmyk_profile(np.zeros((2, 2, 2, 2, 3), np.uint16)),
        "grey": profiles.grey_profile(2.2),
        "too large": whole + bytes(MAX_PROFILE_BYTES),
    }


@pytest.mark.parametrize("what", broken_profiles())
def test_a_profile_that_cannot_be_used_is_ignored_with_a_note(what: str) -> None:
    image = Image.fromarray(colours())
    data = hostile.encoded(image, "PNG", icc_profile=broken_profiles()[what])
    picture = read_picture(data, "broken.png")
    assert np.array_equal(picture.pixels, colours())
    assert picture.notes == ("its colour profile cannot be used and is ignored",)


def test_damaged_profiles_cost_no_image() -> None:
    rng = np.random.default_rng(3)
    whole, image = profiles.rgb_profile("Adobe RGB (1998)"), Image.fromarray(colours())
    for _ in range(100):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 6):
            damaged[place] = rng.integers(256)
        data = hostile.encoded(image, "PNG", icc_profile=bytes(damaged))
        assert read_picture(data, "damaged.png").pixels.shape == (64, 64, 3)


def test_a_profile_that_inflates_without_end_is_ignored() -> None:
    packed = zlib.compress(profiles.rgb_profile("Display P3") + bytes(500_000_000), 9)
    block = hostile.chunk(b"iCCP", b"bomb\0\0" + packed)
    picture = read_picture(hostile.png(size=(1, 1), rows=bytes(4), before=block), "bomb.png")
    assert picture.notes == ("its colour profile cannot be used and is ignored",)
