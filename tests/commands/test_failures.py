"""What goes wrong on the command line, foreseen or not: output and exit status."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from cifar_core import files, services
from cifar_core.settings import PROJECT_DIR
from tests.commands.tool import (
    LIMIT_SECONDS,
    PROGRAM,
    TRAIN,
    done,
    model,
    told,
)

FAILURES: Sequence[tuple[str, ...]] = (
    ("stop", "no-such-run"),
    ("resume", "no-such-run"),
    ("delete", "no-such-run"),
    ("rename", "no-such-run", "--name", "x"),
    ("move", "no-such-run", "--device", "cpu"),
    ("move", "no-such-run", "--device", "toaster"),
    ("log", "no-such-run"),
    ("evaluate", "no-such-run"),
    ("evaluate", "../../etc"),
    ("classify", "picture.png"),
    ("classify", "picture.png", "--model", "no-such-run"),
    ("measure", "no-such-run"),
    ("data",),
    TRAIN,
    (*TRAIN, "--detach"),
    (*TRAIN, "--device", "gpu:77"),
    (*TRAIN, "--epochs", "0"),
    (*TRAIN, "--epochs", "1001"),
    (*TRAIN, "--batch-size", "7"),
    (*TRAIN, "--learning-rate", "nan"),
    (*TRAIN, "--learning-rate", "inf"),
    (*TRAIN, "--seed", "-1"),
    (*TRAIN, "--training-pictures", "5"),
)


@pytest.fixture
def _unwritable_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder that cannot be made, so that nothing asks the network for it."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "file" / "data"))


@pytest.mark.usefixtures("_unwritable_data")
@pytest.mark.parametrize("arguments", FAILURES, ids=" ".join)
def test_a_foreseen_failure_is_json_and_status_1(
    arguments: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    assert done(*arguments, "--json") == 1
    value = json.loads(capfd.readouterr().out)
    answers = value.get("error") or value[arguments[1]]
    assert answers["what"]
    assert answers["remedy"]
    assert "unforeseen" not in answers["what"]


@pytest.mark.usefixtures("_unwritable_data")
@pytest.mark.parametrize("arguments", FAILURES, ids=" ".join)
def test_without_json_a_failure_is_told_on_standard_error_alone(
    arguments: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    assert done(*arguments) == 1
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.strip()
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("dance",),
        ("train",),
        ("train", "--network", "cnn5"),
        (*TRAIN, "--epochs", "many"),
        (*TRAIN, "--epochs", "2.5"),
        (*TRAIN, "--recipe", "none"),
        ("stop",),
        ("resume",),
        ("delete",),
        ("rename",),
        ("rename", "some-run"),
        ("move", "some-run"),
        ("log",),
        ("evaluate",),
        ("classify",),
        ("classify", "picture.png", "--fit", "stretch"),
        ("runs", "extra"),
        ("devices", "extra"),
        ("data", "extra"),
    ],
    ids=" ".join,
)
def test_bad_usage_is_status_2_with_nothing_on_standard_output(
    arguments: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    assert done(*arguments, *(["--json"] if arguments else [])) == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert "usage:" in said.err


@pytest.mark.parametrize(
    "arguments",
    [TRAIN, ("stop", "a"), ("rename", "a", "--name", "b"), ("delete", "a"), ("data",)],
    ids=" ".join,
)
def test_a_lab_for_looking_refuses_changes_in_json(
    arguments: tuple[str, ...],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIFAR_LAB_READONLY", "1")
    assert done(*arguments, "--json") == 1
    value = json.loads(capfd.readouterr().out)
    assert "looking" in json.dumps(value)


@pytest.mark.data
@pytest.mark.parametrize("extra", [(), ("--detach",)])
def test_a_file_in_the_place_of_the_runs_folder_is_told_in_json(
    extra: tuple[str, ...], runs_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    runs_dir.touch()
    assert done(*TRAIN, *extra, "--json") == 1
    assert "cannot be written" in json.loads(capfd.readouterr().out)["error"]["what"]


def test_a_file_in_the_place_of_the_runs_folder_holds_no_runs(
    runs_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    runs_dir.touch()
    assert done("runs", "--json") == 0
    assert json.loads(capfd.readouterr().out) == []


# What nobody foresaw


@pytest.fixture
def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> NoReturn:
        raise ZeroDivisionError("the ship\nsinks")

    monkeypatch.setattr(services, "list_runs", fail)


@pytest.mark.usefixtures("_broken")
def test_the_unforeseen_is_told_with_type_text_and_a_next_step(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert done("runs") == 1
    said = capfd.readouterr()
    assert said.out == ""
    what, remedy = said.err.splitlines()
    assert what == "Something unforeseen happened: ZeroDivisionError: the ship sinks"
    assert "CIFAR_LAB_DEBUG=1" in remedy


@pytest.mark.usefixtures("_broken")
def test_the_unforeseen_is_json_where_json_was_asked_for(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert done("runs", "--json") == 1
    said = capfd.readouterr()
    told = json.loads(said.out)["error"]
    assert "ZeroDivisionError: the ship sinks" in told["what"]
    assert "CIFAR_LAB_DEBUG=1" in told["remedy"]
    assert said.err == ""


@pytest.mark.usefixtures("_broken")
def test_a_developer_gets_the_traceback_on_standard_error(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_DEBUG", "1")
    assert done("runs", "--json") == 1
    said = capfd.readouterr()
    assert "Traceback" in said.err
    assert set(json.loads(said.out)) == {"error"}


def test_a_folder_of_nobody_is_told_without_a_traceback() -> None:
    status, out, err = told("runs", "--json", CIFAR_LAB_RUNS="~nouser/x")
    assert status == 1
    assert "~nouser" in out or "home" in out
    assert set(json.loads(out)) == {"error"}
    assert "Traceback" not in err


@pytest.mark.data
def test_figures_that_are_none_do_not_break_evaluate(
    runs_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files.write_json(model(runs_dir).evaluation_path, [])
    assert done("evaluate", "fake-1", "--json") == 1
    assert json.loads(capfd.readouterr().out)["error"]["what"]


def test_a_run_with_figures_that_are_none_is_listed_with_the_others(
    runs_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    files.write_json(model(runs_dir).evaluation_path, [])
    model(runs_dir, "fake-2")
    assert done("runs", "--json") == 0
    assert {run["run"] for run in json.loads(capfd.readouterr().out)} == {"fake-1", "fake-2"}


@pytest.mark.parametrize("arguments", [("runs",), ("runs", "--json"), ("--help",), ("stop", "x")])
def test_a_full_disk_under_the_output_is_status_1_without_a_traceback(
    arguments: tuple[str, ...],
) -> None:
    with Path("/dev/full").open("wb") as full:
        answer = subprocess.run(
            [*PROGRAM, *arguments],
            cwd=PROJECT_DIR,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )
    assert answer.returncode == 1
    assert len(answer.stderr.strip().splitlines()) <= 3
    assert "Traceback" not in answer.stderr
    assert "Exception" not in answer.stderr


def test_a_reader_that_has_gone_is_no_failure_to_speak_of() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    answer = subprocess.run(
        [*PROGRAM, "runs"],
        cwd=PROJECT_DIR,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    os.close(writer)
    assert (answer.returncode, answer.stderr) == (1, "")
