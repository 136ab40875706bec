"""The list of ended runs, kept on disk: after a start ten thousand runs are not read again.

``.index`` in the runs' folder holds what was concluded of each run that has ended, with a stamp of
its files. It is never needed: where it is missing, damaged or another version's, where a stamp does
not fit or the folder cannot be written, the runs themselves are read. It is replaced in one step,
so any number of servers may write it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

from msgspec import defstruct

from cifar_core import files
from cifar_core.decoding import decode
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe
from cifar_core.runs.digests import BROKEN
from cifar_core.runs.folder import Label, RunFolder, State, Status
from cifar_core.runs.reading import Run

T = TypeVar("T")

NAME: Final = ".index"
VERSION: Final = 1
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


def _columns_of(kind: type) -> Any:
    """Returns the type of a dataclass's values when each attribute lies in a column."""
    hints = get_type_hints(kind, include_extras=True).values()
    return tuple[tuple(list[hint] for hint in hints)]  # type: ignore[misc,valid-type]


_Table: Any = defstruct(
    "_Table",
    [
        ("run", list[str]),
        ("stamp", list[int]),
        ("state", list[State]),
        ("has_recipe", list[bool]),
        ("status", _columns_of(Status)),
        ("recipe", _columns_of(Recipe)),
        ("label", _columns_of(Label)),
    ],
)
"""What the index holds, checked as the files of the runs are."""


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
        return dict(_runs(runs_dir, decode(body, _Table, NAME)))
    except (*BROKEN, RuntimeError):
        return {}


def write(runs_dir: Path, ended: Ended) -> None:
    """Replaces the index; where that is not possible, it is left."""
    runs = [run for _, run in ended.values()]
    table = {
        "run": list(ended),
        "stamp": [stamp for stamp, _ in ended.values()],
        "state": [run.state for run in runs],
        "has_recipe": [run.recipe is not None for run in runs],
        "status": _columns(Status, [run.status for run in runs]),
        "recipe": _columns(Recipe, [run.recipe for run in runs if run.recipe is not None]),
        "label": _columns(Label, [run.label for run in runs]),
    }
    body = json.dumps(table, separators=(",", ":")).encode()
    with suppress(OSError):
        files.sweep(runs_dir, NAME)
        files.write_whole(runs_dir / NAME, _head(body) + b"\n" + body, durable=False)


def _head(body: bytes) -> bytes:
    return f"{_FORMAT} {hashlib.sha256(body).hexdigest()}".encode()


def _runs(runs_dir: Path, table: Any) -> Iterator[tuple[str, tuple[int, Run]]]:
    """Yields the runs of a table.

    Raises:
        RuntimeError, ValueError: There are too few or too many of something.
    """
    recipes = _built(Recipe, table.recipe)
    said, labels = _built(Status, table.status), _built(Label, table.label)
    for run_id, stamp, state, has_recipe, status, label in zip(
        *(table.run, table.stamp, table.state, table.has_recipe), *(said, labels), strict=True
    ):
        recipe = next(recipes) if has_recipe else None
        if recipe is not None and recipe.network not in NETWORKS:
            raise ValueError("a network is unknown")
        yield run_id, (stamp, Run(RunFolder(runs_dir / run_id), state, recipe, status, label))
    if next(recipes, None) is not None:
        raise ValueError("there is a recipe too many")


def _columns(kind: type, values: Sequence[Any]) -> list[list[Any]]:
    return [[getattr(value, field.name) for value in values] for field in dataclasses.fields(kind)]


def _built(kind: type[T], columns: Sequence[Sequence[Any]]) -> Iterator[T]:
    """Yields the values of a dataclass, whose attributes lie in columns."""
    names, new, fill = list(kind.__annotations__), object.__new__, object.__setattr__
    for row in zip(*columns, strict=True):
        made = new(kind)
        # To assign each takes four times as long.
        fill(made, "__dict__", dict(zip(names, row, strict=True)))
        yield made
