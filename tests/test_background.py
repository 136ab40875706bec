"""Work in a process of its own: it lives under its lock, and its end is always told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_core import background
from cifar_core.errors import LabError
from tests.waiting import wait_until


def end_of(work: Callable[[], object], tmp_path: Path) -> tuple[int, str, LabError | None]:
    """Returns the exit status of some work, and what was told of its end."""
    told: list[tuple[str, LabError | None]] = []
    code = background.carry_out(
        work, lambda *said: told.append(said), log_path=tmp_path / "work.log"
    )
    assert len(told) == 1
    return (code, *told[0])


def test_a_module_is_started_with_its_arguments_and_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.json").write_text("[1,2]")
    monkeypatch.chdir(tmp_path)  # the process works elsewhere, so paths go to it whole
    background.start("json.tool", [Path("in.json"), "--compact"], log_path=tmp_path / "log")
    wait_until(lambda: (tmp_path / "log").read_text() == "[1,2]\n")


def test_work_that_is_done_is_finished(tmp_path: Path) -> None:
    assert end_of(lambda: None, tmp_path) == (0, "finished", None)


def test_work_that_is_stopped_is_interrupted(tmp_path: Path) -> None:
    def stop() -> None:
        raise background.StopAskedError

    assert end_of(stop, tmp_path) == (1, "interrupted", None)


def test_a_named_failure_is_told_as_it_is(tmp_path: Path) -> None:
    refusal = LabError("The disk is full.")

    def refuse() -> None:
        raise refusal

    assert end_of(refuse, tmp_path) == (1, "failed", refusal)


def test_an_unforeseen_failure_is_told_with_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, state, reason = end_of(lambda: 1 / 0, tmp_path)
    assert (code, state) == (1, "failed")
    assert reason is not None
    assert "division by zero" in reason.what
    assert str(tmp_path / "work.log") in reason.remedy
    assert "ZeroDivisionError" in capsys.readouterr().err
