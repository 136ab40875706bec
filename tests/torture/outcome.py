"""What an experiment found: how often a promise was tried and how often it held."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """One row of the table.

    Attributes:
        promise: Its number, such as ``A1``.
        what: The promise in a few words.
        tried: How often it was tried.
        held: How often it held.
        figure: What was measured beside that, in words.
        faults: The first few cases that did not hold.
    """

    promise: str
    what: str
    tried: int
    held: int
    figure: str = ""
    faults: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether the promise was tried and held every time."""
        return 0 < self.tried == self.held


class Tally:
    """Counts the tries of one promise."""

    def __init__(self, promise: str, what: str) -> None:
        self.promise = promise
        self.what = what
        self.tried = 0
        self.faults: list[str] = []
        self.seconds: list[float] = []

    def count(self, held: bool, case: str = "") -> None:
        """Counts one try."""
        self.tried += 1
        if not held:
            self.faults.append(case)

    def outcome(self, figure: str = "") -> Outcome:
        """Returns the row."""
        held = self.tried - len(self.faults)
        if not figure and self.seconds:
            figure = f"longest {max(self.seconds):.1f} s"
        return Outcome(
            self.promise, self.what, self.tried, held, figure, tuple(map(str, self.faults[:5]))
        )


def fresh(folder: Path, name: str) -> Path:
    """Makes an empty folder."""
    path = folder / name
    path.mkdir(parents=True)
    return path
