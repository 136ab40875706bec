"""However some work ends, it has a state and, of a failure, a reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_core.errors import LabError
from cifar_core.jobs.end import End
from cifar_core.jobs.slot import Slot
from cifar_core.jobs.stop import StopAskedError


def end_of(work: Callable[[], object], tmp_path: Path) -> End:
    return Slot(tmp_path, "work").carry_out(work)


def test_work_that_is_done_is_finished(tmp_path: Path) -> None:
    end = end_of(lambda: 7, tmp_path)
    assert (end, end.exit_status) == (End("finished"), 0)


def test_work_that_is_stopped_is_interrupted(tmp_path: Path) -> None:
    def stop() -> None:
        raise StopAskedError

    end = end_of(stop, tmp_path)
    assert (end, end.exit_status) == (End("interrupted"), 1)


def test_work_may_say_itself_how_it_ended(tmp_path: Path) -> None:
    end = End("interrupted", LabError("Stopped in line."))
    assert end_of(lambda: end, tmp_path) is end


def test_a_named_failure_is_told_as_it_is(tmp_path: Path) -> None:
    refusal = LabError("The disk is full.")

    def refuse() -> None:
        raise refusal

    assert end_of(refuse, tmp_path) == End("failed", refusal)


def test_an_unforeseen_failure_is_told_with_its_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    end = end_of(lambda: 1 / 0, tmp_path)
    assert (end.state, end.exit_status) == ("failed", 1)
    assert end.reason is not None
    assert "division by zero" in end.reason.what
    assert str(tmp_path / "work.log") in end.reason.remedy
    assert "ZeroDivisionError" in capsys.readouterr().err
