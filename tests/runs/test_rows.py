"""A run of a million rows: the ends of its epochs are kept, so few of its lines are parsed."""

from __future__ import annotations

import dataclasses
import io
import json
from itertools import pairwise
from pathlib import Path

import pytest

from cifar_core.runs import folder as run_folder
from cifar_core.runs import rows
from cifar_core.runs.folder import MetricRow, RunFolder, parse_rows
from cifar_core.runs.rows import Rows
from cifar_core.runs.watch import MetricsWatch

EPOCH = 1000


def written(folder: RunFolder, count: int) -> RunFolder:
    """Writes so many rows, each with a loss of its own; each thousandth ends an epoch."""
    row = MetricRow(
        kind="step",
        epoch=0.5,
        loss=0.25,
        accuracy=0.1,
        learning_rate=0.05,
        images_per_second=10.0,
        seconds=1.0,
    )
    step = json.dumps(dataclasses.asdict(row)).replace("0.25", "%d")
    end = step.replace('"step"', '"epoch"')
    with folder.metrics_path.open("w", encoding="ascii") as file:
        for number in range(1, count + 1):
            file.write((end if number % EPOCH == 0 else step) % number + "\n")
    return folder


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Each line that was parsed."""
    lines: list[bytes] = []

    def counted(data: bytes) -> list[MetricRow]:
        lines.append(data)
        return parse_rows(data)

    monkeypatch.setattr(run_folder, "parse_rows", counted)
    return lines


def test_of_a_million_rows_one_in_forty_is_parsed(tmp_path: Path, parsed: list[bytes]) -> None:
    found = written(RunFolder(tmp_path), 1_000_000).read_metrics()
    assert [row.loss for row in found if row.kind == "epoch"] == [
        EPOCH * number for number in range(1, 1001)
    ]
    steps = [row.loss for row in found if row.kind == "step"]
    assert (steps[0], steps[-1]) == (1, 999_999)
    assert rows.MOST_ROWS / 2 <= len(steps) <= rows.MOST_ROWS + 1
    gaps = {late - early for early, late in pairwise(steps[:-1])}
    assert max(gaps) - min(gaps) <= 1  # an end of an epoch lies between some
    assert [row.loss for row in found] == sorted(row.loss for row in found)
    assert len(parsed) < 25_000


def test_a_usual_run_keeps_every_row(tmp_path: Path) -> None:
    found = written(RunFolder(tmp_path), 4000).read_metrics()
    assert [row.loss for row in found] == list(range(1, 4001))


def test_a_file_read_as_it_grows_gives_the_rows_of_one_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_ROWS", 16)
    monkeypatch.setattr(rows, "BLOCK_BYTES", 1000)
    folder = written(RunFolder(tmp_path), 300)
    whole = folder.metrics_path.read_bytes()
    watch = MetricsWatch(folder)
    for size in range(0, len(whole) + 1, 997):
        folder.metrics_path.write_bytes(whole[:size])
        assert list(watch.read()) == folder.read_metrics()


def test_a_torn_line_among_whole_ones_is_left_out() -> None:
    kept = Rows(parse_rows)
    kept.add(b'{"kind": "step"\n' + b"x" * 100 + b"\n")
    assert kept.read() == []


def test_a_line_without_an_end_is_not_read_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BLOCK_BYTES", 1000)
    file = io.BytesIO(b"one\n" + b"x" * 100_000)
    assert list(rows.whole_lines(file)) == [b"one\n"]
    assert file.tell() <= 3000
