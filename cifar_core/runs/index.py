"""The list of ended runs, kept on disk: after a start ten thousand runs are not read again.

``.index`` in the runs' folder holds what was concluded of each run that has ended, with a stamp of
its files. It is never needed: where it is missing, damaged or another version's, where a stamp does
not fit or the folder cannot be written, the runs themselves are read. It is replaced in one step,
so any number of servers may write it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from cifar_core import files
from cifar_core.decoding import decode
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe
from cifar_core.runs.digests import BROKEN
from cifar_core.runs.folder import Label, RunFolder, State, Status
from cifar_core.runs.reading import Run

NAME: Final = ".index"
VERSION: Final = 2
MOST_BYTES: Final = 64_000_000

Ended = Mapping[str, tuple[int, Run]]
"""Runs that have ended, by identity, each with the stamp of its files."""

_STAMPED: Final = ("/status.json", "/recipe.json", "/label.json")

_FORMAT: Final = hashlib.sha256(
    repr(
        [VERSION, *(kind.__annotations__ for kind in (Status, Recipe, Label)), sorted(NETWORKS)]
    ).encode()
).hexdigest()
"""Another version's index has another one."""


_Row = tuple[str, int, State, Status, Recipe | None, Label]
"""Of a run: identity and stamp, its state, and what its files hold, checked as they are."""


def stamp_of(path: str) -> tuple[int, int]:
    """Returns what tells one state of a run's files from another, and when one last took its place.

    A file that takes another's place changes the folder's time; one that is written where it is,
    or gets other rights, changes its own.

    Args:
        path: The run's folder.

    Returns:
        The stamp, and the folder's time of modification in nanoseconds.

    Raises:
        OSError: The folder is gone.
    """
    own = os.stat(path)  # noqa: PTH116 - half the time of Path.stat
    facts = [own.st_ino, own.st_ctime_ns, own.st_mtime_ns]
    for name in _STAMPED:
        try:
            state = os.stat(path + name)  # noqa: PTH116
            facts += (state.st_ino, state.st_ctime_ns, state.st_size)
        except OSError:
            facts.append(0)
    return hash(tuple(facts)), own.st_mtime_ns  # of numbers: the same in every process


def read(runs_dir: Path) -> dict[str, tuple[int, Run]]:
    """Returns the runs in the index; none where it cannot be used."""
    try:
        data = files.read_bytes(runs_dir / NAME, most=MOST_BYTES)
        head, _, body = data.partition(b"\n")
        if head != _head(body):
            return {}
        rows = decode(body, list[_Row], NAME)
    except BROKEN:
        return {}
    if not {row[4].network for row in rows if row[4] is not None} <= set(NETWORKS):
        return {}
    return {
        run_id: (stamp, Run(RunFolder(runs_dir / run_id), state, recipe, status, label))
        for run_id, stamp, state, status, recipe, label in rows
    }


def write(runs_dir: Path, ended: Ended) -> None:
    """Replaces the index; where that is not possible, it is left."""
    rows = [
        (run_id, stamp, run.state, run.status, run.recipe, run.label)
        for run_id, (stamp, run) in ended.items()
    ]
    body = msgspec.json.encode(rows)
    with suppress(OSError):
        files.sweep(runs_dir, NAME)
        files.write_whole(runs_dir / NAME, _head(body) + b"\n" + body, durable=False)


def _head(body: bytes) -> bytes:
    return f"{_FORMAT} {hashlib.sha256(body).hexdigest()}".encode()
