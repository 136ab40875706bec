"""Pictures that strangers bring: broken ones, bombs, and whether good ones come out right."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cifar_core.errors import PictureError
from cifar_core.inference.upload import read_picture
from cifar_core.settings import PROJECT_DIR
from tests.inference import hostile, suites
from tests.torture.outcome import Outcome, Tally

ANSWER_SECONDS = 1.0
BOMB_SECONDS, BOMB_MEGABYTES = 0.5, 50.0
MOST_PARENT_BYTES = 200_000
"""Larger files are not damaged: most of the damage would fall where nothing looks at it."""

SIZES = ((24, 16), (1, 1), (1, 10_000), (10_240, 1), (1_024, 768))
"""Those that are reduced are so by whole factors, or have one colour: between whole pixels there
is more than one right average."""

MODES = ("1", "L", "L16", "LA", "RGB", "RGB16", "RGBA", "P", "P with alpha")

Pixels = NDArray[np.uint8]
Exact = NDArray[np.float64]


def bring_broken(
    mutants: int, seed: int, _folder: Path, *, with_suites: bool = True
) -> list[Outcome]:
    """Reads others' test pictures, and so many damaged files."""
    files = {**hostile.good_files(), **hostile.refused_bombs(), **hostile.endured_bombs()}
    if with_suites:
        files |= suites.pictures()
    whole = Tally("B1", "test pictures of Pillow, PngSuite and the lab: a picture or sentences")
    read = _read_all(whole, iter(files.items()))
    damaged = Tally("B1", "damaged files: a picture or sentences, no crash, no traceback")
    parents = (
        {name: data for name, data in files.items() if 64 < len(data) < MOST_PARENT_BYTES}
        if with_suites
        else None
    )
    still = _read_all(damaged, hostile.mutants(seed, mutants, parents))
    return [whole.outcome(_figure(whole, read)), damaged.outcome(_figure(damaged, still))]


def _read_all(tally: Tally, files: Iterator[tuple[str, bytes]]) -> int:
    """Reads files and counts those answered as promised; returns how many were pictures."""
    pictures = 0
    for name, data in files:
        began = time.process_time()  # what others do meanwhile does not count
        try:
            picture = read_picture(data, name)
            pictures += 1
            held = picture.pixels.dtype == np.uint8 and picture.pixels.ndim == 3
            fault = f"{name}: {picture.pixels.dtype} {picture.pixels.shape}"
        except PictureError as error:
            held = all((error.what, error.expected, error.remedy)) and str(error).isprintable()
            fault = f"{name}: {error}"
        except BaseException as error:  # noqa: BLE001 - that none escapes is the promise
            held, fault = False, f"{name}: {error!r}"
        tally.seconds.append(time.process_time() - began)
        tally.count(held, fault)
    tally.count(_percentile(tally) <= ANSWER_SECONDS, f"p99 {_percentile(tally):.2f} s")
    return pictures


def _figure(tally: Tally, pictures: int) -> str:
    return (
        f"{pictures:,} were pictures; p99 {1000 * _percentile(tally):.0f} ms, "
        f"longest {1000 * max(tally.seconds):.0f} ms"
    )


def _percentile(tally: Tally) -> float:
    return sorted(tally.seconds)[int(0.99 * len(tally.seconds))]


# What one bomb costs, in an interpreter of its own: its memory is then its own as well.
WEIGH = """
import json, resource, sys, time
from pathlib import Path
from cifar_core.errors import PictureError
from cifar_core.inference.archive import Archive, is_archive
from cifar_core.inference.upload import read_picture
from tests.inference import hostile

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def read(data):
    if not is_archive(data):
        return read_picture(data, "bomb")
    archive = Archive(data)
    for index in range(len(archive.names)):
        read_picture(archive.read(index), "bomb")

for good in hostile.good_files().values():
    read_picture(good, "good")
data = Path(sys.argv[1]).read_bytes()
before, began, refused = peak(), time.process_time(), False
try:
    read(data)
except PictureError:
    refused = True
print(json.dumps([refused, time.process_time() - began, peak() - before]))
"""


