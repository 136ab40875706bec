"""From any of Pillow's modes to a small upright RGB picture, without much memory on the way."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image

STRIP_PIXELS = 2_000_000
"""Pixels of a large picture that are converted at once."""

# Exif orientation → what makes the picture upright (CIPA DC-008, tag 274).
_UPRIGHT: Mapping[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def reduce_picture(image: Image.Image, bits: int, size: tuple[int, int]) -> Image.Image:
    """Returns the picture as RGB, or RGBA where it may be transparent, averaging over areas.

    Large pictures are converted strip by strip: whole, a palette of 50 megapixels in a file of
    30 kB would take 400 MB on the way.

    Args:
        image: A decoded picture in any mode that the lab's formats have.
        bits: Bits per channel in its file.
        size: Width and height wanted, none larger than the picture's.
    """
    width, height = image.size
    # As Pillow's reducing_gap=2: whole blocks of pixels first, exact areas at the end.
    across, down = (
        max(1, full // small // 2) for full, small in zip(image.size, size, strict=True)
    )
    if across == down == 1:
        return _plain(image, bits).resize(size, Image.Resampling.BOX)
    small: Image.Image | None = None
    step = down * max(1, STRIP_PIXELS // (down * width))
    for top in range(0, height, step):
        strip = image.crop((0, top, width, min(height, top + step)))
        part = _plain(strip, bits).reduce((across, down))
        if small is None:
            small = Image.new(part.mode, (part.width, -(-height // down)))
        small.paste(part, (0, top // down))
    assert small is not None
    return small.resize(size, Image.Resampling.BOX, box=(0, 0, width / across, height / down))


def _plain(image: Image.Image, bits: int) -> Image.Image:
    """Brings any of Pillow's modes to RGB, or to RGBA where something is transparent."""
    key = image.info.get("transparency")
    if image.mode.startswith("I"):
        deep = np.asarray(image)
        grey = Image.fromarray((deep >> 8).astype(np.uint8)).convert("RGB")
        if isinstance(key, int):
            grey.putalpha(Image.fromarray(np.where(deep == key, 0, 255).astype(np.uint8)))
        return grey
    if isinstance(key, int) and bits in (2, 4):
        # Pillow widens 2- and 4-bit grey to 8 bits but leaves the transparent value as it was.
        image.info["transparency"] = min(255, key * 255 // (2**bits - 1))
    if isinstance(key, tuple) and bits == 16:
        image.info["transparency"] = tuple(value >> 8 for value in key)
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def is_transparent(image: Image.Image) -> bool:
    """Whether anything behind an RGB or RGBA picture would show through."""
    if image.mode != "RGBA":
        return False
    lowest, _ = image.getchannel("A").getextrema()
    return lowest != 255


def lay_on_white(image: Image.Image) -> Image.Image:
    """Returns an RGB or RGBA picture as RGB, white where it is transparent."""
    if image.mode != "RGBA":
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Returns the picture as Exif's orientation, 1 to 8, says it is to be seen."""
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image
