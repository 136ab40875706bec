"""A network that ends the process that opens it is refused, and this process lives on."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cifar_core.errors import ModelError
from cifar_core.inference import trial
from cifar_core.inference.classifier import BATCH_PICTURES, Classifier
from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.settings import PROJECT_DIR, child_environment

TINY = Path(__file__).parent / "data" / "tiny.tflite"
CRASH = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    trial._outcome.cache_clear()
    yield
    trial._outcome.cache_clear()


def test_a_good_network_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[bytes] = []
    run = subprocess.run

    def counted(*arguments: object, **options: object) -> object:
        started.append(options["input"])  # type: ignore[arg-type]
        return run(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", counted)
    path = tmp_path / "model.tflite"
    path.write_bytes(TINY.read_bytes())
    for _ in range(2):
        Classifier(path)
        LayerInspector(path)
    assert started == [TINY.read_bytes()]


def test_a_file_whose_child_crashes_is_refused_in_three_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(TINY.read_bytes())
    monkeypatch.setattr(trial, "MODULE", ("-c", CRASH))
    for load in (Classifier, LayerInspector):
        with pytest.raises(ModelError) as error:
            load(path)
        assert "ends the process" in error.value.what
        assert error.value.expected
        assert error.value.remedy


def test_another_file_of_the_same_name_is_tried_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(TINY.read_bytes())
    Classifier(path)
    path.write_bytes(TINY.read_bytes() + b"\0")
    monkeypatch.setattr(trial, "MODULE", ("-c", CRASH))
    with pytest.raises(ModelError):
        Classifier(path)


def test_a_network_that_never_answers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(TINY.read_bytes())
    monkeypatch.setattr(trial, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(trial, "MODULE", ("-c", "import time; time.sleep(60)"))
    with pytest.raises(ModelError) as error:
        Classifier(path)
    assert "did not answer" in error.value.what


def test_only_what_lies_beside_the_code_of_the_lab_is_trusted_untried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []

    def note(_content: bytes, path: Path) -> str:
        tried.append(path)
        return ""

    monkeypatch.setattr(trial, "PROJECT_DIR", tmp_path)
    monkeypatch.setattr(trial, "_try", note)
    run, shipped = tmp_path / "runs" / "model.tflite", tmp_path / "models" / "model.tflite"
    link = tmp_path / "models" / "link.tflite"
    for number, path in enumerate((run, shipped)):
        path.parent.mkdir()
        path.write_bytes(bytes([number]))
    link.symlink_to(run)
    for path in (shipped, run, link):
        trial._outcome.cache_clear()
        trial.try_out(path.read_bytes(), path)
    assert tried == [run, link]


def test_where_no_process_can_be_started_a_file_is_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(TINY.read_bytes())
    with monkeypatch.context() as full:
        full.setattr(sys, "executable", str(tmp_path / "nowhere"))
        with pytest.raises(ModelError) as error:
            Classifier(path)
    assert "could not be tried" in error.value.what
    Classifier(path)


def test_a_child_has_bounds_and_asks_a_network_for_one_image_and_for_many() -> None:
    code = """
import resource
from cifar_core.inference import classifier, trial
counts = []
classifier.ask_alone = lambda content, pictures: counts.append(len(pictures))
trial._ask_for_everything = lambda content, pictures: counts.append(-len(pictures))
trial.main()
limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_CORE)]
print(*counts, *limits)
"""
    said = subprocess.run(
        [sys.executable, "-c", code],
        input=TINY.read_bytes(),
        stdout=subprocess.PIPE,
        cwd=PROJECT_DIR,
        env=child_environment(os.environ),
        check=True,
    )
    *counts, memory, core = map(int, said.stdout.split())
    assert counts == [1, -1, BATCH_PICTURES, -BATCH_PICTURES]
    assert (memory, core) == (trial.MEMORY_BYTES, 0)


def test_a_child_that_the_system_killed_says_nothing_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(TINY.read_bytes())
    with monkeypatch.context() as busy:
        busy.setattr(trial, "MODULE", ("-c", CRASH.replace("SIGSEGV", "SIGKILL")))
        with pytest.raises(ModelError):
            Classifier(path)
    Classifier(path)  # tried again, and good


def test_a_limit_that_cannot_be_raised_so_far_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def refuse(_kind: int, limits: tuple[int, int]) -> None:
        asked.append(limits)
        raise ValueError("as macOS does")

    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (50, 100))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    trial._limit(resource.RLIMIT_AS, 1_000)
    assert asked == [(100, 100)]


def test_no_damaged_network_ends_this_process(tmp_path: Path) -> None:
    """Offsets inside the file are what LiteRT trusts: each mutant has some of them changed."""
    draw = random.Random(11)
    content = TINY.read_bytes()
    for number in range(12):
        wrong = bytearray(content)
        for _ in range(6):
            place = draw.randrange(0, len(wrong) - 4, 4)
            wrong[place : place + 4] = draw.randbytes(4)
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(wrong)
        for load in (Classifier, LayerInspector):
            with contextlib.suppress(ModelError):
                load(path)
