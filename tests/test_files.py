"""cifar_core.files: whole or absent, whatever fails."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from cifar_core import files
from tests.torture.tap import Tap, tapped

OLD, NEW = b"old content", b"new content, which is longer"


def operations(path: Path) -> int:
    with tapped(Tap()) as tap:
        files.write_whole(path.with_name("trial"), NEW)
    return tap.count


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_failed_write_leaves_the_old_content_or_the_new_and_nothing_beside(
    tmp_path: Path, number: int
) -> None:
    path = tmp_path / "file"
    for n in range(operations(tmp_path / "x")):
        path.write_bytes(OLD)
        with tapped(Tap(n, number)), pytest.raises(OSError, match=os.strerror(number)):
            files.write_whole(path, NEW)
        assert path.read_bytes() in (OLD, NEW)
        assert sorted(item.name for item in tmp_path.iterdir()) == ["file", "trial"]


def test_a_failed_first_write_leaves_the_file_whole_or_absent(tmp_path: Path) -> None:
    for n in range(operations(tmp_path / "x")):
        path = tmp_path / f"file-{n}"
        with tapped(Tap(n)), pytest.raises(OSError, match="No space"):
            files.write_whole(path, NEW)
        assert not path.exists() or path.read_bytes() == NEW


def test_one_of_two_names_is_whole_whichever_operation_fails(tmp_path: Path) -> None:
    path, keep = tmp_path / "file", tmp_path / "keep"
    with tapped(Tap()) as tap:
        files.write_whole_keeping(path, keep, OLD)
        files.write_whole_keeping(path, keep, OLD)
    for n in range(tap.count):
        path.write_bytes(OLD)
        keep.unlink(missing_ok=True)
        with tapped(Tap(n)):
            try:
                files.write_whole_keeping(path, keep, NEW)
            except OSError as error:
                assert error.errno == errno.ENOSPC  # noqa: PT017 - later ones meet no fault
        assert any(item.exists() and item.read_bytes() in (OLD, NEW) for item in (path, keep))


def test_the_replaced_file_is_kept_under_the_second_name(tmp_path: Path) -> None:
    path, keep = tmp_path / "file", tmp_path / "keep"
    files.write_whole_keeping(path, keep, OLD)
    files.write_whole_keeping(path, keep, NEW)
    assert (path.read_bytes(), keep.read_bytes()) == (NEW, OLD)


def test_threads_that_write_one_file_never_mix_their_contents(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([letter]) * 50_000 for letter in b"abcdef"]
    faults: list[Exception] = []

    def write(content: bytes) -> None:
        try:
            for _ in range(30):
                files.write_whole(path, content, durable=False)
                assert path.read_bytes() in contents
        except (OSError, AssertionError) as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_the_room_of_a_spare_file_becomes_the_new_file(tmp_path: Path) -> None:
    path, spare = tmp_path / "file", tmp_path / "spare"
    path.write_bytes(OLD)
    spare.write_bytes(bytes(1000))
    files.write_whole_within(path, spare, NEW)
    assert path.read_bytes() == NEW
    assert not spare.exists()


def test_a_file_is_cut_to_the_size_that_was_counted(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    files.cut(path, 4)
    assert path.read_bytes() == b"0123"


def test_a_file_shorter_than_was_counted_is_refused_with_both_sizes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123")
    with pytest.raises(ValueError, match="4 bytes where 10"):
        files.cut(path, 10)
    assert path.read_bytes() == b"0123"


def test_a_missing_file_is_made_when_cut_to_nothing(tmp_path: Path) -> None:
    files.cut(tmp_path / "file", 0)
    assert (tmp_path / "file").read_bytes() == b""


def test_the_leftovers_of_killed_writers_are_swept_and_nothing_else(tmp_path: Path) -> None:
    for name in (".file.123.tmp", ".file.abc.tmp", ".other.1.tmp", "file", ".file"):
        (tmp_path / name).touch()
    files.sweep(tmp_path, "file")
    assert sorted(item.name for item in tmp_path.iterdir()) == [".file", ".other.1.tmp", "file"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_json_cannot_say_is_not_written(tmp_path: Path, value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        files.write_json(tmp_path / "file", {"value": value})
    assert list(tmp_path.iterdir()) == []
