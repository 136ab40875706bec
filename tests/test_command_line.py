"""The command line as a person and a script meet it: output, exit status, Ctrl-C."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from PIL import Image

from cifar_core import __main__ as command_line
from cifar_core import console, files, recipes, services
from cifar_core.inference.timing import measure
from cifar_core.lock import Lock, try_lock
from cifar_core.runs.folder import RunFolder, State, Status
from cifar_core.settings import MAX_UPLOAD_BYTES, PROJECT_DIR
from tests.fabricate import Fake, fabricate

TINY = PROJECT_DIR / "tests" / "inference" / "data" / "tiny.tflite"
PROGRAM = (sys.executable, "-m", "cifar_core")
LIMIT_SECONDS = 60
TRAIN = ("train", "--network", "cnn4")


@pytest.fixture(autouse=True)
def _no_dataset(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lab without the dataset, but for the tests that are marked to need it."""
    for variable in ("CIFAR_LAB_DEBUG", "PYTHONUNBUFFERED"):  # the latter hides what is left over
        monkeypatch.delenv(variable, raising=False)
    if request.node.get_closest_marker("data") is None:
        monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "no-data"))


def told(*arguments: str | bytes, **environ: str) -> tuple[int, str, str]:
    """Runs the command line as a process; returns exit status, standard output and error."""
    answer = subprocess.run(
        [*PROGRAM, *arguments],
        cwd=PROJECT_DIR,
        env={**os.environ, **environ},
        capture_output=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    return answer.returncode, answer.stdout.decode(), answer.stderr.decode()


def done(*arguments: str) -> int:
    """Runs the command line in this process; returns its exit status, of bad usage too."""
    try:
        return command_line.main(arguments)
    except SystemExit as end:
        return int(end.code or 0)


def model(runs_dir: Path, run_id: str = "fake-1") -> RunFolder:
    """Writes a run that never was around the tiny untrained network of the inference tests."""
    folder = RunFolder(runs_dir / run_id)
    folder.path.mkdir(parents=True)
    files.write_json(folder.recipe_path, recipes.recipe("standard", "cnn4").to_json())
    files.write_json(folder.label_path, {"name": "", "note": "", "created_at": 1.0})
    files.write_json(folder.status_path, {"state": "finished", "epoch": 20})
    files.write_json(folder.evaluation_path, [])
    folder.litert_path.write_bytes(TINY.read_bytes())
    digests = {"model.tflite": files.sha256_of(folder.litert_path)}
    files.write_json(folder.manifest_path, {"run": run_id, "sha256": digests})
    folder.evaluation_path.unlink()
    return folder


def picture(path: Path | bytes) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    with open(path, "wb") as file:  # noqa: PTH123 - a name of bytes is no Path
        Image.fromarray(pixels).save(file, "PNG")


def waiting(runs_dir: Path, *, heartbeat_at: float) -> tuple[RunFolder, Lock]:
    """Fabricates a run that this process keeps alive, as a worker does."""
    folder = fabricate(runs_dir, Fake(run_id="alive-1", state=State.RUNNING, done=1))
    folder.write_status(Status(state=State.RUNNING, epoch=1, heartbeat_at=heartbeat_at))
    lock = try_lock(folder.lock_path)
    assert lock is not None
    return folder, lock


# Failures


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
def test_the_unforeseen_is_one_sentence_with_type_and_text(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert done("runs") == 1
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err == "Something unforeseen happened: ZeroDivisionError: the ship sinks\n"


@pytest.mark.usefixtures("_broken")
def test_the_unforeseen_is_json_where_json_was_asked_for(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert done("runs", "--json") == 1
    said = capfd.readouterr()
    assert "ZeroDivisionError: the ship sinks" in json.loads(said.out)["error"]["what"]
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


# Names that are no text


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_name_with_half_a_surrogate_pair_is_listed(
    runs_dir: Path, as_json: bool, encoding: str
) -> None:
    folder = model(runs_dir)
    folder.label_path.write_text(r'{"name": "a\ud800b\u001b[2J\nc", "note": "", "created_at": 1}')
    arguments = ["runs", "--json"] if as_json else ["runs"]
    status, out, err = told(*arguments, PYTHONIOENCODING=encoding)
    assert (status, err) == (0, "")
    if as_json:
        assert json.loads(out)[0]["name"] == "a\ud800b\x1b[2J\nc"
    else:
        assert r"a\ud800b\x1b[2J\nc" in out.splitlines()[1]


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("exists", [False, True])
def test_a_file_whose_name_is_no_text_is_answered(
    runs_dir: Path, tmp_path: Path, as_json: bool, exists: bool
) -> None:
    model(runs_dir)
    path = os.fsencode(tmp_path) + b"/\xff.png"
    if exists:
        picture(path)
    status, out, err = told("classify", path, *(["--json"] if as_json else []))
    assert status == (0 if exists else 1)
    assert "Traceback" not in err
    if as_json:
        assert json.loads(out)["file"] == os.fsdecode(path)
    else:
        assert r"\udcff.png" in out


def test_a_name_cannot_steer_the_terminal(
    runs_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model(runs_dir)
    assert done("classify", str(tmp_path / "\x1b[2J.png")) == 1
    assert done("stop", "\x1b[2J") == 1
    said = capfd.readouterr()
    assert "\x1b" not in said.out + said.err
    assert r"\x1b[2J.png" in said.out
    assert r"\x1b[2J" in said.err


# measure


def test_measure_times_every_step_of_a_network_and_the_page_shows_it(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    monkeypatch.setattr("cifar_core.runs.timing.measure", functools.partial(measure, rounds=2))
    assert done("measure", "cnn4", "--json") == 0
    value = json.loads(capfd.readouterr().out)
    run = services.read_run("cnn4")
    assert len(value["step_ms"]) == len(services.open_inside(run).steps)
    timing = services.read_timing(run).timing
    assert timing is not None
    assert timing.measured_at == value["measured_at"]


# classify


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


def test_what_is_no_regular_file_is_refused_unopened(
    runs_dir: Path, tmp_path: Path, fifo: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model(runs_dir)
    (tmp_path / "link").symlink_to(fifo)
    hostile = [str(tmp_path), str(fifo), str(tmp_path / "link"), "/dev/zero", "/dev/stdin"]
    assert done("classify", "--json", *hostile) == 1
    answers = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [answer["file"] for answer in answers] == hostile
    for answer in answers:
        assert f"“{answer['file']}”" in answer["error"]["what"]


def test_a_refusal_names_the_full_path(
    runs_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    model(runs_dir)
    monkeypatch.chdir(tmp_path)
    assert done("classify", "missing.png", "--json") == 1
    assert str(tmp_path / "missing.png") in json.loads(capfd.readouterr().out)["error"]["what"]


def test_a_file_that_is_too_large_is_refused_with_its_size(
    runs_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model(runs_dir)
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(3_000 * 2**20)  # a hole: no disk is used
    assert done("classify", str(tmp_path / "large.png"), "--json") == 1
    assert "3,000.0 MB" in json.loads(capfd.readouterr().out)["error"]["what"]


def test_a_file_that_hides_its_size_is_read_to_the_limit_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"x")
    before = path.stat()
    with path.open("ab") as file:
        file.truncate(MAX_UPLOAD_BYTES + 1000)
    monkeypatch.setattr(Path, "stat", lambda *_, **__: before)
    assert len(console.read_file(path)) == MAX_UPLOAD_BYTES + 1


def test_one_bad_picture_does_not_keep_the_others_from_their_answers(
    runs_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model(runs_dir)
    picture(tmp_path / "good.png")
    paths = [str(tmp_path / "bad.png"), str(tmp_path / "good.png")]
    assert done("classify", *paths, "--json") == 1
    bad, good = (json.loads(line) for line in capfd.readouterr().out.splitlines())
    assert "error" in bad
    assert good["model"] == "fake-1"
    assert sum(good["probabilities"].values()) == pytest.approx(1, abs=1e-4)


# runs


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


# Ctrl-C


@contextlib.contextmanager
def started(program: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Starts a process that hears SIGINT, also where the tests run in a shell's background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            program, cwd=PROJECT_DIR, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def await_line(process: subprocess.Popen[str], *words: str) -> str:
    """Reads standard error up to a line with one of some words."""
    assert process.stderr is not None
    for line in process.stderr:
        if any(word in line for word in words):
            return line
    pytest.fail(f"It ended before it said any of {words}.")


def interrupted(monkeypatch: pytest.MonkeyPatch, *deeds: Callable[[], Any]) -> None:
    """Lets a deed happen, and then Ctrl-C, at each next pause between two looks at a run."""
    left = list(deeds)

    def pause(_seconds: float) -> NoReturn:
        left.pop(0)()
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", pause)


@pytest.mark.parametrize(
    ("service", "arguments"),
    [
        ("start_run", TRAIN),
        ("fetch_dataset", ("data",)),
        ("list_runs", ("runs",)),
        ("stop_run", ("stop", "a-1")),
        ("find_model", ("classify", "x.png")),
        ("read_run", ("evaluate", "a-1")),
    ],
)
def test_ctrl_c_is_one_sentence_and_status_130(
    service: str,
    arguments: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def interrupt(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(services, service, interrupt)
    assert done(*arguments) == 130
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("Interrupted")
    assert said.err.count("\n") == 1


def test_a_run_that_ended_just_before_ctrl_c_shows_its_figures(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, lock = waiting(runs_dir, heartbeat_at=time.time())
    other = fabricate(runs_dir, Fake(run_id="other-1"))

    def finish() -> None:
        folder.evaluation_path.write_bytes(other.evaluation_path.read_bytes())
        folder.write_status(Status(state=State.FINISHED, epoch=3))
        lock.release()

    monkeypatch.setattr(services, "start_run", lambda *_, **__: folder.id)
    interrupted(monkeypatch, finish)
    assert done(*TRAIN, "--json") == 0
    facts = json.loads(capfd.readouterr().out)
    assert facts["state"] == "finished"
    assert facts["evaluation"]["pictures"] == 10_000
    assert not folder.request_path.exists()


def test_ctrl_c_asks_the_run_to_stop_and_waits_for_its_end(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, lock = waiting(runs_dir, heartbeat_at=time.time())

    def stop() -> None:
        assert folder.request_path.exists()
        folder.write_status(Status(state=State.STOPPED, epoch=1, reason="Stopped as asked."))
        lock.release()

    pauses: list[Callable[[], None]] = [stop]

    def pause(_seconds: float) -> None:
        if not folder.request_path.exists():
            raise KeyboardInterrupt
        pauses.pop()()

    monkeypatch.setattr(services, "start_run", lambda *_, **__: folder.id)
    monkeypatch.setattr(time, "sleep", pause)
    assert done(*TRAIN) == 1
    said = capfd.readouterr()
    assert said.out.strip() == f"Run {folder.id} is stopped. Stopped as asked."


FOLLOWER = """
import sys
from cifar_core import __main__, services
services.start_run = lambda *_, **__: "alive-1"
sys.exit(__main__.main(["train", "--network", "cnn4", "--json"]))
"""


def test_a_second_ctrl_c_leaves_a_stalled_run_at_once(runs_dir: Path) -> None:
    folder, lock = waiting(runs_dir, heartbeat_at=1.0)
    with lock, started([sys.executable, "-c", FOLLOWER]) as process:
        await_line(process, "stalled")
        process.send_signal(signal.SIGINT)
        await_line(process, "Stopping")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LIMIT_SECONDS)
        assert services.read_run(folder.id).state is State.STALLED
    assert process.returncode == 130
    assert out == ""
    assert f"stop {folder.id}" in err
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.timeout(300)
def test_ctrl_c_stops_a_real_training_and_keeps_everything() -> None:
    wishes = ("--training-pictures", "500", "--epochs", "50", "--json")
    with started([*PROGRAM, *TRAIN, *wishes]) as process:
        run_id = await_line(process, "started.").split()[1]
        try:
            await_line(process, "pictures right")  # an epoch is done
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=LIMIT_SECONDS)
        finally:
            if services.read_run(run_id).state.is_alive:
                services.stop_run(run_id)
    assert process.returncode == 1
    facts = json.loads(out)
    assert (facts["run"], facts["state"]) == (run_id, "stopped")
    assert facts["evaluation"] is None
    assert "Traceback" not in err
    run = services.read_run(run_id)
    assert run.state is State.STOPPED
    assert run.folder.checkpoint_path.is_file()
    epochs = [row for row in services.read_metrics(run_id) if row.kind == "epoch"]
    assert len(epochs) == run.status.epoch >= 1
    assert len(services.read_predictions(run).probabilities) == 5000
