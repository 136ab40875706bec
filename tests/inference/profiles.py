"""ICC colour profiles made from their definition, and what they mean by NumPy alone."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

D50, D65 = (0.3457, 0.3585), (0.3127, 0.3290)
SPACES = {  # chromaticities of red, green and blue, white, gamma (None: sRGB's own curve)
    "sRGB": (((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)), D65, None),
    "Display P3": (((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)), D65, None),
    "Adobe RGB (1998)": (((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), D65, 563 / 256),
    "ProPhoto RGB": (((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), D50, 1.8),
}
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def _xyz(chromaticity: tuple[float, float]) -> NDArray[np.float64]:
    x, y = chromaticity
    return np.array([x / y, 1, (1 - x - y) / y])


def matrix_of(space: str) -> NDArray[np.float64]:
    """From linear RGB to XYZ under D50, (3, 3) (Lindbloom; Bradford adaptation)."""
    primaries, white, _ = SPACES[space]
    columns = np.stack([_xyz(one) for one in primaries], axis=1)
    scaled = columns * np.linalg.solve(columns, _xyz(white))
    cones = [_BRADFORD @ _xyz(one) for one in (white, D50)]
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(cones[1] / cones[0]) @ _BRADFORD
    return np.asarray(adapted @ scaled)


def _linear(values: NDArray[np.float64], gamma: float | None) -> NDArray[np.float64]:
    if gamma is not None:
        return np.asarray(values**gamma)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _packed(linear: NDArray[np.float64]) -> NDArray[np.uint8]:
    kept = linear.clip(0, 1)
    curve = np.where(kept <= 0.0031308, kept * 12.92, 1.055 * kept ** (1 / 2.4) - 0.055)
    return np.round(255 * curve).astype(np.uint8)


def as_srgb(pixels: NDArray[np.uint8], space: str) -> NDArray[np.uint8]:
    """What (…, 3) uint8 of a colour space are in sRGB; clipped where sRGB has no such colour."""
    linear = _linear(pixels.astype(float) / 255, SPACES[space][2])
    return _packed(linear @ (np.linalg.inv(matrix_of("sRGB")) @ matrix_of(space)).T)


def rgb_profile(space: str) -> bytes:
    """The ICC profile (version 2, matrix and curves) of a colour space."""
    _, _, gamma = SPACES[space]
    if gamma is None:
        samples = _linear(np.linspace(0, 1, 1024), None) * 65535
        curve = struct.pack(">I1024H", 1024, *samples.round().astype(int))
    else:
        curve = struct.pack(">IH", 1, round(gamma * 256))
    tags = {b"wtpt": _xyz_tag(_xyz(D50))}
    for place, letter in enumerate((b"r", b"g", b"b")):
        tags[letter + b"XYZ"] = _xyz_tag(matrix_of(space)[:, place])
        tags[letter + b"TRC"] = b"curv" + bytes(4) + curve
    return _profile(b"mntr", b"RGB ", b"XYZ ", space, tags)


def grey_profile(gamma: float) -> bytes:
    """The ICC profile of a grey with a gamma of its own."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256))
    tags = {b"wtpt": _xyz_tag(_xyz(D50)), b"kTRC": curve}
    return _profile(b"mntr", b"GRAY", b"XYZ ", f"Grey {gamma}", tags)


def cmyk_profile(corners: NDArray[np.uint16]) -> bytes:
    """The ICC profile of a press, known at the 16 corners of its inks.

    Args:
        corners: (2, 2, 2, 2, 3) Lab as ICC's version 2 packs it, by cyan, magenta, yellow, black.
    """
    head = struct.pack(">BBBB9i", 4, 3, 2, 0, *(65536 * np.eye(3, dtype=int)).ravel())
    ramps = struct.pack(">HH", 0, 65535)
    body = struct.pack(">HH", 2, 2) + ramps * 4 + corners.astype(">u2").tobytes() + ramps * 3
    tags = {b"wtpt": _xyz_tag(_xyz(D50)), b"A2B0": b"mft2" + bytes(4) + head + body}
    return _profile(b"prtr", b"CMYK", b"Lab ", "Test press", tags)


def _xyz_tag(values: NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(values * 65536).round().astype(int))


def _profile(
    kind: bytes, space: bytes, between: bytes, name: str, tags: dict[bytes, bytes]
) -> bytes:
    text = name.encode() + b"\0"
    described = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    table, body = b"", b""
    for tag, data in {b"desc": described, b"cprt": b"text" + bytes(4) + b"none\0", **tags}.items():
        table += tag + struct.pack(">II", 132 + 12 * (len(tags) + 2) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    table = struct.pack(">I", len(tags) + 2) + table
    head = struct.pack(
        ">I4xI4s4s4s", 128 + len(table) + len(body), 0x02400000, kind, space, between
    )
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp")
    white = struct.pack(">3i", 63190, 65536, 54061)
    return (head + bytes(68 - len(head)) + white).ljust(128, b"\0") + table + body
