"""From the bytes of an uploaded file to upright RGB pixels, within limits set before decoding.

Nothing is written anywhere, and no switch of Pillow's that other threads share is touched.
The file's own declarations are read first (:mod:`cifar_core.inference.envelope`), the limits
are applied to them, and only then the first picture is decoded.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image, WebPImagePlugin

from cifar_core import settings
from cifar_core.dataset import CIFAR10
from cifar_core.errors import PictureError
from cifar_core.inference import heif
from cifar_core.inference.colours import open_profile, to_srgb
from cifar_core.inference.conversion import (
    STRIP_BYTES_PER_PIXEL,
    STRIP_PIXELS,
    reduce_picture,
    turn_upright,
)
from cifar_core.inference.envelope import Envelope, EnvelopeError, read_envelope
from cifar_core.inference.exif import read_orientation
from cifar_core.inference.names import safe_name
from cifar_core.inference.room import Room

MAX_PIXELS = 50_000_000
"""Largest width × height that is decoded: more than the cameras of phones usually write."""

MAX_SIDE = 30_000
MAX_SCANNED_PIXELS = 600_000_000
"""Largest width × height × scans of a progressive JPEG."""

MAX_RLE_BYTES = 1_000_000
"""Largest run-length BMP; Pillow unpacks these in Python, at about a megabyte a second."""

DECODED_BYTES_PER_PIXEL: Mapping[str, int] = {
    "WEBP": 17,
    "HEIF": 14,
    "AVIF": 13,
    "BMP": 11,
    "PNG": 8,
    "JPEG": 5,
    "GIF": 4,
}
"""What decoding takes at most for each pixel that the file declares, all copies on the way counted.

