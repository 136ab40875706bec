"""Which rows of metrics.jsonl are kept in memory: all of a usual run, thinned for a huge one.

What draws, judges and forecasts needs the ends of the epochs, and between them no more points than
a screen has. Of a million lines so few are parsed; the others are only counted.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
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

    def add(self, lines: Sequence[bytes], place: Callable[[int], int]) -> None:
        start = -self._seen % self._every
        while start < len(lines):
            room = MOST_ROWS + 1 - len(self._kept)
            chosen = range(start, len(lines), self._every)[:room]
            for number in chosen:
                self._kept += [(place(number), row) for row in self._parse(lines[number] + b"\n")]
            start = chosen[-1] + self._every
            if len(self._kept) > MOST_ROWS:
                del self._kept[1::2]
                self._every *= 2
                start += -(self._seen + start) % self._every
        if lines:
            last = place(len(lines) - 1)
            is_kept = bool(self._kept) and self._kept[-1][0] == last
            self._newest = None if is_kept else (last, lines[-1])
        self._seen += len(lines)

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
        lines = whole.split(b"\n")[:-1]
        ends = [number for number, line in enumerate(lines) if not line.startswith(_STEP)]
        steps: list[bytes] = []
        for after, end in pairwise([-1, *ends, len(lines)]):
            steps += lines[after + 1 : end]
        steps_before = [end - number for number, end in enumerate(ends)]
        base = self._lines
        self._steps.add(steps, lambda number: base + number + bisect_right(steps_before, number))
        self._ends.add([lines[end] for end in ends], lambda number: base + ends[number])
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
