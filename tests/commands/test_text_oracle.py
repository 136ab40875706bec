"""What the command line prints, held against its JSON and against the files of the runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

from cifar_core import services
from cifar_core.runs import devices
from cifar_core.runs.devices import Device
from cifar_core.runs.folder import RunFolder
from cifar_core.settings import PROJECT_DIR
from tests.commands.tool import TINY, done
from tests.pages.oracle import (
    CLASSES,
    Answers,
    RunFiles,
    accuracy_words,
    calibration_error,
    images,
    labels,
)
from tests.pages.oracle_images import numbers_in, served
from tests.pages.oracle_runs import FIRST, SECOND, THIRD, last_answers, make_runs, percent
from tests.report.oracle import Page
from tools.fabricate import add_network


@pytest.fixture
def runs(runs_dir: Path) -> dict[str, RunFiles]:
    return make_runs(runs_dir, FIRST, SECOND, THIRD)


def printed(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Returns what a command that succeeds prints."""
    assert done(*arguments) == 0
    return str(capfd.readouterr().out)


def as_json(capfd: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(printed(capfd, *arguments, "--json"))


def test_the_list_has_each_runs_own_figures(
    runs: dict[str, RunFiles], capfd: pytest.CaptureFixture[str]
) -> None:
    head, *rows = [line.split() for line in printed(capfd, "runs").splitlines()]
    assert head == ["RUN", "STATE", "EPOCH", "ACCURACY", "NAME"]
    assert [row[0] for row in rows] == ["second", "third", "first"]
    for run_id, state, epochs, accuracy, split, name in rows:
        files = runs[run_id]
        assert state == files.read("status.json")["state"]
        assert epochs == f"{len(files.metrics)}/{files.recipe['epochs']}"
        answers = last_answers(files) if state == "stopped" else files.test()
        assert (accuracy, split) == (percent(answers.accuracy), "test")
        assert name == files.read("label.json")["name"]


def test_the_json_of_the_list_has_the_same_figures(
    runs: dict[str, RunFiles], capfd: pytest.CaptureFixture[str]
) -> None:
    for facts in as_json(capfd, "runs"):
        files = runs[facts["run"]]
        assert facts["recipe"] == files.recipe
        assert facts["status"]["accuracy"] == pytest.approx(last_answers(files).accuracy)
        if facts["state"] == "finished":
            assert facts["evaluation"]["accuracy"] == pytest.approx(files.test().accuracy)
            assert facts["evaluation"]["split"] == "test"
        else:
            assert facts["evaluation"] is None


def test_the_list_says_the_monitored_split_of_a_stopped_run(
    runs: dict[str, RunFiles], capfd: pytest.CaptureFixture[str]
) -> None:
    splits = {facts["run"]: facts["monitored_split"] for facts in as_json(capfd, "runs")}
    assert splits == {run_id: files.recipe["monitored_split"] for run_id, files in runs.items()}


def asked(path: Path, *, mirror: bool = False) -> Answers:
    """Returns what a LiteRT file answers to the test images, as a run stores it."""
    from ai_edge_litert.interpreter import Interpreter

    network = Interpreter(str(path))
    pixels = np.ascontiguousarray(images("test"))
    (source,), (target,) = network.get_input_details(), network.get_output_details()
    network.resize_tensor_input(source["index"], pixels.shape)
    network.allocate_tensors()

    def answer(batch: np.ndarray) -> np.ndarray:
        network.set_tensor(source["index"], batch)
        network.invoke()
        return np.array(network.get_tensor(target["index"]))

    shares = answer(pixels)
    if mirror:
        shares = (shares + answer(np.ascontiguousarray(pixels[:, :, ::-1]))) / 2
    else:
        shares = shares.astype(np.float16).astype(np.float32)
    return Answers(shares, labels()[1], np.arange(10_000), "test")


@pytest.mark.data
def test_evaluate_counts_anew_what_the_network_answers(
    runs: dict[str, RunFiles], capfd: pytest.CaptureFixture[str]
) -> None:
    files = runs["second"]
    add_network(RunFolder(files.path), TINY)
    facts, text = as_json(capfd, "evaluate", "second"), printed(capfd, "evaluate", "second")
    plain, averaged = asked(TINY), asked(TINY, mirror=True)
    right = int(plain.is_right.sum())
    assert (facts["run"], facts["right"], facts["pictures"]) == ("second", right, 10_000)
    assert facts["accuracy"] == pytest.approx(right / 10_000)
    assert facts["accuracy_mirrored"] == pytest.approx(averaged.accuracy, abs=1e-9)
    assert averaged.accuracy != plain.accuracy
    assert facts["top5"] == pytest.approx(plain.top5)
    assert facts["ece"] == pytest.approx(calibration_error(plain), abs=1e-6)
    assert facts["confusion_matrix"] == plain.matrix.tolist()
    assert accuracy_words(right, 10_000) in text.splitlines()[0]
    assert right != files.evaluation["right"]
    lines = {line.split()[0]: line.split()[1:] for line in text.splitlines()[1:] if line.strip()}
    for name in CLASSES:
        report = facts["classification_report"][name]
        shown = [report[key] for key in ("precision", "recall", "f1-score", "support")]
        assert [float(cell) for cell in lines[name]] == pytest.approx(shown, abs=0.0051)


@pytest.mark.parametrize("run_id", ["first", "second"])
def test_evaluate_prints_the_accuracy_and_not_another_figure(
    runs: dict[str, RunFiles],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    run_id: str,
) -> None:
    monkeypatch.setattr(services, "evaluate_run", services.read_evaluation)
    files = runs[run_id]
    first, *_ = printed(capfd, "evaluate", run_id).splitlines()
    right = int(files.test().is_right.sum())
    assert accuracy_words(right, 10_000) in first
    evaluation = files.evaluation
    others = {percent(evaluation[key]) for key in ("top5", "accuracy_mirrored", "ece")}
    assert percent(right / 10_000) not in others


@pytest.mark.data
@pytest.mark.parametrize("mirror", [False, True])
def test_classify_prints_the_models_own_probability(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    mirror: bool,
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    pixels = np.array(images("test")[:2])
    names = []
    for place, image in enumerate(pixels):
        names.append(str(tmp_path / f"image-{place}.png"))
        Image.fromarray(image).save(names[-1])
    given = ["classify", *names, "--model", "cnn4", *(["--mirror"] if mirror else [])]
    network = served("cnn4")
    shares = network.shares(pixels)
    if mirror:
        shares = (shares + network.shares(pixels[:, :, ::-1])) / 2
    logits = np.log(np.maximum(shares, 1e-7)) / network.temperature
    wanted = softmax(logits, axis=1)
    facts = [json.loads(line) for line in printed(capfd, *given, "--json").splitlines()]
    lines = printed(capfd, *given).splitlines()
    for name, line, fact, row in zip(names, lines, facts, wanted, strict=True):
        assert (fact["file"], fact["model"]) == (name, "cnn4")
        assert list(fact["probabilities"]) == list(CLASSES)
        assert list(fact["probabilities"].values()) == pytest.approx(row.tolist(), abs=2e-5)
        best = CLASSES[int(row.argmax())]
        assert fact["label"] == best
        said = line.removeprefix(f"{name}: ")
        assert said.split()[0] == best
        assert numbers_in(said)[0] == pytest.approx(100 * row.max(), abs=0.051)


def test_devices_are_listed_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    found = [Device("cpu", "A CPU", cores=2), Device("gpu:0", "A GPU", 16, 4, 0.25)]
    monkeypatch.setattr(devices, "list_devices", lambda: found)
    shown = [line.split(maxsplit=1) for line in printed(capfd, "devices").splitlines()]
    facts = as_json(capfd, "devices")
    assert shown == [["cpu", "A CPU"], ["gpu:0", "A GPU"]]
    assert [[fact["id"], fact["name"]] for fact in facts] == shown
    assert [fact["load"] for fact in facts] == [None, 0.25]
    assert [fact["memory_bytes"] for fact in facts] == [None, 16]


def test_report_writes_the_runs_in_the_order_given(
    runs: dict[str, RunFiles], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "both.html"
    facts = as_json(capfd, "report", "second", "first", "-o", str(file))
    content = file.read_bytes()
    assert facts == {"file": str(file), "size_bytes": len(content), "runs": ["second", "first"]}
    table = Page(content).table("answer")
    for name, run_id in (("Another", "second"), ("Mine", "first")):
        accuracy = list(table[name].values())[2]
        assert accuracy == accuracy_words(int(runs[run_id].test().is_right.sum()), 10_000)
    assert list(table)[:2] == ["Another", "Mine"]
    text = printed(capfd, "report", "first", "-o", str(file))
    assert f"{file.stat().st_size / 1e6:.1f} MB" in text


def test_the_log_is_the_named_runs_own(
    runs: dict[str, RunFiles], capfd: pytest.CaptureFixture[str]
) -> None:
    for run_id, files in runs.items():
        whole = RunFolder(files.path).log_path.read_text()
        assert printed(capfd, "log", run_id) == whole
        assert as_json(capfd, "log", run_id) == {"run": run_id, "log": whole}
