"""Rows of a file as NumPy would index them; a file that is shortened is a sentence."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar_core import settings
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.stored import StoredRows
from cifar_core.errors import DataError

SHAPE = (40, 4, 3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "rows.npy"
    np.save(path, np.random.default_rng(3).integers(0, 256, SHAPE, dtype=np.uint8))
    return path


@pytest.mark.parametrize(
    "key",
    [
        7,
        -1,
        slice(None),
        slice(5, 20),
        slice(30, 3, -4),
        slice(9, 9),
        [3, 4, 5, 39, 0, 0],
        np.array([[1, 2], [30, 31]]),
        np.arange(40) % 3 == 0,
        np.zeros(40, bool),
        (slice(2, 9), slice(1, 3), 0),
        (4, 1),
        (..., 0)[1:],
    ],
    ids=str,
)
def test_an_index_means_what_it_means_to_numpy(path: Path, key: Any) -> None:
    whole = np.load(path)
    rows = StoredRows(path, SHAPE)
    assert np.array_equal(rows[key], whole[key])
    assert rows[key].shape == whole[key].shape
    assert np.array_equal(np.asarray(rows), whole)
    assert (len(rows), rows.ndim) == (len(whole), whole.ndim)


@pytest.mark.parametrize("key", [40, -41, [0, 99]], ids=str)
def test_a_row_that_is_not_there_is_refused_as_numpy_does(path: Path, key: Any) -> None:
    with pytest.raises(IndexError):
        StoredRows(path, SHAPE)[key]


def test_rows_begin_behind_the_header_however_long_it_is(path: Path) -> None:
    whole = np.load(path)
    header = repr({"descr": "|u1", "fortran_order": False, "shape": SHAPE}).ljust(501) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + b"\xf6\x01" + header.encode() + whole.tobytes())
    assert np.array_equal(StoredRows(path, SHAPE)[:], whole)


def test_a_file_that_takes_the_name_later_is_not_mixed_in(path: Path) -> None:
    whole = np.load(path)
    rows = StoredRows(path, SHAPE)
    np.save(path.with_name("other.npy"), 255 - whole)
    path.with_name("other.npy").replace(path)
    assert np.array_equal(rows[:], whole)


def test_rows_that_nobody_uses_hold_no_file_open(path: Path) -> None:
    rows = StoredRows(path, SHAPE)
    held = rows._descriptor
    identity = os.fstat(held).st_ino
    del rows
    with contextlib.suppress(OSError):  # another thread may have been given the number since
        assert os.fstat(held).st_ino != identity


@pytest.mark.parametrize("kind", ["shape", "type", "columns", "objects", "text", "pipe"])
def test_what_is_no_such_array_is_refused(path: Path, kind: str) -> None:
    if kind in ("text", "pipe"):
        path.unlink()
    if kind == "text":
        path.write_text("no array")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        made: Any = {
            "shape": np.zeros((3, 3), np.uint8),
            "type": np.zeros(SHAPE, np.int16),
            "columns": np.asfortranarray(np.zeros(SHAPE, np.uint8)),
            "objects": np.array([{}], dtype=object),
        }[kind]
        np.save(path, made, allow_pickle=True)
    with pytest.raises((OSError, ValueError)):
        StoredRows(path, SHAPE)


@pytest.mark.data
def test_a_dataset_that_is_shortened_while_pages_look_at_it_ends_no_server(
    tmp_path: Path,
) -> None:
    """A process of its own tries: a mapped file would end it by a signal."""
    source = settings.current().data_dir / CIFAR10.name
    folder = tmp_path / CIFAR10.name
    folder.mkdir()
    for item in source.iterdir():
        (folder / item.name).write_bytes(item.read_bytes())
    trial = f"""
import os
from pathlib import Path
from cifar_core.dataset import arrays, sample
from cifar_core.errors import DataError
dataset = sample.open_dataset(Path({str(tmp_path)!r}))
arrays.verify(dataset)
assert dataset.test.picture(9999).shape == (32, 32, 3)
refused = 0
for name in ("train_images", "test_images", "train_labels", "test_labels"):
    os.truncate(Path({str(folder)!r}) / f"{{name}}.npy", 200)
for position in range(0, 10_000, 10):
    try:
        dataset.test.images[position]
    except DataError:
        refused += 1
assert int(dataset.train.labels.sum()) == 225_000
print(refused)
"""
    answer = subprocess.run(
        [sys.executable, "-c", trial], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout.strip()) == (0, "1000"), answer.stderr


def test_a_picture_of_a_dataset_that_is_gone_is_refused_in_three_answers(path: Path) -> None:
    rows = StoredRows(path, SHAPE)
    os.truncate(path, 150)
    with pytest.raises(DataError) as error:
        rows[39]
    assert error.value.expected
    assert error.value.remedy
