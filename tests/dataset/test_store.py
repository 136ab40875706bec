"""Writing the full set keeps what stood there until the new one is whole."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from cifar_core.dataset import arrays, store


def test_nothing_but_the_set_stays_after_writing(prepared: Path) -> None:
    assert [path.name for path in prepared.iterdir()] == ["cifar10"]


def test_a_full_disk_leaves_the_old_set_untouched(
    prepared: Path, blank_arrays: store.Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.write_full(prepared, blank_arrays, "a second test")
    assert arrays.open_full(prepared).source == "a test"
    assert [path.name for path in prepared.iterdir()] == ["cifar10"]


def test_a_failed_rename_puts_the_old_set_back(
    prepared: Path, blank_arrays: store.Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def refuse_the_new(self: Path, target: Path) -> Path:
        if "-new-" in self.name:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse_the_new)
    with pytest.raises(OSError, match="Input/output"):
        store.write_full(prepared, blank_arrays, "a second test")
    assert arrays.open_full(prepared).source == "a test"


def test_a_new_set_replaces_the_old_one(prepared: Path, blank_arrays: store.Arrays) -> None:
    store.write_full(prepared, blank_arrays, "a second test")
    assert arrays.open_full(prepared).source == "a second test"


def test_a_set_moved_aside_by_a_killed_preparation_comes_back(prepared: Path) -> None:
    (prepared / "cifar10").rename(prepared / ".cifar10-old-x")
    (prepared / ".cifar10-new-x").mkdir()
    store.clear_leftovers(prepared)
    assert arrays.open_full(prepared).source == "a test"
    assert [path.name for path in prepared.iterdir()] == ["cifar10"]
