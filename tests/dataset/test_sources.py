"""Sources are tried in turn, digests decide, and nothing good is ever lost."""

from __future__ import annotations

import errno
import os
import shutil
from collections import namedtuple
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from cifar_core.dataset import arrays, download, sample, sources
from cifar_core.dataset.fetch import DiskError, TransferError
from cifar_core.dataset.formats import ContentError
from cifar_core.dataset.mirrors import LocalCopy, Progress, Report, Source
from cifar_core.dataset.store import Arrays, write_full
from cifar_core.errors import DataError


@dataclass
class FakeSource:
    """Delivers what a test wants; the real sources are in test_mirrors.py."""

    gives: Arrays | Exception
    name: str = "a mirror"
    folder_name: str = "fake"
    asked: int = 0
    found: list[list[str]] = field(default_factory=list)

    def read(self, folder: Path, report: Report) -> Arrays:
        self.asked += 1
        report(Progress(self.name, 0, None, "Pretending to download"))
        self.found.append(sorted(path.name for path in folder.iterdir()))
        if isinstance(self.gives, Exception):
            raise self.gives
        return self.gives


def ignore(_: Progress) -> None:
    """Takes progress and does nothing."""


def spoil(good: Arrays, name: str) -> Arrays:
    """The same arrays with one bit wrong in one of them."""
    wrong = good.by_name()[name].copy()
    wrong.reshape(-1)[1234] ^= 1
    return replace(good, **{name: wrong})


def test_a_true_archive_becomes_the_full_set(
    accepted: Arrays, archive: Path, tmp_path: Path
) -> None:
    told: list[Progress] = []
    dataset = sources.prepare(tmp_path, progress=told.append, sources=[LocalCopy(archive)])
    assert not dataset.is_sample
    assert np.array_equal(dataset.train.images[::999], accepted.train_images[::999])
    assert str(archive) in dataset.source
    assert {path.name for path in tmp_path.iterdir()} == {"cifar10", "download.lock"}
    assert told[-1].message == "Writing the dataset to the disk"


def test_what_is_already_there_is_not_fetched_again(accepted: Arrays, tmp_path: Path) -> None:
    write_full(tmp_path, accepted, "earlier")
    source = FakeSource(accepted)
    assert sources.prepare(tmp_path, progress=ignore, sources=[source]).source == "earlier"
    assert source.asked == 0


@pytest.mark.parametrize("damage", ["train_images.npy", "manifest.json"])
def test_a_damaged_set_is_replaced(accepted: Arrays, tmp_path: Path, damage: str) -> None:
    write_full(tmp_path, accepted, "earlier")
    with (tmp_path / "cifar10" / damage).open("r+b") as file:
        file.seek(200)
        file.write(b"\xff\x00")
    dataset = sources.prepare(tmp_path, progress=ignore, sources=[FakeSource(accepted)])
    arrays.verify(dataset)
    assert dataset.source == "a mirror"


@pytest.mark.parametrize("name", ["train_images", "train_labels", "test_images", "test_labels"])
def test_a_mirror_that_lies_in_one_bit_is_refused_and_the_next_one_asked(
    accepted: Arrays, tmp_path: Path, name: str
) -> None:
    liar = FakeSource(spoil(accepted, name), name="a liar", folder_name="liar")
    honest = FakeSource(accepted, name="an honest one")
    dataset = sources.prepare(tmp_path, progress=ignore, sources=[liar, honest])
    assert dataset.source == "an honest one"
    arrays.verify(dataset)


def test_what_was_found_and_refused_is_said_while_the_next_one_is_asked(
    accepted: Arrays, tmp_path: Path
) -> None:
    (tmp_path / "cifar-100-python.tar.gz").write_bytes(b"no archive")
    told: list[Progress] = []
    tried: list[Source] = [
        LocalCopy(tmp_path / "cifar-100-python.tar.gz"),
        FakeSource(accepted, name="an honest one"),
    ]
    sources.prepare(tmp_path, progress=told.append, sources=tried)
    refused = {step.source: step.refused for step in told}
    assert refused[tried[0].name] == ""
    assert "cifar-100-python.tar.gz is not CIFAR-10" in refused["an honest one"]