def bring_bombs(most: int, _seed: int, folder: Path) -> list[Outcome]:
    """Reads each bomb in an interpreter of its own: at most so many, all of them with 0."""
    tally = Tally(
        "B2",
        f"pixel floods, zip bombs, endless animations: no more than {BOMB_SECONDS} s "
        f"and {BOMB_MEGABYTES:.0f} MB",
    )
    refused = {**hostile.refused_bombs(), **archive_bombs()}
    bombs = [*refused.items(), *hostile.endured_bombs().items()]
    costs = []
    for name, data in bombs[: most or None]:
        path = folder / "bomb"
        path.write_bytes(data)
        done = subprocess.run(
            [sys.executable, "-c", WEIGH, str(path)],
            cwd=PROJECT_DIR,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            tally.count(held=False, case=f"{name}: {done.stderr[-200:]}")
            continue
        was_refused, seconds, megabytes = json.loads(done.stdout)
        costs.append((seconds, megabytes))
        cheap = seconds <= BOMB_SECONDS and megabytes <= BOMB_MEGABYTES
        case = f"{name}: refused {was_refused}, {seconds:.2f} s, {megabytes:.0f} MB"
        tally.count(cheap and was_refused == (name in refused), case)
    longest, largest = (max(cost, default=0.0) for cost in zip(*costs, strict=True))
    return [tally.outcome(f"most {1000 * longest:.0f} ms of processor time, {largest:.0f} MB")]


def archive_bombs() -> dict[str, bytes]:
    """Zips that unpack to far more than they are, or hold themselves."""

    def packed(files: Mapping[str, bytes]) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return buffer.getvalue()

    zeros = packed({f"{n}.png": bytes(9_000_000) for n in range(12)})
    return {
        "zip of 103 MB of zeros": zeros,
        "zip of zips": packed({"inner.png": zeros}),
        "zip of 60,000 files": packed({f"{n}": b"" for n in range(60_000)}),
        "zip of one file of 100 MB": packed({"a.png": bytes(100_000_000)}),
    }


def compare_pixels(sizes: int, seed: int, _folder: Path) -> list[Outcome]:
    """Reads every mode in every orientation at so many sizes, against NumPy's own arithmetic."""
    tally = Tally("B3", "right pixels: orientations 1–8 × modes × sizes, at most 1/255 off")
    draw, worst = np.random.default_rng(seed), 0
    for mode in MODES:
        for size in SIZES[:sizes]:
            image, truth = _drawn(mode, size, draw)
            for orientation in range(1, 9):
                exif = Image.Exif()
                exif[0x0112] = orientation
                data = hostile.encoded(image, "PNG", exif=exif.tobytes(), compress_level=1)
                expected = np.rint(_reduced(_upright(truth, orientation)))
                found = read_picture(data, mode).pixels
                off = (
                    int(np.abs(found.astype(int) - expected).max())
                    if found.shape == expected.shape
                    else 255
                )
                worst = max(worst, off)
                tally.count(off <= 1, f"{mode} {size} orientation {orientation}: {off}/255 off")
    for inks in ((0, 0, 0, 0), (255, 0, 0, 0), (0, 180, 0, 60), (10, 20, 230, 128)):
        data = hostile.encoded(Image.new("CMYK", (16, 16), inks), "JPEG", quality=100)
        light = 255 - np.array(inks, float)
        off = int(
            np.abs(read_picture(data, "CMYK").pixels - light[:3] * light[3] / 255).max() + 0.5
        )
        worst = max(worst, off)
        tally.count(off <= 1, f"CMYK {inks}: {off}/255 off")
    return [tally.outcome(f"largest difference {worst}/255")]


def _drawn(
    mode: str, size: tuple[int, int], draw: np.random.Generator
) -> tuple[Image.Image, Exact]:
    """Returns a random picture of a mode, and what it is as RGB on white, from its numbers."""
    if size == (1, 10_000):
        image, truth = _drawn(mode, (1, 1), draw)
        return image.resize(size), np.repeat(truth, 10_000, axis=0)
    width, height = size
    grey = draw.integers(0, 256, (height, width), dtype=np.uint8)
    alpha = draw.integers(0, 256, (height, width, 1), dtype=np.uint8)
    colours = draw.integers(0, 256, (height, width, 3), dtype=np.uint8)
    three = np.repeat(grey[..., None], 3, axis=-1)
    if mode == "1":
        on = grey > 127
        return Image.fromarray(on), np.repeat(on[..., None] * 255.0, 3, axis=-1)
    if mode == "L":
        return Image.fromarray(grey), three.astype(float)
    if mode == "L16":
        return Image.fromarray(grey.astype(np.uint16) * 257), three.astype(float)
    if mode == "LA":
        layers = np.concatenate([grey[..., None], alpha], axis=-1)
        return Image.fromarray(layers, "LA"), _on_white(three, alpha)
    if mode == "RGBA":
        return Image.fromarray(np.concatenate([colours, alpha], axis=-1)), _on_white(colours, alpha)
    if mode.startswith("P"):
        table = draw.integers(0, 256, (256, 3), dtype=np.uint8)
        image = Image.fromarray(grey, "P")
        image.putpalette(table.tobytes())
        if mode == "P":
            return image, table[grey].astype(float)
        clear = draw.integers(0, 256, 256, dtype=np.uint8)
        image.info["transparency"] = clear.tobytes()
        return image, _on_white(table[grey], clear[grey][..., None])
    return Image.fromarray(colours), colours.astype(float)


def _on_white(colours: Pixels, alpha: Pixels) -> Exact:
    share = alpha / 255.0
    mixed: Exact = colours * share + 255.0 * (1 - share)
    return mixed


def _upright(stored: Exact, orientation: int) -> Exact:
    """The eight orientations (CIPA DC-008, tag 274)."""
    mirrored = stored[:, ::-1] if orientation in (2, 4, 5, 7) else stored
    return np.rot90(mirrored, {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0))


def _reduced(pixels: Exact) -> Exact:
    """Averages over areas until the longest side is that of a preview."""
    scale = min(1.0, 512 / max(pixels.shape[:2]))
    for axis in (0, 1):
        full = pixels.shape[axis]
        small = max(1, round(full * scale))
        sums = np.concatenate([np.zeros_like(pixels.take([0], axis)), pixels.cumsum(axis)], axis)
        edges = np.linspace(0, full, small + 1)
        below = np.minimum(edges.astype(int), full - 1)
        part = (edges - below).reshape([-1 if a == axis else 1 for a in range(3)])
        at = sums.take(below, axis) * (1 - part) + sums.take(below + 1, axis) * part
        pixels = np.diff(at, axis=axis) * (small / full)
    return pixels
