"""Which rows of metrics.jsonl are kept in memory: all of a usual run, thinned for a huge one.

What draws, judges and forecasts needs the ends of the epochs, and between them no more points than
a screen has. Of a million lines so few are parsed; the others are only counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO, Generic, TypeVar

T = TypeVar("T")

MOST_ROWS = 4096
"""Of steps, and of ends of epochs, at most so many are kept, evenly; a recipe has 1,000 epochs."""

BLOCK_BYTES = 4 * 2**20

_STEP = b'{"kind": "step"'


class _Thinned(Generic[T]):
    """Every line of one kind, or every second, fourth …, with its place; and the newest."""

    def __init__(self, parse: Callable[[bytes], list[T]]) -> None:
        self._parse = parse
        self._kept: list[tuple[int, T]] = []
        self._every = 1
        self._seen = 0
        self._newest: tuple[int, bytes] | None = None

    def add(self, place: int, line: bytes) -> None:
        if self._seen % self._every == 0:
            self._kept += [(place, row) for row in self._parse(line + b"\n")]
            self._newest = None
            if len(self._kept) > MOST_ROWS:
                del self._kept[1::2]
                self._every *= 2
        else:
            self._newest = place, line
        self._seen += 1

    def rows(self) -> list[tuple[int, T]]:
        if self._newest is None:
            return self._kept
        place, line = self._newest
        return [*self._kept, *((place, row) for row in self._parse(line + b"\n"))]


class Rows(Generic[T]):
    """The rows of a file that grows, in its order.

    Args:
        parse: Returns the rows of whole lines; none of a torn one.
    """

    def __init__(self, parse: Callable[[bytes], list[T]]) -> None:
        self._steps, self._ends = _Thinned(parse), _Thinned(parse)
        self._lines = 0

    def add(self, whole: bytes) -> None:
        """Takes more of the file: whole lines, each with its end."""
        steps, ends = self._steps, self._ends
        lines = whole.split(b"\n")[:-1]
        for place, line in enumerate(lines, self._lines):
            (steps if line.startswith(_STEP) else ends).add(place, line)
        self._lines += len(lines)

    def read(self) -> list[T]:
        """Returns what is kept so far; the newest row of a kind is always among it."""
        kept = [*self._steps.rows(), *self._ends.rows()]
        return [row for _, row in sorted(kept, key=lambda pair: pair[0])]


def whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yields a file from where it stands, in pieces that end with a line; a rest is left out."""
    rest = b""
    while block := file.read(BLOCK_BYTES):
        rest += block
        end = rest.rfind(b"\n") + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
        elif len(rest) > BLOCK_BYTES:  # no row is that long
            return
