"""Reading the folder of a run: missing, torn, foreign, of a later version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cifar_core.errors import RunError
from cifar_core.recipes import recipe
from cifar_core.runs.folder import Label, MetricRow, RunFolder, State, Status

GARBAGE = [
    pytest.param(b"", id="empty"),
    pytest.param(b"\0" * 512, id="zeros"),
    pytest.param(b'{"state": "run', id="torn"),
    pytest.param(b"\xff\xfe\xfd", id="no text"),
    pytest.param(b"[1, 2]", id="a list"),
    pytest.param(b"null", id="null"),
    pytest.param(b'"text"', id="text"),
    pytest.param(b"[" * 200_000, id="deep"),
    pytest.param(b"9" * 5_000, id="a number too long"),
]

ROW = MetricRow(
    kind="step",
    epoch=0.5,
    loss=2.0,
    accuracy=0.1,
    learning_rate=0.05,
    images_per_second=100.0,
    seconds=1.0,
)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_garbled_status_is_unknown(folder: RunFolder, garbage: bytes) -> None:
    folder.status_path.write_bytes(garbage)
    assert folder.read_status() is None


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_garbled_label_is_empty(folder: RunFolder, garbage: bytes) -> None:
    folder.label_path.write_bytes(garbage)
    assert folder.read_label() == Label()


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_garbled_recipe_is_refused_in_three_answers(folder: RunFolder, garbage: bytes) -> None:
    folder.recipe_path.write_bytes(garbage)
    with pytest.raises(RunError) as error:
        folder.read_recipe()
    assert error.value.expected
    assert error.value.remedy


@pytest.mark.parametrize(
    "values",
    [
        {"state": "flying"},
        {"state": 1},
        {"state": "running", "epoch": "three"},
        {"state": "running", "epoch": 1.5},
        {"state": "running", "heartbeat_at": None},
        {"state": "running", "heartbeat_at": 1e300},
        {"state": "running", "queued_at": float("nan")},
        {"state": "running", "eta_seconds": float("inf")},
        {"state": "running", "device": ["cpu"]},
        {"state": "running", "accuracy": True},
        {"epoch": 3},
    ],
)
def test_a_status_with_impossible_values_is_unknown(
    folder: RunFolder, values: dict[str, Any]
) -> None:
    folder.status_path.write_text(json.dumps(values))
    assert folder.read_status() is None


def test_a_status_of_a_later_version_is_read(folder: RunFolder) -> None:
    folder.status_path.write_text('{"state": "running", "epoch": 2, "mood": "fine"}')
    assert folder.read_status() == Status(state=State.RUNNING, epoch=2)


def test_a_status_comes_back_as_it_was_written(folder: RunFolder) -> None:
    status = Status(state=State.STOPPED, epoch=3, accuracy=0.5, eta_seconds=None, reason="“”\n")
    folder.write_status(status)
    assert folder.read_status() == status


def test_the_last_status_needs_no_spare_file(folder: RunFolder) -> None:
    status = Status(state=State.FAILED)
    folder.write_last_status(status, folder.path / "spare")
    assert folder.read_status() == status


def test_a_recipe_comes_back_as_it_was_written(folder: RunFolder) -> None:
    made = recipe("standard", "cnn6", seed=7)
    folder.recipe_path.write_text(json.dumps(made.to_json()))
    assert folder.read_recipe() == made


@pytest.mark.parametrize("cut", range(0, 40, 3))
def test_a_row_being_written_is_left_out(folder: RunFolder, cut: int) -> None:
    folder.append_metrics([ROW, ROW])
    with folder.metrics_path.open("ab") as file:
        file.write(json.dumps({"kind": "step", "epoch": 0.6}).encode()[: cut + 1])
    assert folder.read_metrics() == [ROW, ROW]


@pytest.mark.parametrize(
    "line", [*(item.values[0] for item in GARBAGE), b'{"kind": "step"}', b'{"epoch": NaN}']
)
def test_a_torn_row_in_the_middle_costs_only_itself(folder: RunFolder, line: Any) -> None:
    folder.append_metrics([ROW])
    with folder.metrics_path.open("ab") as file:
        file.write(line + b"\n")
    folder.append_metrics([ROW])
    assert folder.read_metrics() == [ROW, ROW]


def test_rows_that_are_not_there_are_none(folder: RunFolder) -> None:
    assert folder.read_metrics() == []
