"""Whether the files of a finished run are those that it wrote: each is hashed once per change.

manifest.json records the SHA-256 of what a run keeps, evaluation.json included, and its own. A
file is known by its path, inode, size and time, so that asking again costs three looks at the
folder. A run that has not finished records nothing yet; what an older version did not record is
not checked.
"""

from __future__ import annotations

import functools
import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypedDict

from cifar_core import files
from cifar_core.decoding import convert
from cifar_core.errors import RunError, reason

MANIFEST_NAME: Final = "manifest.json"
EVALUATION_NAME: Final = "evaluation.json"
OWN_DIGEST: Final = "manifest_sha256"
"""Key of the manifest's own SHA-256: that of its JSON without this key."""

MOST_REMEMBERED: Final = 16_384
"""Files whose digest is remembered: some 300 bytes each."""

MOST_MANIFESTS: Final = 1_024
"""Manifests that are remembered whole: some 4 kB each."""


class _Digests(TypedDict, total=False):
    """What of a manifest is relied on; all else is as the run wrote it."""

    sha256: dict[str, str]


class ChangedError(RunError):
    """A file of a finished run is not the one that the run wrote."""


BROKEN: Final = (
    *(OSError, ValueError, TypeError, AttributeError, RecursionError, OverflowError),
    MemoryError,
)
"""What reading a file raises that is missing, torn, foreign or hostile."""

Stamp = tuple[str, int, int, int]


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Writes manifest.json with its own digest."""
    body = {key: value for key, value in manifest.items() if key != OWN_DIGEST}
    files.write_json(folder / MANIFEST_NAME, {**body, OWN_DIGEST: _digest(body)})


def record(folder: Path, paths: Iterable[Path]) -> None:
    """Records the digests of files that were changed on purpose."""
    manifest = read_manifest(folder)
    new = {path.name: files.sha256_of(path) for path in paths}
    write_manifest(folder, {**manifest, "sha256": {**manifest.get("sha256", {}), **new}})


def read_manifest(folder: Path) -> dict[str, Any]:
    """Returns what a run's manifest says; nothing where there is none.

    Raises:
        ChangedError: It cannot be read, or it is not what the run wrote.
    """
    return dict(_recorded(folder))


def _recorded(folder: Path) -> Mapping[str, Any]:
    try:
        return _manifest(_stamp(folder / MANIFEST_NAME))
    except FileNotFoundError:
        return {}
    except BROKEN as error:
        raise _changed(folder / MANIFEST_NAME, f"it cannot be read ({reason(error)})") from error


def check(path: Path) -> None:
    """Refuses a file of a finished run that is not the one its manifest records.

    A file that is missing is its reader's affair.

    Raises:
        ChangedError: The file or the manifest is another one than the run wrote.
    """
    folder = path.parent
    if not os.path.exists(f"{folder}/{EVALUATION_NAME}"):  # noqa: PTH110 - a list asks of each run
        return
    recorded = _recorded(folder).get("sha256", {}).get(path.name)
    if recorded is None:
        return
    try:
        found = _sha256(_stamp(path))
    except FileNotFoundError:
        return
    except BROKEN as error:
        raise _changed(path, f"it cannot be read ({error})") from error
    if found != recorded:
        wanted = str(recorded)
        raise _changed(path, f"its SHA-256 begins with {found[:8]} instead of {wanted[:8]}")


@functools.lru_cache(maxsize=MOST_REMEMBERED)
def _sha256(stamp: Stamp) -> str:
    return files.sha256_of(Path(stamp[0]))


@functools.lru_cache(maxsize=MOST_MANIFESTS)
def _manifest(stamp: Stamp) -> Mapping[str, Any]:
    manifest = files.read_json(Path(stamp[0]), dict[str, Any])
    convert(manifest, _Digests, MANIFEST_NAME)
    body = {key: value for key, value in manifest.items() if key != OWN_DIGEST}
    if OWN_DIGEST in manifest and manifest[OWN_DIGEST] != _digest(body):
        raise ValueError("a byte of it was changed")
    return body


def _stamp(path: Path) -> Stamp:
    """Returns what tells one state of a file from another: path, inode, size and time."""
    state = os.stat(path)  # noqa: PTH116 - half the time of Path.stat
    if not stat.S_ISREG(state.st_mode):  # a pipe would keep its reader waiting for ever
        raise ValueError("it is no file")
    return str(path), state.st_ino, state.st_size, state.st_mtime_ns


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(files.to_json(body)).hexdigest()


def _changed(path: Path, what: str) -> ChangedError:
    return ChangedError(
        f"The file {path.name} of run “{path.parent.name}” is not what the run wrote: {what}.",
        expected=f"The file that {MANIFEST_NAME} recorded when the run finished.",
        remedy="Restore the folder from a copy, or train the run again.",
    )
