"""Listing, naming and moving runs, and their logs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cifar_core import services
from cifar_core.runs.folder import State
from tests.commands.tool import (
    done,
)
from tools.fabricate import Fake, fabricate


def listed(capfd: pytest.CaptureFixture[str]) -> list[list[str]]:
    assert done("runs") == 0
    return [line.split() for line in capfd.readouterr().out.splitlines()]


def test_an_accuracy_in_the_list_says_its_split(
    runs_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fabricate(runs_dir, Fake(run_id="a-1", created_at=3.0))
    fabricate(runs_dir, Fake(run_id="b-1", created_at=2.0, state=State.STOPPED, done=2))
    changes = {"recipe": "tutorial-repaired", "state": State.STOPPED, "done": 2}
    fabricate(runs_dir, Fake(run_id="c-1", created_at=1.0, **changes))  # type: ignore[arg-type]
    fabricate(runs_dir, Fake(run_id="d-1", created_at=0.5, state=State.STOPPED, done=0))
    _, *rows = listed(capfd)
    assert [row[:3] for row in rows] == [
        ["a-1", "finished", "3/3"],
        ["b-1", "stopped", "2/3"],
        ["c-1", "stopped", "2/3"],
        ["d-1", "stopped", "0/3"],
    ]
    assert [row[4] for row in rows[:3]] == ["test", "validation", "test"]
    assert rows[3][3] == "–"
    finished = services.read_evaluation(services.read_run("a-1"))
    assert finished is not None
    assert rows[0][3] == f"{100 * finished.accuracy:.1f}%"


def test_the_columns_of_the_list_stand_under_each_other(
    runs_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fabricate(runs_dir, Fake(run_id="short-1", name="one"))
    fabricate(runs_dir, Fake(run_id="a-rather-long-identity-1", name="two", state=State.STOPPED))
    assert done("runs") == 0
    head, *rows = capfd.readouterr().out.splitlines()
    assert {row[head.index("NAME") :] for row in rows} == {"one", "two"}


def test_json_of_the_list_says_split_and_figures(
    runs_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fabricate(runs_dir, Fake(run_id="a-1", created_at=3.0))
    fabricate(runs_dir, Fake(run_id="b-1", created_at=2.0, state=State.STOPPED, done=2))
    assert done("runs", "--json") == 0
    finished, stopped = json.loads(capfd.readouterr().out)
    assert finished["monitored_split"] == "validation"
    assert finished["evaluation"]["split"] == "test"
    assert 0.6 < finished["evaluation"]["accuracy"] < 0.8
    assert stopped["evaluation"] is None


def test_a_run_without_its_recipe_is_listed(
    runs_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fabricate(runs_dir, Fake(run_id="a-1", state=State.STOPPED)).recipe_path.unlink()
    _, row = listed(capfd)
    assert row[:3] == ["a-1", "stopped", "3/?"]


def test_no_runs_are_told_with_how_to_start_one(capfd: pytest.CaptureFixture[str]) -> None:
    assert done("runs") == 0
    assert "train --network cnn4" in capfd.readouterr().out


# rename, move, log


@pytest.mark.parametrize(
    ("given", "name", "note"),
    [
        (("--name", "Mine"), "Mine", ""),
        (("--note", "Good"), "before", "Good"),
        (("--name", "Mine", "--note", "Good"), "Mine", "Good"),
    ],
)
def test_rename_says_what_the_run_is_called_now(
    runs_dir: Path,
    capfd: pytest.CaptureFixture[str],
    given: tuple[str, ...],
    name: str,
    note: str,
) -> None:
    fabricate(runs_dir, Fake(run_id="a-1", name="before"))
    assert done("rename", "a-1", *given, "--json") == 0
    assert json.loads(capfd.readouterr().out) == {"run": "a-1", "name": name, "note": note}


def test_move_asks_for_the_other_device(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(services, "move_run", lambda *given: asked.append(given))
    assert done("move", "a-1", "--device", "gpu:0", "--json") == 0
    assert asked == [("a-1", "gpu:0")]
    assert json.loads(capfd.readouterr().out) == {"run": "a-1", "device": "gpu:0"}


def test_a_run_that_does_not_wait_is_not_moved(
    runs_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fabricate(runs_dir, Fake(run_id="a-1"))
    assert done("move", "a-1", "--device", "cpu", "--json") == 1
    assert "finished" in json.loads(capfd.readouterr().out)["error"]["what"]


@pytest.mark.parametrize("as_json", [False, True])
def test_log_prints_what_the_worker_printed(
    runs_dir: Path, capfd: pytest.CaptureFixture[str], as_json: bool
) -> None:
    fabricate(runs_dir, Fake(run_id="a-1")).log_path.write_bytes(b"one\n\xfftwo\n")
    assert done("log", "a-1", *(["--json"] if as_json else [])) == 0
    out = capfd.readouterr().out
    assert (json.loads(out)["log"] if as_json else out) == "one\n\ufffdtwo\n"


def test_an_empty_log_is_said_to_be_empty(
    runs_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    fabricate(runs_dir, Fake(run_id="a-1"))
    assert done("log", "a-1") == 0
    said = capfd.readouterr()
    assert said.out == ""
    assert "nothing" in said.err


@pytest.mark.parametrize("arguments", [("runs",), ("devices",)], ids=" ".join)
def test_a_command_that_succeeds_prints_nothing_but_json(
    arguments: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    assert done(*arguments, "--json") == 0
    said = capfd.readouterr()
    json.loads(said.out)
    assert said.err == ""
