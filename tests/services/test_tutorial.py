"""What the shipped runs of each recipe reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from cifar_core import services
from cifar_core.evaluation.published import published
from cifar_core.runs.folder import State
from tools.fabricate import Fake, fabricate


@pytest.fixture
def models_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(folder))
    return folder


def test_without_shipped_runs_nothing_is_claimed(runs_dir: Path, models_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="own", recipe="quick"))
    assert services.list_evidence() == []


def test_runs_of_a_recipe_are_one_row_with_mean_and_deviation(models_dir: Path) -> None:
    folders = [
        fabricate(models_dir, Fake(run_id=f"quick-{seed}", recipe="quick", seed=seed))
        for seed in (1, 2, 3)
    ]
    fabricate(models_dir, Fake(run_id="best", recipe="best"))
    fabricate(models_dir, Fake(run_id="half", recipe="best", done=1, state=State.STOPPED))
    quick, best = services.list_evidence()
    assert (quick.recipe.name, best.recipe.name) == ("quick", "best")
    accuracies = [
        found.accuracy
        for folder in folders
        if (found := services.read_evaluation(services.read_run(folder.id))) is not None
    ]
    assert quick.accuracy.count == 3
    assert quick.accuracy.mean == pytest.approx(sum(accuracies) / 3)
    assert best.accuracy.count == 1


def test_the_time_to_the_tutorials_accuracy_is_that_of_the_first_epoch_at_it(
    models_dir: Path,
) -> None:
    fabricate(models_dir, Fake(run_id="one", recipe="best"))
    (reached,) = services.list_evidence()
    wanted = published("cnn4").accuracy.value
    ends = [row for row in services.read_metrics("one") if row.kind == "epoch"]
    times = [row.seconds for row in ends if (row.monitored_accuracy or 0) >= wanted]
    assert times
    assert reached.tutorial_seconds == times[0]


def test_the_tutorials_own_recipes_come_first_and_each_network_by_itself(
    models_dir: Path,
) -> None:
    for network in ("cnn6", "cnn4"):
        for name in ("best", "tutorial-repaired", "tutorial"):
            fabricate(models_dir, Fake(run_id=f"{network}-{name}", network=network, recipe=name))
    assert [(item.recipe.network, item.recipe.name) for item in services.list_evidence()] == [
        (network, name)
        for network in ("cnn4", "cnn6")
        for name in ("tutorial", "tutorial-repaired", "best")
    ]
