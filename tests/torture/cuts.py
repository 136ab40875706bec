"""Arrays that another process shortens: their reader lives, and reads nothing wrong."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cifar_core.dataset.sample import load_sample
from cifar_core.dataset.stored import StoredRows
from cifar_core.errors import LabError
from cifar_core.inference import neighbours
from cifar_core.runs import reading, results
from cifar_core.runs.folder import State
from tests.torture.outcome import Outcome, Tally
from tests.waiting import wait_until
from tools.fabricate import Fake, fabricate

LOOKS = 2
"""Looks that are awaited at a file that was cut; the first may have begun before."""

DIGEST = "a" * 64
RIGHT, REFUSED, WRONG = b".", b"r", b"x"

Look = Callable[[], NDArray[np.generic] | None]
"""Reads a file, always the same of it; None or a LabError where that is refused."""


def cut_arrays(cuts: int, seed: int, folder: Path) -> list[Outcome]:
    """E5: cuts the files of each kind of array that the server reads, as often as asked in all."""
    tally = Tally(
        "E5", "an array is shortened under its reader, which lives and reads nothing wrong"
    )
    draw, seen = random.Random(seed), []
    for number, make in enumerate((images, predictions, test_predictions, features)):
        path, look = make(folder / make.__name__)
        reader = Reader(look, folder / f"{make.__name__}.seen")
        for cut in range(number, cuts, 4):
            held = cut_once(path, draw, reader)
            tally.count(held, f"{make.__name__}, cut {cut}")
        seen.append(reader.end())
    looks = b"".join(seen)
    tally.count(WRONG not in looks, f"{looks.count(WRONG)} wrong looks")
    tally.count(all(REFUSED in each for each in seen) or cuts < 100, "no cut was seen")
    return [tally.outcome(f"{len(looks):,} looks, {looks.count(REFUSED):,} refused in sentences")]


def cut_once(path: Path, draw: random.Random, reader: Reader) -> bool:
    """Shortens a file and lets it grow again in place; says whether the reader still lives."""
    whole = path.read_bytes()
    kept = draw.randrange(len(whole))
    time.sleep(draw.uniform(0, 0.002))  # anywhere in a look
    os.truncate(path, kept)
    held = reader.goes_on()
    with path.open("ab") as file:
        file.write(whole[kept:])
    return reader.goes_on() and held


class Reader:
    """A process that looks again and again and notes each look; started anew if it died."""

    def __init__(self, look: Look, notes: Path) -> None:
        self.look, self.notes = look, notes
        first = look()
        assert first is not None
        self.expected = first
        notes.touch()
        self.child = self.start()

    def start(self) -> int:
        child = os.fork()
        if child == 0:
            try:
                while True:
                    self.note()
            finally:
                os._exit(1)
        return child

    def note(self) -> None:
        try:
            found = self.look()
        except LabError:
            found = None
        is_right = np.array_equal(found, self.expected) if found is not None else None
        with self.notes.open("ab") as file:
            file.write({None: REFUSED, True: RIGHT, False: WRONG}[is_right])

    def goes_on(self) -> bool:
        """Waits for a few looks; starts another reader if this one has died before."""
        enough = self.notes.stat().st_size + LOOKS
        has_died = False

        def is_over() -> bool:
            nonlocal has_died
            has_died = os.waitpid(self.child, os.WNOHANG)[0] != 0
            return has_died or self.notes.stat().st_size >= enough

        wait_until(is_over)
        if has_died:
            self.child = self.start()
        return not has_died

    def end(self) -> bytes:
        """Ends the process and returns its notes."""
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        return self.notes.read_bytes()


def images(folder: Path) -> tuple[Path, Look]:
    folder.mkdir()
    pictures = np.asarray(load_sample().train.images)
    np.save(folder / "images.npy", pictures)
    rows = StoredRows(folder / "images.npy", pictures.shape)

    def look() -> NDArray[np.generic]:
        rows[3::7]  # leaves other bytes in the memory that the next one is given
        return rows[::7]

    return folder / "images.npy", look


def predictions(folder: Path) -> tuple[Path, Look]:
    run = fabricate(folder, Fake(run_id="begun", done=2, state=State.RUNNING))

    def look() -> NDArray[np.generic]:
        found = reading.read(folder, run.id)
        given = results.read_predictions(found, epoch=1)
        return results.read_course(found, given, range(0, 5000, 7))[1]

    return run.predictions_path, look


def test_predictions(folder: Path) -> tuple[Path, Look]:
    run = fabricate(folder, Fake(run_id="finished"))
    return (
        run.test_predictions_path,
        lambda: results.read_test_predictions(reading.read(folder, run.id)).probabilities,
    )


def features(folder: Path) -> tuple[Path, Look]:
    train = load_sample().train
    path = folder / neighbours.FOLDER / f"{DIGEST[:16]}.npy"
    path.parent.mkdir(parents=True)
    draw = np.random.default_rng(4)
    np.save(path, draw.integers(-127, 128, (len(train.labels), 128), dtype=np.int8))

    def look() -> NDArray[np.generic] | None:
        found = neighbours.open_whole(folder, DIGEST, train)
        return None if found is None else np.array(found.features)

    return path, look
