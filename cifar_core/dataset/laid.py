"""Copies of CIFAR-10 that a person has laid into the data folder, under whatever name.

They are looked for by name and opened by nobody here; what is no CIFAR-10 is refused by its digest
later, with its name.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

DOWNLOADS_FOLDER = "downloads"
"""The lab's own: what it has begun to fetch."""

MOST_ENTRIES = 5_000
"""Of the data folder and three below are looked at; a home folder may hold millions."""

DEEPEST = 3
MOST_COPIES = 20

_ARCHIVE = re.compile(r"cifar", re.IGNORECASE)
_BATCH = re.compile(r"(data_batch_\d|test_batch)", re.IGNORECASE)


def laid_copies(data_dir: Path) -> list[Path]:
    """Returns archives, and folders with batches, that lie in the data folder; the nearest first.

    Found are ``cifar-10-python.tar.gz`` by any name a browser or an unpacker gives it, and
    ``cifar-10-batches-py`` nested, renamed or loose.
    """
    found: list[Path] = []
    level, left = [data_dir], MOST_ENTRIES
    for _ in range(DEEPEST + 1):
        below: list[Path] = []
        for folder in level:
            entries = _entries(folder, left)
            left -= len(entries)
            names = [entry.name for entry in entries if _is_file(entry)]
            if any(_BATCH.match(name) for name in names):
                found.append(folder)
            found += [folder / name for name in names if _ARCHIVE.search(name)]
            below += [folder / entry.name for entry in entries if _is_folder(entry)]
        level = below
    return found[:MOST_COPIES]


def _entries(folder: Path, most: int) -> list[os.DirEntry[str]]:
    """Returns what lies in a folder, by name; the lab's own and hidden things left out."""
    try:
        with os.scandir(folder) as entries:
            seen = [one for one, _ in zip(entries, range(most), strict=False)]
    except OSError:
        return []
    shown = (one for one in seen if one.name != DOWNLOADS_FOLDER and not one.name.startswith("."))
    return sorted(shown, key=lambda entry: entry.name)


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
