"""What a stored file of JSON may hold: every bound of every class is tried from outside."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cifar_core import files
from cifar_core.analysis.process import AnalysisStatus
from cifar_core.analysis.results import Origin, _StoredPairs
from cifar_core.dataset.download import DownloadStatus
from cifar_core.decoding import DecodeError, decode
from cifar_core.errors import LabError
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.runs import digests
from cifar_core.runs.folder import Label, MetricRow, RunFolder, State, Status
from cifar_core.services.feedback import Said
from tests.inference.test_timing import some_timing

ORIGIN = Origin("data", "cnn4", "a" * 64, "CNN-4", 6, "2026-11-27")
PAIR = (9_999, 49_999, 0.75, -0.5, 1)
EVALUATION = Evaluation(
    split="test",
    pictures=100,
    right=62,
    accuracy=0.62,
    interval=(0.52, 0.71),
    interval_method="Wilson",
    top5=0.95,
    loss=1.25,
    accuracy_mirrored=0.64,
    temperature=1.5,
    ece=0.04,
    ece_calibrated=0.03,
    confusion_matrix=tuple(tuple(range(row, row + 10)) for row in range(10)),
    training=(70, 90),
    held_out=(61, 80),
)
ROW = MetricRow(
    kind="step",
    epoch=0.5,
    loss=2.0,
    accuracy=0.1,
    learning_rate=0.05,
    images_per_second=100.0,
    seconds=1.0,
)
SAID = Said("1-a", 1.5e9, "ab" * 32, "squash", True, {"run-1": {"cat": 0.75}}, False, "dog")
VALID: dict[str, Any] = {
    "status": Status(state=State.RUNNING, epoch=3, accuracy=0.5),
    "row": ROW,
    "label": Label("mine", "a note", 1000.0),
    "evaluation": EVALUATION,
    "said": SAID,
    "timing": some_timing(),
    "pairs": _StoredPairs(ORIGIN, (PAIR,)),
    "analysis": AnalysisStatus(state="running", share=0.25, seconds=30.0),
    "download": DownloadStatus(state="running", done_bytes=7, total_bytes=9),
}
SHARE: tuple[Any, ...] = (-0.001, 1.001, True, "0.5", [])
COUNT: tuple[Any, ...] = (-1, 10**9 + 1, 1.5, True, "7")
NUMBER: tuple[Any, ...] = (10**12, -(10**12), 1e300, True, "3", [])
MATRIX = [list(range(10))] * 10
BAD: dict[str, dict[str, tuple[Any, ...]]] = {
    "status": {"state": ("flying", 1, None), "reason": (5, None), "device": (["cpu"],)},
    "row": {"kind": ("other", 1, None)},
    "label": {"name": (5, None), "note": ([],), "created_at": NUMBER},
    "evaluation": {
        **dict.fromkeys(("accuracy", "top5", "accuracy_mirrored", "ece"), (*SHARE, None)),
        "ece_calibrated": SHARE,
        "loss": (-0.1, 1e6 + 1, True, None),
        "temperature": (0, -1, 1e6 + 1, True, "1"),
        **dict.fromkeys(("pictures", "right"), (*COUNT, None)),
        "interval": ([0.1], [0.1, 0.2, 0.3], [-0.1, 0.5], [0.5, 1.1], [True, 0.5], None),
        "split": (5, None),
        "interval_method": (5,),
        **dict.fromkeys(
            ("training", "held_out"), ([1], [1, 2, 3], [-1, 2], [1, 10**9 + 1], [True, 2])
        ),
        "confusion_matrix": (
            [*MATRIX[:9], [1] * 9 + [-1]],
            [*MATRIX[:9], [1] * 9 + [0.5]],
            [*MATRIX[:9], [1] * 9 + [10**9 + 1]],
        ),
    },
    "said": {
        "answers": (
            5,
            {"run-1": {}},
            {"run-1": 5},
            {"run-1": {"cat": 1.5}},
            {"run-1": {"cat": -1}},
        ),
        "was_right": (1, "yes"),
        "kept_at": (10**12, "now", True, -1),
        **dict.fromkeys(("id", "sha256", "fit", "shows"), (5, None)),
    },
    "timing": {
        **dict.fromkeys(("other_ms", "whole_ms", "measured_at"), (-0.1, True, "1", None)),
        "step_ms": ([-0.1], [True], ["1"], 0.5, None),
        **dict.fromkeys(("rounds", "threads"), COUNT),
        **dict.fromkeys(("device", "litert", "sha256"), (5, None)),
    },
    "pairs": {
        "origin": (5, {}, {**vars(ORIGIN), "pictures": -1}, {**vars(ORIGIN), "network": 5}),
        "pairs": (
            5,
            [list(PAIR[:4])],
            [[10_000, *PAIR[1:]]],
            [[-1, *PAIR[1:]]],
            [[1, 50_000, *PAIR[2:]]],
            [[1, -1, *PAIR[2:]]],
            [[1, 2, 1.001, 0.5, 0]],
            [[1, 2, 0.5, -1.001, 0]],
            [[1, 2, 0.5, 0.5, 2]],
            [[1.5, *PAIR[1:]]],
        ),
    },
    "analysis": {"state": ("flying", 5), "share": SHARE, "seconds": (-1, True), "message": (5,)},
    "download": {
        "done_bytes": (-1, 1.5, True, None),
        "total_bytes": (-1, 1.5, True, "9"),
        **dict.fromkeys(("source", "what", "expected", "remedy"), (5, None)),
    },
}


def bad() -> Iterator[tuple[str, str, Any]]:
    """Yields class, key and value of what no file may hold."""
    for name, keys in BAD.items():
        for key, values in keys.items():
            yield from ((name, key, value) for value in values)
    for name in ("status", "row"):
        for field in dataclasses.fields(VALID[name]):
            if not isinstance(getattr(VALID[name], field.name), str):
                yield from ((name, field.name, value) for value in NUMBER)
    for key in ("epoch", "step", "steps_per_epoch", "best_epoch", "attempts", "cores", "threads"):
        yield "status", key, 1.5


def stored(value: Any) -> dict[str, Any]:
    return dataclasses.asdict(value)


@pytest.mark.parametrize("name", VALID)
def test_what_is_written_comes_back_of_the_same_types(name: str) -> None:
    value = VALID[name]
    found = decode(files.to_json(stored(value)), type(value), name)
    assert repr(found) == repr(value)


@pytest.mark.parametrize("name", VALID)
def test_keys_of_a_later_version_are_left_out(name: str) -> None:
    later = {"a later key": {"a": [1, None]}, **stored(VALID[name])}
    assert decode(json.dumps(later).encode(), type(VALID[name]), name) == VALID[name]


@pytest.mark.parametrize(("name", "key", "value"), list(bad()), ids=lambda value: str(value)[:40])
def test_a_value_out_of_its_bounds_is_refused_by_its_key(name: str, key: str, value: Any) -> None:
    data = json.dumps({**stored(VALID[name]), key: value}).encode()
    with pytest.raises(DecodeError) as refusal:
        decode(data, type(VALID[name]), f"{name}.json")
    assert refusal.value.key == key
    assert f"{name}.json" in refusal.value.what
    assert key in refusal.value.what
    assert refusal.value.expected
    assert refusal.value.remedy


@pytest.mark.parametrize("name", ["evaluation", "said", "row", "pairs", "timing"])
def test_a_key_that_is_missing_is_named(name: str) -> None:
    values = stored(VALID[name])
    required = {f.name for f in dataclasses.fields(VALID[name]) if f.default is dataclasses.MISSING}
    assert required
    for key in required:
        data = json.dumps({other: values[other] for other in values if other != key}).encode()
        with pytest.raises(DecodeError, match=key):
            decode(data, type(VALID[name]), name)


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e400", "9" * 5000, "1e-", "0x1"]
)
def test_what_is_no_finite_number_is_refused(number: str) -> None:
    for name, key in (("timing", "measured_at"), ("row", "loss"), ("evaluation", "loss")):
        data = json.dumps({**stored(VALID[name]), key: "HERE"}).replace('"HERE"', number)
        with pytest.raises(DecodeError):
            decode(data.encode(), type(VALID[name]), name)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 99,
        b"{",
        b"\xff\xfe",
        b"{} {}",
        b"[" * 300_000,
        b'{"a":' + b"[" * 300_000,
        b"null",
    ],
    ids=lambda data: repr(data[:9]),
)
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    for kind in (Status, dict[str, Any]):
        with pytest.raises(DecodeError) as refusal:
            decode(data, kind, "status.json")
        assert refusal.value.key == ""


def test_no_absurd_value_is_repeated_whole() -> None:
    data = json.dumps({"state": "x" * 100_000}).encode()
    with pytest.raises(DecodeError, match=r"status\.json at state") as refusal:
        decode(data, Status, "status.json")
    assert len(refusal.value.what) <= 201


def test_a_byte_order_mark_does_no_harm() -> None:
    assert decode(b'\xef\xbb\xbf{"state": "stopped"}', Status, "").state is State.STOPPED


def test_a_refusal_survives_a_pickle() -> None:
    with pytest.raises(DecodeError) as refusal:
        decode(b"{", Status, "status.json")
    again = pickle.loads(pickle.dumps(refusal.value))
    assert isinstance(again, LabError)
    assert "status.json" in again.what


@pytest.mark.parametrize("kind", ["pipe", "folder", "too large"])
def test_what_is_no_file_or_too_large_is_refused_at_once(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_JSON_BYTES", 100)
    path = tmp_path / "label.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_text(json.dumps({"name": "x" * 100}))
    with pytest.raises(OSError, match=r"label\.json"):
        files.read_json(path, Label)


@pytest.mark.parametrize(
    "table", [5, [], None, {"predictions": 5}, {"predictions": None}], ids=repr
)
def test_a_manifest_whose_digests_are_none_is_refused(table: Any, tmp_path: Path) -> None:
    digests.write_manifest(tmp_path, {"sha256": table, "a later key": 1})
    with pytest.raises(digests.ChangedError) as refusal:
        digests.read_manifest(tmp_path)
    assert "sha256" in refusal.value.what
    assert refusal.value.remedy


def test_a_long_text_of_a_status_is_cut_and_its_state_is_one(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    long = Status(state=State.FAILED, reason="r" * 5_000, remedy="m" * 4_001, phase="p" * 4_000)
    folder.write_status(long)
    read = folder.read_status()
    assert read is not None
    assert (len(read.reason), len(read.remedy), len(read.phase)) == (4_000, 4_000, 4_000)
    assert read.state is State.FAILED
