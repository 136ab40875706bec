"""Measuring and classifying, and names that are no text."""

from __future__ import annotations

import functools
import json
import os
import zipfile
from pathlib import Path

import pytest
from sklearn.metrics import classification_report

from cifar_core import console, services
from cifar_core.dataset import CIFAR10
from cifar_core.inference.timing import measure
from cifar_core.settings import MAX_UPLOAD_BYTES, PROJECT_DIR
from tests.commands.tool import (
    done,
    model,
    picture,
    told,
)
from tools.fabricate import Fake, fabricate

# Names that are no text


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_run_whose_name_is_no_text_is_listed_by_its_recipe(
    runs_dir: Path, as_json: bool, encoding: str
) -> None:
    folder = model(runs_dir)
    folder.label_path.write_text(r'{"name": "a\ud800b\u001b[2J\nc", "note": "", "created_at": 1}')
    arguments = ["runs", "--json"] if as_json else ["runs"]
    status, out, err = told(*arguments, PYTHONIOENCODING=encoding)
    assert (status, err) == (0, "")
    if as_json:
        assert json.loads(out)[0]["name"] == "CNN-4 standard 1"
    else:
        assert "CNN-4 standard 1" in out.splitlines()[1]


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
    assert len(value["step_ms"]) == len(services.open_inspector(run).ops)
    timing = services.read_timing(run).timing
    assert timing is not None
    assert timing.measured_at == value["measured_at"]


# evaluate


@pytest.fixture
def evaluated(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Gives scikit-learn's report as text on a run; its figures stand in for recomputed ones."""
    fabricate(runs_dir, Fake(run_id="one", accuracy=0.6))
    figures = services.read_evaluation(services.read_run("one"))
    monkeypatch.setattr(services, "evaluate_run", lambda _: figures)
    answers = services.read_test_predictions(services.read_run("one"))
    predicted = answers.probabilities.argmax(1)
    names = list(CIFAR10.class_names)
    return str(classification_report(answers.labels, predicted, target_names=names, digits=3))


def test_evaluate_prints_the_report_as_scikit_learn_does(
    evaluated: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert done("evaluate", "one") == 0
    assert capfd.readouterr().out.endswith(f"\n\n{evaluated}")


def test_evaluate_as_json_holds_scikit_learns_rows(
    evaluated: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert done("evaluate", "one", "--json") == 0
    value = json.loads(capfd.readouterr().out)
    report = value["classification_report"]
    assert list(report) == [*CIFAR10.class_names, "accuracy", "macro avg", "weighted avg"]
    assert report["accuracy"] == pytest.approx(value["accuracy"], abs=1e-9)
    macro = " ".join(f"{share:.3f}" for share in list(report["macro avg"].values())[:3])
    assert f"macro avg {macro} 10000" in " ".join(evaluated.split())


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


def test_a_zip_is_classified_image_by_image(
    runs_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model(runs_dir)
    for name in ("a", "b"):
        picture(tmp_path / f"{name}.png")
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        archive.write(tmp_path / "a.png", "cats/a.png")
        archive.writestr("notes.txt", "no image")
        archive.write(tmp_path / "b.png", "b.png")
    zipped, alone = tmp_path / "many.zip", tmp_path / "a.png"
    assert done("classify", str(zipped), str(alone), "--json") == 1
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    names = [f"{zipped}/cats/a.png", f"{zipped}/notes.txt", f"{zipped}/b.png", str(alone)]
    assert [line["file"] for line in lines] == names
    assert ["error" in line for line in lines] == [False, True, False, False]
    assert lines[0]["probabilities"] == lines[3]["probabilities"]


def test_an_empty_zip_is_refused_and_the_next_file_is_classified(
    runs_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model(runs_dir)
    picture(tmp_path / "a.png")
    zipfile.ZipFile(tmp_path / "empty.zip", "w").close()
    assert done("classify", str(tmp_path / "empty.zip"), str(tmp_path / "a.png"), "--json") == 1
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert ["error" in line for line in lines] == [True, False]
