"""Images of every size are reduced and enlarged as they should be."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from cifar_core.inference.upload import PREVIEW_SIDE, read_picture, to_network_input
from tests.inference import hostile
from tests.inference.reading import largest_difference


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
