"""What stands around the training loop: the closing phase on the clock."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from cifar_core.runs.folder import RunFolder, State, Status
from cifar_core.runs.status_writer import RunStatusWriter
from cifar_core.training.train import phase_reporter


def test_the_closing_phase_is_counted_and_counted_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: moment)
    writer = RunStatusWriter(RunFolder(tmp_path), Status(state=State.RUNNING, closing_seconds=5.0))
    report_phase = phase_reporter(writer, 30.0)
    seen = []
    for passed in (0.0, 12.0, 17.5, 20.0):
        moment += passed
        report_phase("exporting")
        status = writer.folder.read_status()
        assert status is not None
        seen.append((status.closing_seconds, status.eta_seconds))
    # the last moments and what takes longer than expected are unknown, and not zero
    assert seen == [(5.0, 30.0), (17.0, 18.0), (34.5, None), (54.5, None)]


def test_a_closing_phase_of_unknown_length_has_no_forecast(tmp_path: Path) -> None:
    writer = RunStatusWriter(RunFolder(tmp_path), Status(state=State.RUNNING, eta_seconds=12.0))
    phase_reporter(writer, None)("exporting")
    assert writer.status.eta_seconds is None
