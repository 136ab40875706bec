"""A job's status is written when it is news, not too often, and the last word counts."""

from __future__ import annotations

import errno
import json
import time
from pathlib import Path
from typing import Any

import pytest

from cifar_core.jobs import status
from cifar_core.jobs.status import JobStatus, JobStatusWriter


@pytest.fixture
def writer(tmp_path: Path) -> JobStatusWriter[JobStatus]:
    return JobStatusWriter(tmp_path / "work.json", JobStatus(state="running"))


def read(tmp_path: Path) -> Any:
    return json.loads((tmp_path / "work.json").read_text())


def test_only_news_is_written_at_once(
    writer: JobStatusWriter[JobStatus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    written = []
    for what, message, passed in (
        ("first", "", 0.0),
        ("too soon", "", 0.1),
        ("news", "a new message", 0.0),
        ("too soon again", "a new message", 0.2),
        ("late enough", "a new message", 0.06),
    ):
        moment += passed
        writer.update(what=what, message=message)
        written.append(read(tmp_path)["what"])
    assert written == ["first", "first", "news", "news", "late enough"]


def test_after_the_last_word_nothing_is_said(
    writer: JobStatusWriter[JobStatus], tmp_path: Path
) -> None:
    writer.finish(state="finished")
    writer.update(now=True, state="running")
    writer.finish(state="failed")
    assert read(tmp_path)["state"] == "finished"


def test_a_full_disk_stops_no_work(
    writer: JobStatusWriter[JobStatus], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(status, "write_json", full)
    writer.finish(state="failed", what="The disk is full.")
    assert read(tmp_path)["what"] == "The disk is full."
