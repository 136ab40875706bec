from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar_core import services
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.sample import load_sample
from cifar_core.errors import ModelError, RunError
from cifar_core.runs.folder import State
from cifar_core.settings import PROJECT_DIR
from tools.fabricate import Fake, fabricate


def test_a_card_names_accuracy_recipe_limits_and_how_to_repeat(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    run = services.read_run("one")
    figures = services.read_evaluation(run)
    assert figures is not None
    card = services.read_card(run)
    assert f"{100 * figures.accuracy:.1f}% ± " in card
    for word in ("CIFAR-10", "**Recipe.**", "**Limits.**", "python -m cifar_core train"):
        assert word in card


SHIPPED = sorted(path.name for path in (PROJECT_DIR / "models").iterdir())


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_cards_are_what_the_lab_would_write(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    run = services.read_run(name)
    stored = (run.folder.path / "README.md").read_text(encoding="utf-8")
    assert services.read_card(run) == stored


@pytest.mark.parametrize("name", [name for name in SHIPPED if "-" not in name])
def test_whoever_follows_the_card_gets_what_the_lab_says(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    run = services.read_run(name)
    card = services.read_card(run)
    (program,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    images = load_sample().test.images[:20]
    found: dict[str, Any] = {"images": images}
    monkeypatch.chdir(run.folder.path)
    exec(program, found)
    model = services.open_model(run)
    answers = [one.probabilities for (one,) in services.predict(list(images), [model])]
    assert np.abs(found["calibrated"] - np.stack(answers)).max() < 1e-4
    order = re.findall(r"(\d) (\w+)[,.]", card.split("in this order:")[1].split("\n\n")[0])
    assert order == [(str(place), label) for place, label in enumerate(CIFAR10.class_names)]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_card_points_only_to_files_that_are_there(name: str) -> None:
    folder = PROJECT_DIR / "models" / name
    card = (folder / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\b\w+\.(?:json|tflite|keras|npy|npz)\b", card))
    assert named - {path.name for path in folder.iterdir()} == set()


def test_the_card_of_a_history_promises_no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    assert "evaluate" not in services.read_card(services.read_run("cnn4-quick-2"))
    assert "`python -m cifar_core evaluate cnn4`" in services.read_card(services.read_run("cnn4"))


def test_what_a_device_calls_itself_is_shown_as_text(runs_dir: Path) -> None:
    folder = fabricate(runs_dir, Fake(run_id="one"))
    status = folder.read_status()
    assert status is not None
    folder.write_status(dataclasses.replace(status, device_name="![x](http://x.test/x.png)"))
    assert "![" not in services.read_card(services.read_run("one"))


def test_a_run_without_figures_has_no_card(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="part", done=1, state=State.STOPPED))
    with pytest.raises(RunError, match="no final figures"):
        services.read_card(services.read_run("part"))


def test_a_model_is_handed_out_only_with_its_recorded_digest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = PROJECT_DIR / "models" / "cnn4"
    folder = tmp_path / "models" / "cnn4"
    folder.mkdir(parents=True)
    for part in source.iterdir():
        (folder / part.name).write_bytes(part.read_bytes())
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(tmp_path / "models"))
    run = services.read_run("cnn4")
    assert list(services.list_model_files(run)) == ["model.tflite"]
    assert (
        services.read_model_file(run, "model.tflite")
        == source.joinpath("model.tflite").read_bytes()
    )
    (folder / "model.tflite").write_bytes(b"another")
    with pytest.raises(ModelError, match="not the recorded one"):
        services.read_model_file(run, "model.tflite")


@pytest.mark.parametrize("name", ["model.keras", "recipe.json", "../cnn4/model.tflite", ""])
def test_no_other_file_is_handed_out(runs_dir: Path, name: str) -> None:
    folder = fabricate(runs_dir, Fake(run_id="one"))
    manifest = json.loads(folder.manifest_path.read_bytes())
    folder.write_manifest({**manifest, "sha256": {}})
    with pytest.raises(ModelError):
        services.read_model_file(services.read_run("one"), name)
