"""The folder of a run: its files, what they hold, and how they are read and written.

The worker writes, everybody else reads. Readers meet files at any moment of their life:
missing, half-written by a power cut, or from a future version; they answer with what can
be known instead of failing.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from cifar_core import files, recipes
from cifar_core.decoding import decode
from cifar_core.errors import LabError, RunError, reason
from cifar_core.runs import digests
from cifar_core.runs.rows import Rows, whole_lines

UNREADABLE = digests.BROKEN
"""What reading a file raises that is missing, torn, foreign or hostile."""

ABSURD = 10**12
"""No number in a run's folder is that large: not a moment (seconds), a count or a rate."""

IDENTITY_BYTES = 400
"""The longest identity and its line end fit well."""

MAX_NAME_CHARACTERS = 80
MAX_NOTE_CHARACTERS = 2000

MOST_CHARACTERS = 4000
"""No text of a status is longer: a page must draw it."""

RowKind = Literal["step", "epoch"]
Number = Annotated[float, Meta(gt=-ABSURD, lt=ABSURD)]
Whole = Annotated[int, Meta(gt=-ABSURD, lt=ABSURD)]


class State(StrEnum):
    """Where a run stands. The last two are concluded by readers, never written."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    STALLED = "stalled"

    @property
    def is_alive(self) -> bool:
        """Whether a process works on the run or waits to."""
        return self in (State.QUEUED, State.RUNNING, State.STALLED)


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the worker last said of a run.

    Attributes:
        state: As written by the worker (the manager writes only ``queued``).
        device: ``cpu``, ``gpu:0`` …, as chosen when the run was started.
        device_name: The device's own name, once the worker knows it.
        precision: ``float32`` or ``bfloat16``, once the worker knows it.
        phase: What the worker is doing, in words.
        epoch: Completed epochs.
        step: Steps done in the epoch under way.
        steps_per_epoch: Steps of one epoch; 0 until known.
        queued_at: When it last joined the queue, in seconds since 1970.
        started_at: When it last got its device.
        heartbeat_at: When the worker last spoke.
        ended_at: When it last ended.
        waiting_seconds: Queue time, over all its attempts.
        setup_seconds: Time on the device before training (starting Keras, opening the data,
            building the network), over all its attempts.
        running_seconds: Time of training, over all its attempts.
        closing_seconds: Time on the device after the last epoch (export, temperature, test
            figures), over all its attempts.
        eta_seconds: Expected time to the end of the run.
        images_per_second: Training pictures per second, lately.
        accuracy: Accuracy on the monitored split after the last epoch, from 0 to 1.
        best_accuracy: The best of them, and ``best_epoch`` its epoch (from 1).
        reason: Why it ended, in a sentence; ``remedy`` what to do next.
        caution: Why what is computed since it went on differs in its bits from an undisturbed
            run, in a sentence; empty when it does not.
        attempts: How often a worker was started for it.
        boot: Identifies the machine's start, to tell a reboot from a death.
        cores: Processor cores the worker may use; 0 until known.
        threads: Threads that compute one operation on the CPU; 0 until known.
        load_at_start: The machine's load average when the run last got its device.
        load_median: Median of the load averages at the ends of its epochs since then, its own
            load included.
    """

    state: State
    device: str = "cpu"
    device_name: str = ""
    precision: str = ""
    phase: str = ""
    epoch: Whole = 0
    step: Whole = 0
    steps_per_epoch: Whole = 0
    queued_at: Number = 0.0
    started_at: Number | None = None
    heartbeat_at: Number = 0.0
    ended_at: Number | None = None
    waiting_seconds: Number = 0.0
    setup_seconds: Number = 0.0
    running_seconds: Number = 0.0
    closing_seconds: Number = 0.0
    eta_seconds: Number | None = None
    images_per_second: Number | None = None
    accuracy: Number | None = None
    best_accuracy: Number | None = None
    best_epoch: Whole | None = None
    reason: str = ""
    remedy: str = ""
    caution: str = ""
    attempts: Whole = 0
    boot: str = ""
    cores: Whole = 0
    threads: Whole = 0
    load_at_start: Number | None = None
    load_median: Number | None = None

    @property
    def device_seconds(self) -> float:
        """All the time on the device: setting up, training, closing."""
        return self.setup_seconds + self.running_seconds + self.closing_seconds


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """One row of metrics.jsonl.

    Attributes:
        kind: ``step`` while an epoch is under way, ``epoch`` at its end.
        epoch: Progress in epochs: 3.25 is a quarter into the fourth; whole at an end.
        loss: Mean training loss of the epoch so far, dropout active.
        accuracy: Share of training pictures answered rightly in the epoch so far.
        learning_rate: Of the last step.
        images_per_second: Training pictures per second in the epoch so far.
        seconds: Time on the device since the run's first start.
        epoch_seconds: Time from the end of the epoch before: its checkpoint, training, validation.
        monitored_loss: Cross-entropy on the monitored split (at an epoch's end).
        monitored_accuracy: Accuracy on the monitored split (at an epoch's end).
    """

    kind: RowKind
    epoch: Number
    loss: Number
    accuracy: Number
    learning_rate: Number
    images_per_second: Number
    seconds: Number
    epoch_seconds: Number | None = None
    monitored_loss: Number | None = None
    monitored_accuracy: Number | None = None


