"""What of a folder is a run's: only what is a run is a run, and only what the lab wrote goes."""

from __future__ import annotations

import os
import re
import shutil
import stat
from pathlib import Path
from typing import Any

from cifar_core import files, recipes
from cifar_core.errors import LabError
from cifar_core.runs import digests
from cifar_core.runs.folder import RunFolder

_FILES = frozenset(
    {
        *("recipe.json", "identity", "status.json", "label.json", "metrics.jsonl", "request"),
        *("lock", "worker.log", "checkpoint", "checkpoint.before", "predictions"),
        *("test_predictions.npy", "network.json", "model.keras", "model.tflite", "novelty.npz"),
        *(digests.EVALUATION_NAME, digests.MANIFEST_NAME, ".reserve"),
    }
)
"""Names of the files that the lab writes into a run's folder."""

_FOLDERS = frozenset({".temporary", ".finishing"})
"""Names of the folders that it makes there, and everything in them."""

_TEMPORARY = re.compile(r"\..+\.tmp")
"""What a killed writer leaves."""

_MARKS = ("recipe.json", "status.json", "label.json", "identity", "metrics.jsonl", "lock")
"""Two of these make a folder a run, whatever they hold: a power cut or a stranger may have torn
them. A recipe or status that can be read is enough alone."""


def is_run(folder: Path) -> bool:
    """Says whether a folder is a run's."""
    seen = 0
    for name in _MARKS:
        seen += os.path.lexists(f"{folder}/{name}")
        if seen == 2:
            return True
    if seen == 0:
        return False
    if RunFolder(folder).read_status() is not None:
        return True
    try:
        recipes.from_json(files.read_json(folder / "recipe.json", dict[str, Any]))
    except (*digests.BROKEN, LabError):
        return False
    return True


def foreign(folder: Path) -> list[str]:
    """Returns the names in a run's folder that the lab did not write, in order.

    Raises:
        OSError: The folder cannot be read.
    """
    return sorted(item.name for item in folder.iterdir() if not _is_own(item))


def remove(folder: Path, gone: Path) -> list[str]:
    """Removes a run: what the lab wrote, and the folder with it if nothing else is there.

    A link to a folder is removed and what it leads to stays.

    Args:
        folder: The run's folder.
        gone: A path beside it, out of everybody's sight, that does not exist.

    Returns:
        The names that were left.

    Raises:
        OSError: The system refuses.
    """
    if folder.is_symlink():
        folder.unlink()
        return []
    left = foreign(folder)
    if left:
        gone.mkdir()
        for item in [item for item in folder.iterdir() if _is_own(item)]:
            item.rename(gone / item.name)
    else:
        folder.rename(gone)  # out of sight in one step, however long the rest takes
    shutil.rmtree(gone, ignore_errors=True)
    return left


def _is_own(item: Path) -> bool:
    is_folder = stat.S_ISDIR(item.lstat().st_mode)
    if is_folder:
        return item.name in _FOLDERS
    return item.name in _FILES or _TEMPORARY.fullmatch(item.name) is not None
