from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_core.inference.conversion import STRIP_BYTES_PER_PIXEL, STRIP_PIXELS
from cifar_core.inference.room import Room
from cifar_core.inference.upload import DECODED_BYTES_PER_PIXEL, read_picture
from cifar_core.settings import PROJECT_DIR
from tests.inference import hostile
from tests.waiting import PATIENCE_SECONDS


def test_what_fits_together_is_decoded_together() -> None:
    room = Room(100)
    with room.take(40), room.take(60):
        pass


@pytest.mark.parametrize("wanted", [1, 100, 10_000, None])
def test_who_finds_no_room_waits_until_there_is_some(wanted: int | None) -> None:
    room, inside = Room(100), threading.Event()

    def come() -> None:
        with room.take(wanted):
            inside.set()

    with room.take(100):
        other = threading.Thread(target=come)
        other.start()
        assert not inside.wait(0.05)
    assert inside.wait(PATIENCE_SECONDS)
    other.join()


def test_room_is_given_back_after_a_failure() -> None:
    room = Room(100)
    with pytest.raises(ValueError, match="broken"), room.take(100):
        raise ValueError("broken")
    with room.take(100):
        pass


def test_never_more_is_inside_than_there_is_room_for() -> None:
    room, lock = Room(100), threading.Lock()
    inside, most = 0, 0

    def come(pixels: int) -> None:
        nonlocal inside, most
        for _ in range(50):
            with room.take(pixels):
                with lock:
                    inside += pixels
                    most = max(most, inside)
                with lock:
                    inside -= pixels

    several = [threading.Thread(target=come, args=(pixels,)) for pixels in (30, 30, 70, 100, 45)]
    for one in several:
        one.start()
    for one in several:
        one.join(PATIENCE_SECONDS)
    assert inside == 0
    assert most <= 100


MEASURE = """
import sys
from cifar_core.inference.upload import read_picture
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if "VmHWM" in line)
paths = sys.argv[1:]
read_picture(open(paths[0], "rb").read(), "first")  # the decoders' own libraries
for path in paths:
    data = open(path, "rb").read()
    open("/proc/self/clear_refs", "w").write("5")
    before = peak()
    read_picture(data, "x")
    print(1024 * (peak() - before))
"""


def test_no_format_takes_more_memory_than_it_is_weighed_with(tmp_path: Path) -> None:
    side = 2000
    rng = np.random.default_rng(1)
    noise = Image.fromarray(rng.integers(0, 256, (60, 60, 4), dtype=np.uint8))
    image = noise.resize((side, side), Image.Resampling.BILINEAR)
    saved = {
        "WEBP": {"quality": 10, "method": 0},
        "AVIF": {"quality": 10, "speed": 10},
        "PNG": {"compress_level": 6},
        "JPEG": {"progressive": True, "quality": 30},
        "GIF": {},
    }
    for name, options in saved.items():
        plain = image if name in ("WEBP", "AVIF", "PNG") else image.convert("RGB")
        plain.save(tmp_path / name, name, **options)
    answer = subprocess.run(
        [sys.executable, "-c", MEASURE, *(str(tmp_path / name) for name in saved)],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT_DIR,
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "PYTHONPATH": str(PROJECT_DIR)},
    )
    taken = dict(zip(saved, map(int, answer.stdout.split()), strict=True))
    print(*(f"{name} {size / 2**20:.0f} MiB" for name, size in taken.items()), sep=", ")
    converting = min(side**2, STRIP_PIXELS) * STRIP_BYTES_PER_PIXEL
    limits = {name: DECODED_BYTES_PER_PIXEL[name] * side**2 + converting for name in saved}
    assert not {name: (taken[name], limits[name]) for name in saved if taken[name] > limits[name]}
    assert taken["WEBP"] > taken["PNG"] > taken["GIF"] > 0, "the weights are needed: they differ"


SEVERAL = """
import sys, threading
import streamlit as st
from cifar_core.inference.upload import read_picture
from cifar_core.ui import cached
data = open(sys.argv[1], "rb").read()
def come():
    read_picture(data, "large", cached.decoding_room())
threads = [threading.Thread(target=come) for _ in range(6)]
for thread in threads:
    thread.start()
    if sys.argv[2] == "clears":
        st.cache_resource.clear()
        st.cache_data.clear()
for thread in threads:
    thread.join()
print(next(int(line.split()[1]) for line in open("/proc/self/status") if "VmHWM" in line))
"""


@pytest.mark.full
def test_six_who_decode_at_once_take_no_more_where_caches_are_emptied(tmp_path: Path) -> None:
    """E1: WebP of 49 megapixels; the figures are printed (``pytest -rP``)."""
    path = tmp_path / "large.webp"
    Image.new("RGB", (7000, 7000), (9, 99, 199)).save(path, quality=10, method=0)
    megabytes = {}
    for kind in ("alone", "clears"):
        said = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SEVERAL, str(path), kind],
            stdout=subprocess.PIPE,
            check=True,
            cwd=PROJECT_DIR,
            env={**os.environ, "PYTHONPATH": str(PROJECT_DIR)},
        )
        megabytes[kind] = int(said.stdout) // 1000
    print(megabytes)
    assert megabytes["clears"] < 1.2 * megabytes["alone"]


def test_a_file_takes_room_by_its_format(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room()
    taken: list[int | None] = []
    take = room.take

    def watched(size_bytes: int | None) -> AbstractContextManager[None]:
        taken.append(size_bytes)
        return take(size_bytes)

    monkeypatch.setattr(room, "take", watched)
    for name in ("PNG", "WEBP"):
        buffer = io.BytesIO()
        Image.new("RGB", (30, 20)).save(buffer, name)
        read_picture(buffer.getvalue(), name, room)
    read_picture(hostile.good_files()["AVIF"], "AVIF", room)
    converting = 600 * STRIP_BYTES_PER_PIXEL
    weighed = [600 * DECODED_BYTES_PER_PIXEL[name] + converting for name in ("PNG", "WEBP")]
    assert taken == [*weighed, None], "what an AVIF holds only its decoder can tell"
