"""Colour profiles: from the colours a file means to sRGB, in which the networks were trained.

A phone's Display P3 or a camera's Adobe RGB, read as sRGB, looks paler than it is. The conversion
is LittleCMS', through Pillow, on the reduced image.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms

from cifar_core.inference.envelope import MAX_PROFILE_BYTES
from cifar_core.inference.names import safe_name

# Colour space in the profile's head → Pillow's mode of what it describes (ICC.1, 7.2.6).
_MODES: Mapping[bytes, str] = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
_GREY = ("1", "L", "LA", "I", "I;16", "I;16B")


@dataclass(frozen=True)
class ColourProfile:
    """What a file says of its colours.

    Attributes:
        name: What the profile calls itself, harmless.
        mode: Pillow's mode of what it converts: ``RGB``, ``L`` or ``CMYK``.
        transform: From that mode to sRGB.
    """

    name: str
    mode: str
    transform: ImageCms.ImageCmsTransform


def open_profile(data: bytes, mode: str) -> ColourProfile | None:
    """Opens an ICC profile; None where there is none or it is broken, too large or of another kind.

    Args:
        data: The profile, from anywhere; may be empty.
        mode: Pillow's mode of the image it came with.
    """
    described = _MODES.get(data[16:20])
    if described is None or len(data) > MAX_PROFILE_BYTES or data[36:40] != b"acsp":
        return None
    if (described == "CMYK") != (mode == "CMYK") or (described == "L" and mode not in _GREY):
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        name = safe_name(ImageCms.getProfileDescription(profile))
        srgb = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(profile, srgb, described, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    return ColourProfile(name, described, transform)


def to_srgb(image: Image.Image, profile: ColourProfile | None) -> tuple[Image.Image, str]:
    """Converts an image's colours and says so, where that changes more than rounding does.

    Args:
        image: RGB, or CMYK where the profile is for it; small.
        profile: As :func:`open_profile` returns it.

    Returns:
        The image as RGB, and a note, empty where nothing changed.
    """
    if profile is None:
        return image, ""
    given = image if image.mode == profile.mode else image.convert(profile.mode)
    converted = Image.new("RGB", image.size)
    profile.transform.apply(given, converted)
    if image.mode == "RGB":
        before, after = (np.asarray(one, dtype=np.int16) for one in (image, converted))
        if np.abs(before - after).max() <= 1:
            return image, ""
    return converted, f"colours converted from {profile.name} to sRGB"
