"""What a picture file declares about itself, read before any decoder touches it.

Decoders walk a file block by block, and a hostile file makes that walk long: a million empty
blocks, a comment that is copied again for each of its pieces, text that inflates to megabytes,
ten thousand frames. So the blocks are walked here first, within a bound, and only those that
the first picture needs are handed on.

Sources: PNG (W3C, third edition) section 5, GIF89a, ITU-T T.81 annex B, RFC 9649 (WebP).
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass

MAX_PNG_CHUNKS = 20_000
"""A 10 MB file of a usual program has fewer than 3,000."""

MAX_GIF_BLOCKS = 100_000
"""A 10 MB file of a usual program has fewer than 50,000, most of 255 bytes."""

MAX_JPEG_SEGMENTS = 2_000
MAX_JPEG_SCANS = 64
"""A progressive JPEG has 10 to 15 scans; each passes over the whole picture again."""

MAX_PROFILE_BYTES = 4_000_000
"""Largest colour profile; those of printing presses have up to 3 MB."""

MAX_DEFLATE_RATIO = 1032
"""Deflate cannot pack more bytes than this into one (zlib's technical details)."""

_HEIF = re.compile(rb".{4}ftyp(?:.{4})*?(?:he[iv][cxms]|mif[12]|miaf|msf1|heif)", re.DOTALL)
"""How files begin whose images are packed with HEVC: the brands of their first box."""

_HEIF_SIZE = re.compile(rb"ispe\x00{4}(.{4})(.{4})", re.DOTALL)

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""What ends a JPEG's packed pixels: not a stuffed byte, filling or a restart."""


class EnvelopeError(Exception):
    """The file's own structure is cut off, absurd or hostile; the text says how."""


@dataclass(frozen=True)
class Envelope:
    """What a file says before it is decoded.

    Attributes:
        format: JPEG, PNG, WEBP, GIF, BMP, AVIF or HEIF: Pillow's name of it.
        data: The file with only the blocks that its first picture needs.
        size: Declared width and height, or None where only the decoder can tell.
        frames: Pictures counted, 0 where only the decoder can tell.
        has_more_frames: Counting was given up; there may be more.
        bits: Bits per channel, where the file states them in its head; else 8.
        scans: Passes over the whole picture that decoding takes.
        exif: The Exif block without its six-byte mark, where the file's head holds one.
        profile: The ICC colour profile, where the file's head holds one; not checked.
    """

    format: str
    data: bytes
    size: tuple[int, int] | None = None
    frames: int = 1
    has_more_frames: bool = False
    bits: int = 8
    scans: int = 1
    exif: bytes = b""
    profile: bytes = b""


def read_envelope(data: bytes) -> Envelope | None:
    """Reads what a file declares; None where it is in none of the known formats.

    Args:
        data: The whole file.

    Raises:
        EnvelopeError: The structure is cut off, absurd or hostile.
    """
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _read_jpeg(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return _read_png(data)
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return _read_gif(data)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            end = 8 + struct.unpack_from("<I", data, 4)[0]
            return Envelope("WEBP", data[:end], size=_webp_size(data), frames=0)
        if data.startswith(b"BM"):
            return _read_bmp(data)
        # Brands in the file's first box; a HEIC file has others.
        if data[4:8] == b"ftyp" and (b"avif" in data[8:64] or b"avis" in data[8:64]):
            return Envelope("AVIF", data, frames=0)
        if _HEIF.match(data[: min(64, int.from_bytes(data[:4], "big"))]):
            return Envelope("HEIF", data, size=_heif_size(data), frames=0)
    except (struct.error, IndexError) as error:
        raise EnvelopeError("it breaks off in the middle") from error
    return None


def _read_png(data: bytes) -> Envelope:
    """Keeps the chunks that make pixels; drops text, profiles and later frames."""
    width, height, bits, colour = struct.unpack_from(">IIBB", data, 16)
    kept, packed, exif, profile, position = [data[:8]], 0, b"", b"", 8
    is_animated, begun, frames = False, True, 0
    for _ in range(MAX_PNG_CHUNKS):
        if position >= len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            kept.append(data[position:end])
            packed += length if kind == b"IDAT" else 0
        elif kind == b"acTL":
            is_animated = length == 8  # how many frames it declares is not believed
        elif kind == b"eXIf":
            exif = data[position + 8 : end - 4]
        elif kind == b"iCCP" and not profile and not packed:
            profile = _unpack_profile(data[position + 8 : end - 4])
        if kind in (b"IDAT", b"fdAT"):
            frames, begun = frames + begun, False
        begun |= kind == b"fcTL"
        position = end
        if kind == b"IEND":
            break
    else:
        raise EnvelopeError(f"it has more than {MAX_PNG_CHUNKS:,} blocks")
    channels = {2: 3, 4: 2, 6: 4}.get(colour, 1)
    declared = height * ((width * channels * bits + 7) // 8)
    # Some slack: the first bytes of a deflate stream hold no data.
    if declared > MAX_DEFLATE_RATIO * packed + 65_536:
        raise EnvelopeError(f"it declares {width:,} × {height:,} pixels but holds far fewer")
    return Envelope(
        "PNG",
        b"".join(kept),
        size=(width, height),
        frames=frames if is_animated else 1,
        bits=bits,
        exif=exif,
        profile=profile,
    )


def _unpack_profile(chunk: bytes) -> bytes:
    """Returns the profile in a PNG's iCCP block, or what is no profile where it is broken."""
    _, _, packed = chunk.partition(b"\x00")
    try:
        return zlib.decompressobj().decompress(packed[1:], MAX_PROFILE_BYTES + 1) or chunk
    except zlib.error:
        return chunk


def _read_gif(data: bytes) -> Envelope:
    """Keeps the first frame and its control block; counts the others without decoding."""
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    position = 13 + _palette_bytes(flags)
    kept, frames, blocks = [data[:position]], 0, 0
    while position < len(data) and blocks < MAX_GIF_BLOCKS:
        start, kind = position, data[position]
        blocks += 1
        if kind == 0x3B:
            break
        if kind not in (0x21, 0x2C):  # Pillow skips stray bytes as well
            position += 1
            continue
        position += 2 if kind == 0x21 else 11 + _palette_bytes(data[position + 9])
        while position < len(data) and data[position] and blocks < MAX_GIF_BLOCKS:
            position += 1 + data[position]
            blocks += 1
        position += 1
        is_control = kind == 0x21 and data[start + 1] == 0xF9
        if frames == 0 and (kind == 0x2C or is_control):
            kept.append(data[start:position])
        frames += kind == 0x2C
    gave_up = blocks >= MAX_GIF_BLOCKS
    if frames == 0 or (frames == 1 and gave_up):
        raise EnvelopeError("it holds no picture that ends within a sensible length")
    rest, size = b"".join([*kept, b";"]), (width, height)
    return Envelope("GIF", rest, size=size, frames=frames, has_more_frames=gave_up)


def _palette_bytes(flags: int) -> int:
    """Bytes of a GIF's colour table, from the flags that announce it."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _read_jpeg(data: bytes) -> Envelope:
    """Keeps tables, frame, scans and Adobe's mark; drops comments, profiles and extras."""
    kept, size, bits, exif, position = [b"\xff\xd8"], None, 8, b"", 2
    profile: dict[int, bytes] = {}
    for _ in range(MAX_JPEG_SEGMENTS):
        position = _next_marker(data, position)
        marker = data[position + 1]
        if marker == 0xDA:  # start of scan: pixels, up to the end of the image
            end = _jpeg_end(data, position)
            scans = data.count(b"\xff\xda", position, end)
            if scans > MAX_JPEG_SCANS:
                raise EnvelopeError(f"it has {scans:,} scans")
            rest = b"".join([*kept, data[position:end]])
            icc = b"".join(profile[part] for part in sorted(profile))
            return Envelope("JPEG", rest, size=size, bits=bits, scans=scans, exif=exif, profile=icc)
        if marker == 0xD9:
            break
        if 0xD0 <= marker <= 0xD8 or marker in (0x00, 0x01, 0xFF):  # these stand alone
            position += 2
            continue
        (length,) = struct.unpack_from(">H", data, position + 2)
        segment = data[position : position + 2 + length]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            bits, height, width = struct.unpack_from(">BHH", data, position + 4)
            size = (width, height)
        if marker == 0xE1 and segment[4:8] == b"Exif":
            exif = exif or segment[10:]
        if marker == 0xE2 and segment[4:16] == b"ICC_PROFILE\x00":
            profile.setdefault(segment[16], segment[18:])  # in numbered parts
        if marker in (0xE0, 0xEE) or not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            kept.append(segment)
        position += 2 + length
    raise EnvelopeError("it holds no picture behind its head")


def _jpeg_end(data: bytes, position: int) -> int:
    """Position behind a JPEG's end; phones and cameras put videos and second images there.

    Args:
        data: The file.
        position: Where its first scan starts.

    Returns:
        The file's length where no end is found.
    """
    for _ in range(MAX_JPEG_SEGMENTS):
        found = _MARKER.search(data, position)
        if found is None:
            break
        position, marker = found.end(), found[0][1]
        if marker == 0xD9:
            return position
        if marker >= 0xC0:
            position += int.from_bytes(data[position : position + 2], "big")
    return len(data)


def _next_marker(data: bytes, position: int) -> int:
    """Position of the next JPEG marker's last 0xFF, past filling bytes."""
    position = data.find(b"\xff", position)
    if position < 0:
        raise EnvelopeError("it breaks off in its head")
    window = data[position : position + 65_536]
    return position + len(window) - len(window.lstrip(b"\xff")) - 1


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Canvas of a WebP file; its decoder allocates two canvases when it opens."""
    kind = data[12:16]
    if kind == b"VP8X":
        packed = int.from_bytes(data[24:30], "little")
        return (packed & 0xFFFFFF) + 1, (packed >> 24) + 1
    if kind == b"VP8L":
        (packed,) = struct.unpack_from("<I", data, 21)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _heif_size(data: bytes) -> tuple[int, int] | None:
    """Largest size that a HEIF file declares, of whole images and their tiles."""
    sizes = [
        (int.from_bytes(found[1], "big"), int.from_bytes(found[2], "big"))
        for found in _HEIF_SIZE.finditer(data)
    ]
    return max(sizes, key=lambda size: size[0] * size[1], default=None)


def _read_bmp(data: bytes) -> Envelope:
    """Reads a BMP's head; of run-length packed pixels only as many bytes count as it declares."""
    start, head = struct.unpack_from("<II", data, 10)
    if head == 12:
        return Envelope("BMP", data, size=struct.unpack_from("<HH", data, 18))
    width, height, _, _, packing, count = struct.unpack_from("<iiHHII", data, 18)
    profile = b""
    if head >= 124 and data[70:74] == b"DEBM":  # "embedded", as a little-endian number
        at, length = struct.unpack_from("<II", data, 126)
        profile = data[14 + at : 14 + at + min(length, MAX_PROFILE_BYTES + 1)]
    if packing in (1, 2) and count:
        data = data[: start + count]
    # A negative height means that the first row is the top one.
    return Envelope("BMP", data, size=(abs(width), abs(height)), profile=profile)
