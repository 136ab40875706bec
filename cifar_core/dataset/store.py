"""Writing the full dataset so that it is whole or absent, whatever breaks."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cifar_core.dataset import ARRAY_NAMES, CIFAR10, DatasetSpec
from cifar_core.dataset.arrays import MANIFEST_NAME
from cifar_core.files import flush_folder, write_json


@dataclass(frozen=True, eq=False)
class Arrays:
    """The four arrays of the full set: uint8, pictures (n, 32, 32, 3), official order."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]

    def by_name(self) -> dict[str, NDArray[np.uint8]]:
        """Returns the arrays under the names of ``ARRAY_NAMES``, in its order."""
        return {name: getattr(self, name) for name in ARRAY_NAMES}


def write_full(data_dir: Path, arrays: Arrays, source: str, *, spec: DatasetSpec = CIFAR10) -> None:
    """Writes the full dataset so that it is whole or absent, whatever breaks.

    The files are written to a folder beside the final one, flushed to the disk and renamed.
    What stood there before is moved aside first and put back should the renaming fail.

    Args:
        data_dir: The data folder; made if missing.
        arrays: The four arrays, already checked against their digests.
        source: Where they come from, in words.
        spec: Which dataset they are.

    Raises:
        OSError: The disk is full or the folder cannot be written; nothing has changed.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    final = data_dir / spec.name
    fresh = Path(tempfile.mkdtemp(prefix=f".{spec.name}-new-", dir=data_dir))
    try:
        fresh.chmod(0o755)  # mkdtemp's 0700 would shut out other users of a shared folder
        sizes = {}
        for name, array in arrays.by_name().items():
            with (fresh / f"{name}.npy").open("wb") as file:
                np.save(file, array, allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
                sizes[f"{name}.npy"] = file.tell()
        manifest = {
            "source": source,
            "prepared": datetime.now(UTC).isoformat(timespec="seconds"),
            "digest": spec.digest,
            "digests": dict(spec.digests),
            "size_bytes": sizes,
        }
        write_json(fresh / MANIFEST_NAME, manifest)
        _swap_in(fresh, final)
        flush_folder(data_dir)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def clear_leftovers(data_dir: Path) -> None:
    """Removes what a preparation killed half-way left; a set it had moved aside comes back.

    Call it only while no other process writes there.
    """
    final = data_dir / CIFAR10.name
    for aside in sorted(data_dir.glob(f".{CIFAR10.name}-old-*")):
        if not final.exists():
            aside.rename(final)
        else:
            shutil.rmtree(aside, ignore_errors=True)
    for unfinished in data_dir.glob(f".{CIFAR10.name}-new-*"):
        shutil.rmtree(unfinished, ignore_errors=True)


def _swap_in(fresh: Path, final: Path) -> None:
    """Renames ``fresh`` to ``final``; an older ``final`` goes only once that has worked."""
    aside = fresh.with_name(fresh.name.replace("-new-", "-old-"))
    had_old = final.exists()
    if had_old:
        final.rename(aside)
    try:
        fresh.rename(final)
    except BaseException:  # also when the process is asked to stop at this very moment
        if had_old:
            aside.rename(final)
        raise
    if aside.is_dir():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.unlink(missing_ok=True)
