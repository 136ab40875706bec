"""Checkpoints: everything a run needs to go on bit for bit, in one file that proves itself.

A checkpoint is one line of JSON (format, digest of the rest, progress) followed by the arrays
in NumPy's ``.npz`` form, written without pickles. The one before is kept, so a damaged file
costs at most the work since then.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cifar_core import files
from cifar_core.errors import RunError

FORMAT = 1


@dataclass(frozen=True)
class Progress:
    """Where a run stands, beside its arrays.

    Attributes:
        epoch: Completed epochs.
        step: Steps done in the epoch under way.
        loss_sum: Sum of the losses of that epoch's pictures so far.
        right: Pictures of that epoch answered rightly so far.
        epoch_seconds: Time that epoch has taken so far.
        running_seconds: Time on the device since the first start.
        metrics_bytes: Length of metrics.jsonl at this moment.
        predictions_bytes: Length of the predictions file at this moment.
        best_accuracy: Best accuracy on the monitored split so far.
        best_epoch: Its epoch, counted from 1.
        accuracy: Accuracy on the monitored split after the last completed epoch.
        precision: Arithmetic of the run, ``float32`` or ``bfloat16``.
        backend: Keras backend that trained it.
        run: Which run it belongs to; empty in a checkpoint of an earlier version.
        recipe: What the run carries out, as in its recipe.json; empty likewise.
        surroundings: What the bits of its arithmetic depend on beside the recipe, see
            :mod:`cifar_core.runs.surroundings`; empty likewise.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    right: int = 0
    epoch_seconds: float = 0.0
    running_seconds: float = 0.0
    metrics_bytes: int = 0
    predictions_bytes: int = 0
    best_accuracy: float | None = None
    best_epoch: int | None = None
    accuracy: float | None = None
    precision: str = "float32"
    backend: str = "tensorflow"
    run: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    surroundings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Checkpoint:
    """Progress and the arrays that belong to it."""

    progress: Progress
    arrays: Mapping[str, np.ndarray]


class DamagedCheckpointError(ValueError):
    """The bytes of a checkpoint are not those that were written."""


class LostCheckpointError(RunError):
    """Checkpoints stand there and none of them can be used."""


def encode(checkpoint: Checkpoint) -> bytes:
    """Returns the checkpoint as the bytes of its file."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **checkpoint.arrays)
    body = buffer.getvalue()
    progress = json.dumps(dataclasses.asdict(checkpoint.progress))
    digest = hashlib.sha256(progress.encode() + body).hexdigest()
    head = {"format": FORMAT, "sha256": digest, "progress": progress}
    return json.dumps(head).encode() + b"\n" + body


def decode(data: bytes) -> Checkpoint:
    """Returns the checkpoint in the bytes of a file.

    Raises:
        DamagedCheckpointError: A byte is missing or changed, or the format is unknown.
    """
    line, _, body = data.partition(b"\n")
    try:
        head = json.loads(line)
        if json.dumps(head).encode() != line:  # a space that became a tab is a changed byte too
            raise DamagedCheckpointError("its first line differs")
        progress_text = head["progress"]
        digest = hashlib.sha256(progress_text.encode() + body).hexdigest()
        if head["format"] != FORMAT or head["sha256"] != digest:
            raise DamagedCheckpointError("the digest differs")
        progress = Progress(**json.loads(progress_text))
        with np.load(io.BytesIO(body), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except DamagedCheckpointError:
        raise
    except Exception as error:  # any byte may be wrong: whatever it causes means damaged
        raise DamagedCheckpointError(str(error)) from error
    return Checkpoint(progress, arrays)


def before(path: Path) -> Path:
    """Returns where the checkpoint before the newest is kept."""
    return path.with_name(path.name + ".before")


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Writes a checkpoint and keeps the one that stood there as the one before.

    At every moment at least one whole checkpoint stands under one of the two names.

    Raises:
        OSError: The disk is full or cannot be written; what stood there still stands.
    """
    files.write_whole_keeping(path, before(path), encode(checkpoint))


def load(path: Path) -> Checkpoint | None:
    """Returns the newest whole checkpoint, or None when none was ever written.

    A damaged, unreadable or missing newest one falls back on the one before. That one then
    takes its place, or the next :func:`save` would push the damaged one over it.

    Raises:
        LostCheckpointError: There are checkpoints, and none of them is whole. Going on
            without one would throw away what the run has reached, silently.
        OSError: The folder cannot be written.
    """
    faults = []
    for candidate in (path, before(path)):
        try:
            found = decode(files.read_bytes(candidate))
        except FileNotFoundError:
            continue
        except (OSError, DamagedCheckpointError) as error:
            faults.append(f"{candidate.name}: {error}")
            continue
        if candidate != path:
            files.rename(candidate, path)
        return found
    if faults:
        raise LostCheckpointError(
            f"No checkpoint of the run is whole ({'; '.join(faults)}).",
            expected="At least one of the last two checkpoints as it was written.",
            remedy="Put it back from a copy, or start a new run with the same settings.",
        )
    return None
