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
from typing import Any, Final, TypeVar

from cifar_core import files
from cifar_core.networks import NETWORKS
from cifar_core.recipes import Recipe
from cifar_core.runs.digests import BROKEN
from cifar_core.runs.folder import ABSURD, Label, RunFolder, State, Status, types_of
from cifar_core.runs.reading import Run

T = TypeVar("T")

NAME: Final = ".index"
VERSION: Final = 1
MOST_BYTES: Final = 64_000_000

Ended = Mapping[str, tuple[int, Run]]
"""Runs that have ended, by identity, each with the stamp of its files."""

_STAMPED: Final = ("/status.json", "/recipe.json", "/label.json")

_FORMAT: Final = hashlib.sha256(
    repr([VERSION, *map(types_of, (Status, Recipe, Label)), sorted(NETWORKS)]).encode()
).hexdigest()
"""Another version's index has another one."""


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
        return dict(_runs(runs_dir, json.loads(body, parse_constant=_refuse)))
    except (*BROKEN, LookupError, RuntimeError):
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


def _runs(runs_dir: Path, table: Mapping[str, Any]) -> Iterator[tuple[str, tuple[int, Run]]]:
    """Yields the runs of a table.

    Raises:
        KeyError, RuntimeError: Something is missing.
        TypeError, ValueError: A value is none that a run's files may hold.
    """
    recipes = _built(Recipe, table["recipe"])
    status, labels = _built(Status, table["status"]), _built(Label, table["label"])
    for run_id, stamp, state, has_recipe, said, label in zip(
        *(table["run"], table["stamp"], _states(table["state"]), table["has_recipe"]),
        *(status, labels),
        strict=True,
    ):
        recipe = next(recipes) if has_recipe else None
        folder = RunFolder(runs_dir / run_id)
        yield run_id, (stamp, Run(folder, state, recipe, said, label))
    if next(recipes, None) is not None:
        raise ValueError("there is a recipe too many")


def _columns(kind: type, values: Sequence[Any]) -> list[list[Any]]:
    return [[getattr(value, field.name) for value in values] for field in dataclasses.fields(kind)]


def _built(kind: type[T], columns: Sequence[Sequence[Any]]) -> Iterator[T]:
    """Yields the values of a dataclass, whose attributes lie in columns.

    Raises:
        TypeError: A value is not of its attribute's type.
        ValueError: A number is absurd, or a state or network unknown.
    """
    read = []
    for (name, types), column in zip(types_of(kind).items(), columns, strict=True):
        _check(column, types)
        if name == "network" and not set(column) <= set(NETWORKS):
            raise ValueError("a network is unknown")
        read.append(_states(column) if name == "state" else column)
    names, new, fill = list(types_of(kind)), object.__new__, object.__setattr__
    for row in zip(*read, strict=True):
        made = new(kind)
        fill(
            made, "__dict__", dict(zip(names, row, strict=True))
        )  # to assign each takes 4 × as long
        yield made


def _states(column: Sequence[str]) -> list[State]:
    states = {name: State(name) for name in set(column)}
    return [states[name] for name in column]


def _check(column: Sequence[Any], types: tuple[type, ...]) -> None:
    if not set(map(type, column)) <= set(types):
        raise TypeError("a value is of another type")
    numbers = [] if str in types else [value for value in column if value is not None]
    if numbers and not -ABSURD < min(numbers) <= max(numbers) < ABSURD:
        raise ValueError("a number is absurd")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")
