"""The shipped models: their figures come from their weights, on the real test pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cifar_core import files, services
from cifar_core.dataset.sample import load_labels
from cifar_core.networks import NETWORKS
from cifar_core.settings import PROJECT_DIR

MODELS = PROJECT_DIR / "models"
SHIPPED = list(NETWORKS)


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(MODELS))


def test_each_network_of_the_tutorial_has_a_shipped_model_and_the_reference_comes_last() -> None:
    assert [run.id for run in services.list_models()] == SHIPPED
    assert SHIPPED[:2] == ["cnn4", "cnn6"]


@pytest.mark.data
@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_figures_come_from_the_shipped_weights(name: str) -> None:
    run = services.read_run(name)
    stored, again = services.read_evaluation(run), services.evaluate_run(run)
    assert stored is not None
    assert again.accuracy == pytest.approx(stored.accuracy, abs=0.001)
    assert again.accuracy_mirrored == pytest.approx(stored.accuracy_mirrored, abs=0.001)
    assert again.ece == pytest.approx(stored.ece, abs=0.002)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_file_is_the_recorded_one(name: str) -> None:
    folder = MODELS / name
    recorded = files.read_json(folder / "manifest.json")["sha256"]
    present = {key: digest for key, digest in recorded.items() if (folder / key).exists()}
    assert {"model.tflite", "predictions", "test_predictions.npy"} <= set(present)
    assert {key: files.sha256_of(folder / key) for key in present} == present


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_has_its_card(name: str) -> None:
    figures = services.read_evaluation(services.read_run(name))
    assert figures is not None
    assert f"{figures.accuracy:.1%}" in Path(MODELS / name / "README.md").read_text()


RECORDS = sorted(path.name for path in MODELS.iterdir() if path.name not in NETWORKS)


def test_quick_is_recorded_with_three_seeds_of_each_of_the_tutorials_networks() -> None:
    recorded = [services.read_run(name).recipe for name in RECORDS]
    quick = [(item.network, item.seed) for item in recorded if item and item.name == "quick"]
    assert sorted(quick) == [(network, seed) for network in ("cnn4", "cnn6") for seed in (1, 2, 3)]


def test_the_recipe_as_printed_is_recorded_and_has_learnt_nothing() -> None:
    for name in ("cnn4-tutorial", "cnn6-tutorial"):
        figures = services.read_evaluation(services.read_run(name))
        assert figures is not None
        assert figures.accuracy == pytest.approx(0.1)


def test_the_repaired_recipe_is_recorded_and_stays_below_the_announced_80_percent() -> None:
    for name in ("cnn4-tutorial-repaired", "cnn6-tutorial-repaired"):
        figures = services.read_evaluation(services.read_run(name))
        assert figures is not None
        assert 0.69 < figures.accuracy < 0.8  # above the published matrices


@pytest.mark.parametrize("name", RECORDS)
def test_a_recorded_history_is_whole_and_its_figures_are_those_of_its_answers(name: str) -> None:
    run = services.read_run(name)
    figures, answers = (
        services.read_evaluation(run),
        np.load(MODELS / name / "test_predictions.npy"),
    )
    assert figures is not None
    assert run.recipe is not None
    rows = services.read_metrics(name)
    assert sum(row.kind == "epoch" for row in rows) == run.recipe.epochs
    recorded = files.read_json(MODELS / name / "manifest.json")["sha256"]
    for part in ("metrics.jsonl", "recipe.json", "test_predictions.npy"):
        assert files.sha256_of(MODELS / name / part) == recorded[part]
    _, labels = load_labels()
    assert float(np.mean(answers.argmax(axis=1) == labels)) == pytest.approx(figures.accuracy)