def test_arrays_of_another_shape_with_the_same_bytes_are_refused(
    accepted: Arrays, tmp_path: Path
) -> None:
    bent = replace(accepted, train_images=accepted.train_images.reshape(50_000, 3, 32, 32))
    with pytest.raises(DataError, match="digest of train_images is wrong"):
        sources.prepare(tmp_path, progress=ignore, sources=[FakeSource(bent)])


def test_all_reasons_are_told_when_no_source_delivers(accepted: Arrays, tmp_path: Path) -> None:
    tried = [
        FakeSource(TransferError("The server answered 404."), name="first"),
        FakeSource(ContentError("x.tar.gz", "it is empty"), name="second"),
        FakeSource(spoil(accepted, "test_labels"), name="third"),
    ]
    with pytest.raises(DataError) as caught:
        sources.prepare(tmp_path, progress=ignore, sources=tried)
    assert "first: The server answered 404." in caught.value.what
    assert "second: x.tar.gz is not CIFAR-10" in caught.value.what
    assert "third" in caught.value.what
    assert "digest of test_labels is wrong" in caught.value.what
    assert "cifar-10-python.tar.gz" in caught.value.remedy
    assert sample.open_dataset(tmp_path).is_sample


def test_half_a_download_is_kept_when_a_mirror_breaks_off(tmp_path: Path) -> None:
    half = tmp_path / "downloads" / "fake" / "file.part"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    source = FakeSource(TransferError("It broke off."))
    with pytest.raises(DataError):
        sources.prepare(tmp_path, progress=ignore, sources=[source])
    assert half.read_bytes() == b"half"


def test_a_resumed_file_that_proves_wrong_is_fetched_once_more_from_nothing(
    tmp_path: Path,
) -> None:
    half = tmp_path / "downloads" / "fake" / "file.part"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    source = FakeSource(ContentError("file", "two versions mixed"))
    with pytest.raises(DataError):
        sources.prepare(tmp_path, progress=ignore, sources=[source])
    assert source.found == [["file.part"], []]


def test_a_data_folder_that_is_a_file_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("precious")
    with pytest.raises(DiskError, match="there is a file of that name") as caught:
        sources.prepare(tmp_path / "data", progress=ignore, sources=[])
    assert "CIFAR_LAB_DATA" in caught.value.remedy
    assert (tmp_path / "data").read_text() == "precious"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "may not write there"),
        (errno.EROFS, "the disk is read-only"),
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_an_unwritable_data_folder_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(DiskError, match=words) as caught:
        sources.prepare(tmp_path / "data", progress=ignore, sources=[])
    assert caught.value.expected
    assert caught.value.remedy


def test_a_disk_that_fills_up_while_writing_keeps_the_download(
    accepted: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    kept = tmp_path / "downloads" / "fake" / "file"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"whole")
    monkeypatch.setattr(os, "fsync", full)
    later = FakeSource(accepted, name="not asked, no mirror mends a disk")
    with pytest.raises(DiskError, match="the disk is full"):
        sources.prepare(tmp_path, progress=ignore, sources=[FakeSource(accepted), later])
    assert later.asked == 0
    assert kept.exists()
    assert {path.name for path in tmp_path.iterdir()} == {"downloads", "download.lock"}


def test_a_disk_without_room_is_told_before_anything_is_fetched(
    accepted: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")  # noqa: PYI024  (as shutil's own)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2e9, 2e9 - 5e6, 5e6))
    source = FakeSource(accepted)
    with pytest.raises(DiskError, match="5 MB free"):
        sources.prepare(tmp_path, progress=ignore, sources=[source])
    assert source.asked == 0


def test_the_lock_is_free_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        sources.prepare(tmp_path, progress=ignore, sources=[])
    assert not download.JOB.slot(tmp_path).is_taken()


def test_only_one_can_hold_the_lock(tmp_path: Path) -> None:
    lock = download.JOB.slot(tmp_path).take()
    assert lock is not None
    with lock:
        assert download.JOB.slot(tmp_path).is_taken()
        assert download.JOB.slot(tmp_path).take() is None
    assert not download.JOB.slot(tmp_path).is_taken()