Measured with 49 megapixels: WebP 16.2 (Pillow's decoder holds four copies), AVIF 11.6 with and 9.2
without transparency, BMP 9.4, PNG 6.5, progressive JPEG 3.1, GIF 1.6; HEIC with 16 megapixels 11.9
(10 bits with transparency; 7.9 at most with 8 bits)."""

PREVIEW_SIDE = 512
"""Longest side of :attr:`Picture.pixels`: enough to show, far more than a network sees."""

READABLE = "JPEG, PNG, WebP, GIF, BMP or AVIF"
_LABELS: Mapping[str, str] = {"WEBP": "WebP", "HEIF": "HEIC"}

# Named here so that Image.open finds them registered and does not load all its plugins.
_PLUGINS = (AvifImagePlugin, WebPImagePlugin)


@dataclass(frozen=True)
class Picture:
    """A picture a person brought.

    Attributes:
        name: The file's name as a harmless label.
        pixels: Upright RGB, (height, width, 3) uint8, laid on white where it was transparent;
            reduced so that the longest side is at most :data:`PREVIEW_SIDE`.
        format: ``JPEG``, ``PNG``, ``WebP``, ``GIF``, ``BMP``, ``AVIF`` or ``HEIC``.
        width: Width in pixels before reducing, upright.
        height: Height in pixels before reducing, upright.
        sha256: Digest of the file's bytes.
        notes: What was done to it, in words.
    """

    name: str
    pixels: NDArray[np.uint8]
    format: str
    width: int
    height: int
    sha256: str
    notes: tuple[str, ...] = ()


def read_picture(data: bytes, name: str, room: Room | None = None) -> Picture:
    """Reads the first picture of a file.

    Args:
        data: The whole file.
        name: Its name, from anywhere; used as a label only.
        room: What bounds the pixels that several threads decode at once.

    Returns:
        The picture with pixels (h, w, 3) uint8, h and w at most :data:`PREVIEW_SIDE`.

    Raises:
        PictureError: It is too large, cut off, broken or no picture; nothing else escapes.
    """
    label = safe_name(name)
    if not data:
        raise PictureError(
            f"“{label}” is empty.",
            expected=f"A picture in {READABLE} was expected.",
            remedy="Choose the file again, or another one.",
        )
    check_bytes(len(data), label)
    try:
        envelope = read_envelope(data)
    except EnvelopeError as error:
        raise _broken(label, str(error)) from error
    if envelope is None:
        raise PictureError(
            f"“{label}” is not a picture the lab can read.",
            expected=f"The lab reads {READABLE}, whatever the file is called.",
            remedy="Open it in a picture program and save it as JPEG or PNG.",
        )
    if envelope.format == "HEIF" and not heif.is_readable():
        raise PictureError(
            f"“{label}” is a HEIC picture, as iPhones keep them.",
            expected=f"The lab reads {READABLE}.",
            remedy="Share it from the phone as JPEG (Settings, Camera, Formats: Most Compatible), "
            "or save it as JPEG in a picture program.",
        )
    if envelope.size is not None:
        _check_size(envelope.size, envelope.scans, label)
    try:
        with (room or Room()).take(_decoded_bytes(envelope)):
            picture = _decode(envelope, label)
    except PictureError:
        raise
    # Decoders of broken files raise whatever their authors did not foresee (OSError,
    # SyntaxError, ValueError, struct.error, EOFError, MemoryError …): all mean one thing here.
    except Exception as error:
        raise _broken(label, "it is cut off or damaged") from error
    pixels, (width, height), notes = picture
    return Picture(
        name=label,
        pixels=pixels,
        format=_LABELS.get(envelope.format, envelope.format),
        width=width,
        height=height,
        sha256=hashlib.sha256(data).hexdigest(),
        notes=notes,
    )


def to_network_input(
    pixels: NDArray[np.uint8],
    shape: tuple[int, int, int] = CIFAR10.image_shape,
    *,
    fit: Literal["squash", "crop"] = "squash",
) -> NDArray[np.uint8]:
    """Brings a picture to the size the networks see, averaging over areas.

    Bilinear: where it makes smaller, each pixel is the mean of an area twice its size, the middle
    counting most. Of the ways tried it named images best (docs/classify.md), smaller ones too.

    Args:
        pixels: (h, w, 3) uint8.
        shape: (height, width, channels) of what the networks see; one channel is grey.
        fit: ``squash`` uses the whole picture, ``crop`` the square in its middle.

    Returns:
        uint8 of that shape; an image that has it already comes back untouched.
    """
    if pixels.shape == shape:
        return pixels
    height, width = pixels.shape[:2]
    if fit == "crop":
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        pixels = pixels[top : top + side, left : left + side]
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if shape[2] == 1:
        image = image.convert("L")
    size = (shape[1], shape[0])
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR)).reshape(shape)


def check_bytes(count: int, label: str) -> None:
    """Raises PictureError where a file is larger than an upload may be.

    Args:
        count: Bytes of the file.
        label: Its harmless name.
    """
    if count > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES / 2**20
        raise PictureError(
            f"“{label}” has {count / 2**20:.1f} MB.",
            expected=f"At most {limit:.0f} MB are accepted.",
            remedy="Save it smaller or with more compression, then try again.",
        )


def _check_size(size: tuple[int, int], scans: int, label: str) -> None:
    """Raises PictureError where decoding would take too much memory or time."""
    width, height = size
    pixels = width * height
    if max(size) > MAX_SIDE or pixels > MAX_PIXELS or pixels * scans > MAX_SCANNED_PIXELS:
        raise PictureError(
            f"“{label}” declares {width:,} × {height:,} pixels"
            + (f" in {scans} passes." if scans > 4 else "."),
            expected=f"At most {MAX_PIXELS // 10**6} megapixels and {MAX_SIDE:,} pixels a side "
            "are decoded.",
            remedy="Save a smaller copy; the networks see 32 × 32 pixels of it in the end.",
        )
    if min(size) < 1:
        raise _broken(label, "it declares no pixels")


def _decoded_bytes(envelope: Envelope) -> int | None:
    """Returns what decoding a file takes at most, or None where only the decoder can tell."""
    if envelope.size is None:
        return None
    pixels = envelope.size[0] * envelope.size[1]
    converting = min(pixels, STRIP_PIXELS) * STRIP_BYTES_PER_PIXEL
    return pixels * DECODED_BYTES_PER_PIXEL[envelope.format] + converting


def _broken(label: str, why: str) -> PictureError:
    return PictureError(
        f"“{label}” could not be read: {why}.",
        expected=f"A whole picture in {READABLE} was expected.",
        remedy="Copy or download it again, or save it anew in a picture program.",
    )


def _decode(
    envelope: Envelope, label: str
) -> tuple[NDArray[np.uint8], tuple[int, int], tuple[str, ...]]:
    """Decodes, composites, reduces and turns; returns pixels, upright size and notes."""
    with Image.open(io.BytesIO(envelope.data), formats=[envelope.format]) as image:
        original = image.size
        _check_size(original, envelope.scans, label)
        _check_run_length(image, len(envelope.data), label)
        scale = min(1.0, PREVIEW_SIDE / max(original))
        preview = tuple(max(1, round(side * scale)) for side in original)
        if envelope.format == "JPEG":
            image.draft(None, (preview[0], preview[1]))
        image.load()
        orientation = read_orientation(envelope.exif or image.info.get("exif") or b"")
        icc = envelope.profile or image.info.get("icc_profile") or b""
        profile = open_profile(icc, image.mode)
        notes = _notes_of(image, envelope)
        upright, was_transparent = reduce_picture(
            image,
            envelope.bits,
            (preview[0], preview[1]),
            keeps_cmyk=profile is not None,
        )
    # On the preview: averages taken before or after this differ by less than a person can see.
    upright, colours = to_srgb(upright, profile)
    if colours or (icc and profile is None):
        notes.append(colours or "its colour profile cannot be used and is ignored")
    if was_transparent:
        notes.append("transparency laid on white")
    if orientation > 1:
        upright = turn_upright(upright, orientation)
        notes.append("turned upright")
    size = original[::-1] if orientation >= 5 else original
    return np.array(upright, dtype=np.uint8), size, tuple(notes)


def _notes_of(image: Image.Image, envelope: Envelope) -> list[str]:
    """Returns what reading an image leaves out or brings to 8-bit RGB."""
    notes = []
    frames = envelope.frames or int(getattr(image, "n_frames", 1))
    if frames > 1:
        counted = f"at least {frames:,}" if envelope.has_more_frames else f"{frames:,}"
        notes.append(f"first frame of {counted}")
    if envelope.bits == 16:
        notes.append("16 bits reduced to 8")
    if image.mode == "CMYK":
        notes.append("printing colours (CMYK) turned into RGB")
    return notes


def _check_run_length(image: Image.Image, count: int, label: str) -> None:
    """Raises PictureError for a run-length BMP that would take long to unpack."""
    if image.format == "BMP" and image.info.get("compression") in (1, 2) and count > MAX_RLE_BYTES:
        raise PictureError(
            f"“{label}” is a run-length packed BMP of {count / 1e6:.1f} MB.",
            expected=f"Of this rare kind at most {MAX_RLE_BYTES / 1e6:.0f} MB are read.",
            remedy="Save it as PNG.",
        )
