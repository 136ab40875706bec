"""How the tests of reading images judge what came out, and what was refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cifar_core.errors import PictureError
from cifar_core.inference.upload import Picture, read_picture


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