@dataclass(frozen=True)
class Label:
    """What people call a run, and when it was made. Written by the manager only.

    Attributes:
        name: Given by a person, may be empty.
        note: Likewise.
        created_at: In seconds since 1970.
    """

    name: str = ""
    note: str = ""
    created_at: Number = 0.0


class RunFolder:
    """A run's folder and the files in it.

    Args:
        path: The folder; its name is the run's identity.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"RunFolder({self.id!r})"

    @property
    def id(self) -> str:
        """The run's identity: the name of its folder."""
        return self.path.name

    @property
    def recipe_path(self) -> Path:
        """recipe.json: written once by who starts the run."""
        return self.path / "recipe.json"

    @property
    def identity_path(self) -> Path:
        """identity: which run this is, also when its folder was copied or renamed."""
        return self.path / "identity"

    @property
    def status_path(self) -> Path:
        """status.json: the worker's last word."""
        return self.path / "status.json"

    @property
    def label_path(self) -> Path:
        """label.json: name and note."""
        return self.path / "label.json"

    @property
    def metrics_path(self) -> Path:
        """metrics.jsonl: one row per epoch and a few while it runs."""
        return self.path / "metrics.jsonl"

    @property
    def request_path(self) -> Path:
        """request: there while somebody asks the worker to stop."""
        return self.path / "request"

    @property
    def lock_path(self) -> Path:
        """lock: the kernel lock a living worker holds."""
        return self.path / "lock"

    @property
    def log_path(self) -> Path:
        """worker.log: everything the worker printed."""
        return self.path / "worker.log"

    @property
    def temporary_path(self) -> Path:
        """.temporary: where the worker's libraries put their files while it works."""
        return self.path / ".temporary"

    @property
    def checkpoint_path(self) -> Path:
        """checkpoint: all that is needed to go on; ``checkpoint.before`` is the one before."""
        return self.path / "checkpoint"

    @property
    def predictions_path(self) -> Path:
        """predictions: float16 probabilities (epochs, pictures, classes) on the monitored split."""
        return self.path / "predictions"

    @property
    def test_predictions_path(self) -> Path:
        """test_predictions.npy: float16 probabilities (images, classes), written at the end."""
        return self.path / "test_predictions.npy"

    @property
    def network_path(self) -> Path:
        """network.json: the real Keras model described."""
        return self.path / "network.json"

    @property
    def evaluation_path(self) -> Path:
        """evaluation.json: the final figures; its presence means finished."""
        return self.path / digests.EVALUATION_NAME

    @property
    def keras_path(self) -> Path:
        """model.keras: the trained network for others."""
        return self.path / "model.keras"

    @property
    def novelty_path(self) -> Path:
        """novelty.npz: what “none of these” is told from."""
        return self.path / "novelty.npz"

    @property
    def litert_path(self) -> Path:
        """model.tflite: the trained network for serving."""
        return self.path / "model.tflite"

    @property
    def manifest_path(self) -> Path:
        """manifest.json: digests, versions and device of it all."""
        return self.path / digests.MANIFEST_NAME

    def read_recipe(self) -> recipes.Recipe:
        """Returns the run's recipe.

        Raises:
            RunError: It is missing, cannot be read, or is not the one the run finished with.
        """
        try:
            recipe = recipes.from_json(files.read_json(self.recipe_path, dict[str, Any]))
        except (*UNREADABLE, LabError) as error:
            raise RunError(
                f"The recipe of run “{self.id}” cannot be read: {reason(error)}",
                expected="Every run has a recipe.json, written when it was started.",
                remedy="Delete the run, or put its recipe.json back.",
            ) from error
        digests.check(self.recipe_path)
        return recipe

    def read_identity(self) -> str:
        """Returns which run this is: as its starter wrote it, or else the folder's name."""
        try:
            return files.read_bytes(self.identity_path, most=IDENTITY_BYTES).decode().strip()
        except (OSError, ValueError):
            return self.id

    def recorded_digest(self) -> str:
        """Returns the SHA-256 that the manifest records for model.tflite, empty without one.

        Raises:
            RunError: The manifest cannot be read, or is not what the run wrote.
        """
        return str(self.read_manifest().get("sha256", {}).get(self.litert_path.name, ""))

    def read_manifest(self) -> dict[str, Any]:
        """Returns digests, versions and device of a finished run; nothing where it has none.

        Raises:
            RunError: The manifest cannot be read, or is not what the run wrote.
        """
        return digests.read_manifest(self.path)

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replaces manifest.json, its own digest included."""
        digests.write_manifest(self.path, manifest)

    def read_status(self) -> Status | None:
        """Returns the worker's last word, or None when it is missing or torn."""
        try:
            status = files.read_json(self.status_path, Status)
        except UNREADABLE:
            return None
        cut: dict[str, Any] = {
            key: text[:MOST_CHARACTERS]
            for key, text in vars(status).items()
            if isinstance(text, str) and len(text) > MOST_CHARACTERS
        }
        return dataclasses.replace(status, **cut)

    def write_status(self, status: Status, *, durable: bool = False) -> None:
        """Replaces status.json in one step."""
        files.write_json(self.status_path, dataclasses.asdict(status), durable=durable)

    def write_last_status(self, status: Status, spare: Path) -> None:
        """Replaces status.json durably with the room of a spare file, on a full disk too."""
        data = files.to_json(dataclasses.asdict(status))
        try:
            files.write_whole_within(self.status_path, spare, data)
        except OSError:  # no spare, or a file system that never writes in place
            spare.unlink(missing_ok=True)
            files.write_whole(self.status_path, data)

    def read_label(self) -> Label:
        """Returns the run's name and note, empty when none were given."""
        try:
            label = files.read_json(self.label_path, Label)
        except UNREADABLE:
            return Label()
        return dataclasses.replace(
            label, name=label.name[:MAX_NAME_CHARACTERS], note=label.note[:MAX_NOTE_CHARACTERS]
        )

    def write_label(self, label: Label) -> None:
        """Replaces the run's name and note."""
        files.write_json(self.label_path, dataclasses.asdict(label))

    def read_metrics(self) -> list[MetricRow]:
        """Returns the rows so far, see :mod:`cifar_core.runs.rows`; a torn one is left out.

        Raises:
            RunError: The run has finished, and the file is not the one it finished with.
        """
        digests.check(self.metrics_path)
        try:
            rows = Rows(parse_rows)
            with files.open_regular(self.metrics_path) as file:
                for lines in whole_lines(file):
                    rows.add(lines)
        except (OSError, MemoryError):
            return []
        return rows.read()

    def append_metrics(self, rows: Iterable[MetricRow], *, durable: bool = False) -> None:
        """Adds rows to metrics.jsonl in one write."""
        text = "".join(json.dumps(dataclasses.asdict(row)) + "\n" for row in rows)
        files.append(self.metrics_path, text.encode(), durable=durable)


def parse_rows(data: bytes) -> list[MetricRow]:
    """Returns the rows of the whole lines in a piece of metrics.jsonl; a torn one is left out."""
    rows = []
    for line in data.split(b"\n")[:-1]:
        try:
            rows.append(decode(line, MetricRow, "metrics.jsonl"))
        except UNREADABLE:
            continue
    return rows
