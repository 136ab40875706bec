"""Files that mean harm or have come to harm, made here so that none need be shipped."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator, Mapping

import numpy as np
from PIL import Image


def chunk(kind: bytes, body: bytes) -> bytes:
    """Returns one PNG chunk with its checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(  # a format's fields are many
    *,
    size: tuple[int, int],
    rows: bytes,
    colour: int = 2,
    bits: int = 8,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """Returns a PNG; ``rows`` are the scanlines, each with its filter byte in front."""
    head = struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, 0)
    body = chunk(b"IHDR", head) + before + chunk(b"IDAT", zlib.compress(rows, 9)) + after
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def scene(width: int = 24, height: int = 16) -> Image.Image:
    """Returns a small coloured picture without any symmetry."""
    y, x = np.mgrid[:height, :width]
    planes = (x * 255 // width, y * 255 // height, (x * y) * 7 % 256)
    return Image.fromarray(np.stack(planes, axis=-1).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Returns the file of a picture."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def good_files() -> dict[str, bytes]:
    """One small whole file of every kind the lab reads."""
    picture = scene()
    return {
        "JPEG": encoded(picture, "JPEG"),
        "progressive JPEG": encoded(picture, "JPEG", progressive=True),
        "PNG": encoded(picture, "PNG"),
        "palette PNG": encoded(picture.convert("P"), "PNG", transparency=3),
        "WebP": encoded(picture, "WEBP"),
        "lossless WebP": encoded(picture, "WEBP", lossless=True),
        "GIF": encoded(picture, "GIF", save_all=True, append_images=[scene(24, 16).rotate(90)]),
        "BMP": encoded(picture, "BMP"),
        "AVIF": encoded(picture, "AVIF"),
    }


def mutants(
    seed: int, count: int, files: Mapping[str, bytes] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yields damaged files: bits flipped, bytes replaced, cut out, doubled, cut off.

    Args:
        seed: The same seed gives the same files.
        count: How many.
        files: What is damaged, in turn; small whole files of every kind by default.

    Yields:
        What was damaged, and the file.
    """
    rng = random.Random(seed)
    parents = list((files or good_files()).items())
    for number in range(count):
        kind, parent = parents[number % len(parents)]
        data = bytearray(parent)
        for _ in range(rng.choice((1, 1, 2, 4, 16))):
            at = rng.randrange(len(data))
            span = rng.randrange(1, 17)
            match rng.randrange(6):
                case 0:
                    data[at] ^= 1 << rng.randrange(8)
                case 1:
                    data[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
                case 2:
                    data[at : at + 4] = rng.choice((b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff"))
                case 3:
                    del data[at : at + span]
                case 4:
                    data[at:at] = data[at : at + span]
                case 5:
                    data[max(at, 8) :] = b"" if rng.random() < 0.2 else data[max(at, 8) :]
            if len(data) < 2:
                break
        yield f"{kind} {number}", bytes(data)


def refused_bombs() -> dict[str, bytes]:
    """Small files that ask for a great deal of memory or time; all are to be refused."""
    jpeg = encoded(scene(), "JPEG", progressive=True)
    scan = jpeg.index(b"\xff\xda")
    frame = jpeg.index(b"\xff\xc2")
    flooded = jpeg[: frame + 5] + struct.pack(">HH", 65_500, 65_500) + jpeg[frame + 9 :]
    many_scans = jpeg[:scan] + jpeg[scan:-2] * 200 + b"\xff\xd9"
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\xfe\x3f\x00" * 2
    webp = b"RIFF" + struct.pack("<I", 4 + len(canvas) + 1_000) + b"WEBP" + canvas + bytes(1_000)
    avif = encoded(scene(), "AVIF")
    declared = avif.index(b"ispe") + 8
    row = bytes(1 + 3)
    empty = chunk(b"IDAT", b"")
    return {
        "PNG of 60,000 × 60,000": png(size=(60_000, 60_000), rows=bytes(100)),
        "PNG of 49 megapixels without data": png(size=(7_000, 7_000), rows=bytes(100)),
        "PNG of 300,000 empty blocks": png(size=(1, 1), rows=row, before=empty * 300_000),
        "PNG 1 × 40,000": png(size=(1, 40_000), rows=row * 40_000),
        "GIF of 65,535 × 65,535": b"GIF89a" + b"\xff\xff\xff\xff" + bytes(3) + GIF_FRAME + b";",
        "GIF of comments only": b"GIF89a" + bytes(7) + b"\x21\xfe\x01a\x00" * 1_000_000,
        "GIF of one frame in 4,000,000 blocks": (
            b"GIF89a\x01\x00\x01\x00" + bytes(3) + GIF_FRAME[:11] + b"\x01\x44" * 4_000_000
        ),
        "WebP of 16,383 × 16,383": webp,
        "JPEG of 65,500 × 65,500": flooded,
        "JPEG of 200 scans": many_scans,
        "JPEG of 1,000,000 segments": b"\xff\xd8" + b"\xff\xfe\x00\x02" * 1_000_000 + jpeg[2:],
        "JPEG of 9 MB filling": b"\xff\xd8" + b"\xff" * 9_000_000,
        "AVIF of 60,000 × 60,000": (
            avif[:declared] + struct.pack(">II", 60_000, 60_000) + avif[declared + 8 :]
        ),
        "BMP of 2,000,000 runs": run_length_bmp((5_000, 5_000), b"\x01\x00" * 2_000_000),
        "BMP one pixel high": run_length_bmp((40_000_000, 1), b"\x00\x02\x00\xff" * 9),
    }


def endured_bombs() -> dict[str, bytes]:
    """Files with a small picture in front and a great deal behind or around it."""
    text = chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(1_000_000), 9))
    flat = encoded(Image.new("P", (1, 1)), "GIF")
    comment = b"\x21\xfe" + (b"\xff" + b"a" * 255) * 35_000 + b"\x00"
    head = flat[: 13 + 3 * 2 ** ((flat[10] & 7) + 1)]
    return {
        "PNG with 63 MB of text": png(size=(1, 1), rows=bytes(4), before=text * 63),
        "PNG with 300 MB of text behind": png(size=(1, 1), rows=bytes(4), after=text * 300),
        "GIF of 10,000 frames": head + GIF_FRAME * 10_000 + b";",
        "GIF of 500,000 frames": head + GIF_FRAME * 500_000 + b";",
        "GIF with a comment of 9 MB": head + comment + GIF_FRAME + b";",
    }


GIF_FRAME = b"\x2c" + bytes(4) + b"\x01\x00\x01\x00\x00" + b"\x02\x02\x44\x01\x00"
"""A frame of one pixel."""


def run_length_bmp(size: tuple[int, int], body: bytes) -> bytes:
    """Returns an 8-bit run-length BMP."""
    info = struct.pack("<IiiHHIIiiII", 40, *size, 1, 8, 1, len(body), 0, 0, 256, 0)
    offset = 14 + len(info) + 1024
    head = b"BM" + struct.pack("<IHHI", offset + len(body), 0, 0, offset)
    return head + info + bytes(1024) + body
