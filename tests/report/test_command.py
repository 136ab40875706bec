from __future__ import annotations

import json
from pathlib import Path

import pytest

from cifar_core import __main__ as command_line
from tools.fabricate import Fake, fabricate


def test_a_report_is_written_from_the_command_line(
    runs_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    path = tmp_path / "told.html"
    assert command_line.main(["report", "one", "-o", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts == {"file": str(path), "size_bytes": path.stat().st_size, "runs": ["one"]}
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_report_that_cannot_be_written_says_so_in_three_answers(
    runs_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    path = tmp_path / "missing" / "told.html"
    assert command_line.main(["report", "one", "-o", str(path)]) == 1
    shown = capsys.readouterr().err
    assert "cannot be written: No such file or directory." in shown
    assert "Name another file" in shown


def test_a_run_that_is_not_there_leaves_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "told.html"
    assert command_line.main(["report", "gone", "-o", str(path)]) == 1
    assert "There is no run “gone”." in capsys.readouterr().err
    assert not path.exists()
