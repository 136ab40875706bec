"""From any of Pillow's modes to a small upright RGB picture, without much memory on the way."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image

STRIP_PIXELS = 2_000_000
"""Pixels of a large picture that are converted at once."""

STRIP_BYTES_PER_PIXEL = 32
"""What converting takes at most for each of them: seven copies with transparency (measured: 30)."""

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


def reduce_picture(
    image: Image.Image, bits: int, size: tuple[int, int], *, keeps_cmyk: bool = False
) -> tuple[Image.Image, bool]:
    """Returns the picture as RGB, averaging over areas, and whether something showed through.

    What is transparent is laid on white. Large pictures are converted strip by strip: whole, a
    palette of 50 megapixels in a file of 30 kB would take 400 MB on the way.

    Args:
        image: A decoded picture in any mode that the lab's formats have.
        bits: Bits per channel in its file.
        size: Width and height wanted, none larger than the picture's.
        keeps_cmyk: Leave printing colours as they are, for their profile to convert them.
    """
    if image.mode == "CMYK" and keeps_cmyk:
        return image.resize(size, Image.Resampling.BOX, reducing_gap=2.0), False
    width, height = image.size
    # As Pillow's reducing_gap=2: whole blocks of pixels first, exact areas at the end.
    across, down = (
        max(1, full // small // 2) for full, small in zip(image.size, size, strict=True)
    )
    if across == down == 1:
        plain, is_transparent = _lay_on_white(_plain(image, bits))
        return plain.resize(size, Image.Resampling.BOX), is_transparent
    small = Image.new("RGB", (-(-width // across), -(-height // down)))
    shows_through = False
    step = down * max(1, STRIP_PIXELS // (down * width))
    for top in range(0, height, step):
        strip = image.crop((0, top, width, min(height, top + step)))
        # On white before averaging: averages of colours that are multiplied by their alpha, as
        # Pillow computes them, lose up to 2/255 to rounding.
        plain, is_transparent = _lay_on_white(_plain(strip, bits))
        shows_through |= is_transparent
        small.paste(plain.reduce((across, down)), (0, top // down))
    box = (0, 0, width / across, height / down)
    return small.resize(size, Image.Resampling.BOX, box=box), shows_through


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


def _lay_on_white(image: Image.Image) -> tuple[Image.Image, bool]:
    """Returns an RGB or RGBA picture as RGB, white where it is transparent, and whether it was."""
    if image.mode != "RGBA":
        return image, False
    lowest, _ = image.getchannel("A").getextrema()
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB"), lowest != 255


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Returns the picture as Exif's orientation, 1 to 8, says it is to be seen."""
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image
