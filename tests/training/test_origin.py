"""A run goes on as the run that began: its own checkpoint, recipe, backend and network."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from cifar_core import files
from cifar_core.runs.folder import RunFolder, State, Status
from cifar_core.training import checkpoint
from cifar_core.training.checkpoint import Checkpoint
from tests.torture.inside import prepare, stop_at, undertake


@pytest.fixture
def begun(tmp_path: Path) -> RunFolder:
    """A run that was stopped in its second epoch."""
    folder = prepare(tmp_path / "runs" / "one", identity="one")
    assert undertake(folder, stop_at(1, 2, folder)).state is State.STOPPED
    return folder


def saved_in(folder: RunFolder) -> Checkpoint:
    saved = checkpoint.load(folder.checkpoint_path)
    assert saved is not None
    return saved


def expect_refusal(folder: RunFolder) -> Status:
    """Resumes a run and expects a foreseen failure that leaves everything as it was."""
    before = folder.checkpoint_path.read_bytes(), folder.metrics_path.read_bytes()
    status = undertake(folder)
    assert status.state is State.FAILED
    assert "unforeseen" not in status.reason
    assert status.remedy
    assert (folder.checkpoint_path.read_bytes(), folder.metrics_path.read_bytes()) == before
    return status


@pytest.mark.parametrize(
    ("key", "value"), [("learning_rate", 0.011), ("seed", 77), ("batch_size", 20), ("epochs", 9)]
)
def test_a_run_does_not_go_on_with_another_recipe(begun: RunFolder, key: str, value: float) -> None:
    recipe = files.read_json(begun.recipe_path)
    files.write_json(begun.recipe_path, {**recipe, key: value})
    reason = expect_refusal(begun).reason
    assert key in reason
    assert repr(recipe[key]) in reason


def test_a_run_does_not_go_on_from_the_checkpoint_of_another(
    begun: RunFolder, tmp_path: Path
) -> None:
    other = prepare(tmp_path / "runs" / "other", identity="other")
    undertake(other, stop_at(1, 2, other))
    begun.checkpoint_path.write_bytes(other.checkpoint_path.read_bytes())
    assert "“other”" in expect_refusal(begun).reason


@pytest.mark.parametrize("kind", ["shape", "name", "type"])
def test_a_run_does_not_go_on_from_the_checkpoint_of_another_network(
    begun: RunFolder, kind: str
) -> None:
    saved = saved_in(begun)
    weights = saved.arrays["weights"]
    other: dict[str, np.ndarray] = {
        "shape": {**saved.arrays, "weights": weights[:-1]},
        "name": {**saved.arrays, "more": weights},
        "type": {**saved.arrays, "weights": weights.astype(np.float64)},
    }[kind]
    old = dataclasses.replace(saved.progress, run="", recipe={})  # an earlier version says less
    checkpoint.save(begun.checkpoint_path, Checkpoint(old, other))
    assert "another network" in expect_refusal(begun).reason


def test_a_checkpoint_of_an_earlier_version_is_gone_on_from(begun: RunFolder) -> None:
    saved = saved_in(begun)
    old = dataclasses.replace(saved.progress, run="", recipe={}, surroundings={})
    checkpoint.save(begun.checkpoint_path, Checkpoint(old, saved.arrays))
    assert undertake(begun).state is State.FINISHED
    assert saved_in(begun).progress.run == "one"  # from now on it says whose it is


def test_a_recipe_that_was_only_laid_out_anew_is_no_other(begun: RunFolder) -> None:
    text = begun.recipe_path.read_text()
    begun.recipe_path.write_text(text.replace("\n", "\n\n"))
    assert undertake(begun).state is State.FINISHED


def test_a_run_whose_folder_was_renamed_goes_on(begun: RunFolder) -> None:
    renamed = RunFolder(begun.path.rename(begun.path.with_name("two")))
    assert undertake(renamed).state is State.FINISHED
