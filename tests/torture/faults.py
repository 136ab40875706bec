"""Every single operation on a file fails once, and every byte of a checkpoint may be wrong."""

from __future__ import annotations

import contextlib
import errno
import random
import shutil
from pathlib import Path

from cifar_core.runs.folder import RunFolder, State
from cifar_core.training import checkpoint
from tests.torture.bench import digests
from tests.torture.inside import prepare, stop_at, undertake
from tests.torture.outcome import Outcome, Tally
from tests.torture.tap import Tap, tapped

ERRORS = (errno.ENOSPC, errno.EIO, errno.EACCES)


def fail_every_operation(tries: int, seed: int, folder: Path) -> list[Outcome]:
    """A3: the n-th operation fails, for every n; then the run goes on.

    Args:
        tries: How many cases at most, drawn evenly; 0 for all of them.
        seed: Chooses them.
        folder: Where to work.
    """
    tally = Tally("A3", "the n-th file operation fails, then the run goes on as if nothing was")
    reference = prepare(folder / "reference", epochs=2)
    with tapped(Tap()) as tap:
        undertake(reference)
    wanted = digests(reference.path)
    cases = [(n, e, g) for n in range(tap.count) for e in ERRORS for g in (False, True)]
    draw = random.Random(seed)
    if tries:
        cases = draw.sample(cases, min(tries, len(cases)))
    for n, number, for_good in cases:
        run = prepare(folder / "run", epochs=2)
        said = None
        # An error comes out when the first word or the last could not be written.
        with tapped(Tap(n, number, for_good=for_good)), contextlib.suppress(OSError):
            said = undertake(run)
        case = f"operation {n}, {errno.errorcode[number]}{' for good' if for_good else ''}"
        tally.count(_is_sound(run, said) and _goes_on(run, wanted), case)
        shutil.rmtree(run.path)
    return [tally.outcome(f"{tap.count} operations × {len(ERRORS)} errors × once or for good")]


def damage_checkpoints(tries: int, seed: int, folder: Path) -> list[Outcome]:
    """A5: one byte is changed or missing, or the newest checkpoint is; the one before serves."""
    tally = Tally("A5", "a changed or missing byte is noticed, the checkpoint before is used")
    reference = prepare(folder / "reference")
    undertake(reference)
    wanted = digests(reference.path)
    stood = prepare(folder / "stood")
    undertake(stood, stop_at(2, 3, stood))
    newest = stood.checkpoint_path.read_bytes()
    before = checkpoint.decode(checkpoint.before(stood.checkpoint_path).read_bytes()).progress
    head = newest.index(b"\n") + 1
    draw = random.Random(seed)
    for index in range(tries):
        run = RunFolder(shutil.copytree(stood.path, folder / "run"))
        case = _damage(run.checkpoint_path, newest, head if index % 2 else len(newest), draw)
        loaded = checkpoint.load(run.checkpoint_path)
        used = loaded is not None and loaded.progress == before
        tally.count(used and _goes_on(run, wanted), case)
        shutil.rmtree(run.path)
    return [tally.outcome()]


def _damage(path: Path, data: bytes, below: int, draw: random.Random) -> str:
    """Changes one byte among the first ones, cuts the file there, or removes it."""
    position, kind = draw.randrange(below), draw.randrange(8)
    if kind == 0:
        path.unlink()
        return "missing"
    if kind <= 2:
        path.write_bytes(data[:position])
        return f"cut at byte {position}"
    if kind == 3:
        path.write_bytes(data[:position] + data[position + 1 :])
        return f"byte {position} missing"
    changed = data[position] ^ draw.randrange(1, 256)
    path.write_bytes(data[:position] + bytes([changed]) + data[position + 1 :])
    return f"byte {position} is {changed}"


def _is_sound(run: RunFolder, said: object) -> bool:
    """Whether a run that met a failing disk left nothing torn behind."""
    status = run.read_status()
    if status is None:
        return said is None and not run.metrics_path.exists()  # it never began
    if said is not None and status.state not in (State.FAILED, State.FINISHED):
        return False
    checkpoint.load(run.checkpoint_path)  # raises when one stands there and none is whole
    return True


def _goes_on(run: RunFolder, wanted: dict[str, bytes]) -> bool:
    status = undertake(run)
    return status.state is State.FINISHED and digests(run.path) == wanted
