"""Power cuts: what may be on the disk when the power goes after any operation.

The model is harsher than any file system the lab runs on. What was not synced may be there,
be missing, or be there up to any byte with zeros or nothing after it, each write for itself
and in any order. A name that was made or moved may have changed or not, each for itself,
until its folder is synced; syncing a file promises its bytes, not its name.
"""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Iterable
from pathlib import Path

from cifar_core.runs.folder import RunFolder, State
from cifar_core.training import checkpoint
from tests.torture.bench import digests
from tests.torture.inside import prepare, stop_at, undertake
from tests.torture.outcome import Outcome, Tally
from tests.torture.tap import Operation, Recorder, tapped

DRAWN = 6
"""States drawn at random at each operation, beside “all lost” and “all kept”."""

Disk = dict[str, bytes]


def lose_power(tries: int, seed: int, folder: Path) -> list[Outcome]:
    """A4: loses the power after every operation; then the run goes on.

    Args:
        tries: How many different states of the disk, at least; 0 for every one drawn.
        seed: Draws what is lost.
        folder: Where to work.
    """
    tally = Tally("A4", "power lost: what was not synced is dropped, torn or reordered")
    reference = prepare(folder / "reference")
    undertake(reference)
    wanted = digests(reference.path)
    begin, log = record(folder / "recorded")
    draw = random.Random(seed)
    states = list(crash_states(begin, log, draw))
    if tries:
        states = draw.sample(states, min(tries, len(states)))
    for cut, disk, kept_epoch in states:
        path = folder / "run"
        path.mkdir()
        for name, data in disk.items():
            (path / name).write_bytes(data)
        try:
            held = _goes_on(RunFolder(path), kept_epoch, wanted)
            tally.count(held, f"after operation {cut}")
        except Exception as error:  # noqa: BLE001 - whatever it is, the state was not survived
            tally.count(held=False, case=f"after operation {cut}: {error!r}")
        shutil.rmtree(path)
    return [tally.outcome(f"{len(states)} different states after {len(log)} operations")]


def record(path: Path) -> tuple[Disk, list[Operation]]:
    """Carries out a run that is stopped in its second epoch and resumed, and writes it down."""
    run = prepare(path)
    run.lock_path.touch()
    recorder = Recorder(path)
    with tapped(recorder):
        undertake(run, stop_at(1, 4, run))
        undertake(run)
    return recorder.begin, recorder.log


def crash_states(
    begin: Disk, log: list[Operation], draw: random.Random
) -> Iterable[tuple[int, Disk, int]]:
    """Yields different states: operations done, the disk, and the epochs that must be kept."""
    seen: set[str] = set()
    disk = Model(begin)
    for cut, operation in enumerate(log):
        disk.do(operation)
        for index in range(2 + DRAWN):
            chance = (0.0, 1.0)[index] if index < 2 else draw.choice((0.2, 0.5, 0.8))
            state = disk.after_power_cut(chance, draw)
            key = repr([(n, hashlib.sha256(d).digest()) for n, d in sorted(state.items())])
            if key not in seen:
                seen.add(key)
                yield cut, state, disk.kept_epoch


class Model:
    """A folder on a disk: what is surely there, and what may be.

    Attributes:
        kept_epoch: Completed epochs of the last checkpoint whose name was synced.
    """

    def __init__(self, begin: Disk) -> None:
        self._names = {name: node for node, name in enumerate(begin)}
        self._bytes = dict(enumerate(begin.values()))
        self._pending_names: list[Operation] = []
        self._pending: dict[int, list[Operation]] = {}
        self.kept_epoch = 0

    def do(self, operation: Operation) -> None:
        """Takes in an operation."""
        if operation.kind == "sync":
            self._bytes[operation.node] = self._content(operation.node)
            self._pending[operation.node] = []
        elif operation.kind == "names":
            for pending in self._pending_names:
                self._rename(self._names, pending)
            self._pending_names = []
            if "checkpoint" in self._names:
                newest = checkpoint.decode(self._bytes[self._names["checkpoint"]])
                self.kept_epoch = newest.progress.epoch
        elif operation.kind in ("name", "move"):
            self._pending_names.append(operation)
        else:
            self._pending.setdefault(operation.node, []).append(operation)

    def after_power_cut(self, chance: float, draw: random.Random) -> Disk:
        """Returns what is there afterwards; each pending thing happened with a chance."""
        names = dict(self._names)
        for operation in self._pending_names:
            if draw.random() < chance:
                self._rename(names, operation)
        contents: dict[int, bytes] = {}
        for node in set(names.values()):
            contents[node] = self._content(node, chance, draw)
        return {name: contents[node] for name, node in names.items()}

    def _content(self, node: int, chance: float = 1.0, draw: random.Random | None = None) -> bytes:
        data = bytearray(self._bytes.get(node, b""))
        for operation in self._pending.get(node, []):
            if draw is not None and draw.random() >= chance:
                continue
            if operation.kind == "size":
                del data[operation.offset :]
                continue
            written = operation.data
            if draw is not None and 0.0 < chance < 1.0 and draw.random() < 0.4:
                torn = draw.randrange(len(written) + 1)
                filled = bytes(len(written) - torn) if draw.random() < 0.5 else b""
                written = written[:torn] + filled
            data.extend(bytes(max(0, operation.offset - len(data))))
            data[operation.offset : operation.offset + len(written)] = written
        return bytes(data)

    @staticmethod
    def _rename(names: dict[str, int], operation: Operation) -> None:
        if operation.source and names.get(operation.source) == operation.node:
            del names[operation.source]
        names[operation.name] = operation.node


def _goes_on(run: RunFolder, kept_epoch: int, wanted: dict[str, bytes]) -> bool:
    saved = checkpoint.load(run.checkpoint_path)
    reached = 0 if saved is None else saved.progress.epoch
    status = undertake(run)
    return reached >= kept_epoch and status.state is State.FINISHED and digests(run.path) == wanted
