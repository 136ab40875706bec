from __future__ import annotations

import io
import random
import struct
import time
import warnings
import zipfile
from collections.abc import Iterator, Mapping

import pytest

from cifar_core import settings
from cifar_core.errors import PictureError
from cifar_core.inference.archive import MAX_ENTRIES, Archive, is_archive
from cifar_core.inference.upload import read_picture
from tests.inference import hostile


def packed(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def read_archive(data: bytes) -> Iterator[tuple[str, bytes | PictureError]]:
    """Yields each file of a zip, or why it was refused."""
    archive = Archive(data)
    for index, name in enumerate(archive.names):
        try:
            yield name, archive.read(index)
        except PictureError as error:
            yield name, error


def refusal(data: bytes) -> PictureError:
    with pytest.raises(PictureError) as caught:
        Archive(data)
    error = caught.value
    assert error.what
    assert error.expected
    assert error.remedy
    return error


def test_the_pictures_come_back_in_order_with_their_names() -> None:
    files = {f"cats/{kind}.img": data for kind, data in hostile.good_files().items()}
    assert dict(read_archive(packed(files))) == files
    assert [name for name, _ in read_archive(packed(files))] == list(files)


def test_folders_and_system_files_are_passed_over() -> None:
    names = ("cats/", "__MACOSX/cats/._a.png", ".DS_Store", "cats/._a.png", "x/thumbs.db")
    files = dict.fromkeys(names, b"") | {"cats/a.png": b"a"}
    assert list(read_archive(packed(files))) == [("cats/a.png", b"a")]


def test_a_name_that_leads_out_is_only_a_label() -> None:
    assert [name for name, _ in read_archive(packed({"../../etc/passwd": b"x"}))] == ["etc/passwd"]


def test_a_broken_file_costs_one_entry() -> None:
    good = hostile.good_files()["PNG"]
    whole = packed({"a.png": good, "b.png": good, "c.png": good}, zipfile.ZIP_STORED)
    at = whole.index(b"b.png") + 40
    answers = dict(read_archive(whole[:at] + b"\x55\xaa\x55" + whole[at + 3 :]))
    assert answers["a.png"] == answers["c.png"] == good
    assert isinstance(answers["b.png"], PictureError)


@pytest.mark.parametrize("name", ["inner.zip", "inner.png"])
def test_an_archive_inside_is_refused_whatever_it_is_called(name: str) -> None:
    ((_, answer),) = read_archive(packed({name: packed({"a.png": b"a"})}))
    assert isinstance(answer, PictureError)
    assert "archive inside" in answer.what


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_rare_packings_are_refused(method: int) -> None:
    ((_, answer),) = read_archive(packed({"a.png": b"a"}, method))
    assert isinstance(answer, PictureError)


def test_a_locked_entry_is_refused() -> None:
    data = bytearray(packed({"a.png": b"a" * 50}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    ((_, answer),) = read_archive(bytes(data))
    assert isinstance(answer, PictureError)
    assert "password" in answer.remedy


def test_an_entry_above_the_limit_costs_only_itself() -> None:
    large = bytes(settings.MAX_UPLOAD_BYTES + 1)
    answers = dict(read_archive(packed({"bomb.png": large, "a.png": b"a"})))
    assert answers["a.png"] == b"a"
    assert isinstance(answers["bomb.png"], PictureError)


def test_too_many_entries_are_refused_before_the_directory_is_read() -> None:
    data = packed({f"{n}.png": b"" for n in range(MAX_ENTRIES + 1)})
    assert "1,000 files" in refusal(data).what


def test_the_largest_allowed_number_of_entries_is_read() -> None:
    files = {f"{n}.png": str(n).encode() for n in range(MAX_ENTRIES)}
    assert dict(read_archive(packed(files))) == files


def test_a_zip_bomb_is_refused_within_half_a_second() -> None:
    data = packed({f"{n}.png": bytes(9_000_000) for n in range(12)})
    assert len(data) < 200_000
    start = time.process_time()
    assert "103 MB" in refusal(data).what
    assert time.process_time() - start < 0.5


def test_an_entry_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(packed({"bomb.png": bytes(5_000_000)}))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(mark) + offset
        data[at : at + 4] = struct.pack("<I", 100)
    ((_, answer),) = read_archive(bytes(data))
    assert isinstance(answer, PictureError)


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x05\x06", b"no zip", bytes(5_000)])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    refusal(data)


def test_an_archive_above_the_limit_is_refused() -> None:
    refusal(bytes(settings.MAX_UPLOAD_BYTES + 1))


def test_damaged_archives_give_pictures_or_sentences() -> None:
    rng = random.Random(5)
    whole = packed(hostile.good_files())
    refused = read = 0
    for _ in range(300):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 3, 9))):
            # Most of the damage goes where the directory lies.
            at = rng.randrange(len(data) - 600 if rng.random() < 0.7 else 0, len(data))
            data[at] = rng.randrange(256)
        try:
            for name, answer in read_archive(bytes(data)):
                if isinstance(answer, bytes):
                    read += 1
                    read_picture(answer, name)
        except PictureError:
            refused += 1
    assert refused > 10
    assert read > 100


def test_a_zip_is_known_by_its_bytes_and_no_picture_is_one() -> None:
    assert is_archive(packed({"a.png": b"a"}))
    assert is_archive(packed({}))
    assert not any(is_archive(data) for data in hostile.good_files().values())


def test_files_come_in_any_order_and_again() -> None:
    archive = Archive(packed({f"{n}.png": str(n).encode() for n in range(5)}))
    assert [archive.read(n) for n in (4, 0, 4)] == [b"4", b"0", b"4"]


def test_two_files_of_one_name_are_both_read() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile's own, on the second
        archive.writestr("a.png", b"one")
        archive.writestr("a.png", b"two")
    assert [data for _, data in read_archive(file.getvalue())] == [b"one", b"two"]
