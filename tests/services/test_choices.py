"""Which run is taken where the lab takes one itself: the test pictures have no say in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_core import services
from cifar_core.runs.reading import Run
from cifar_core.settings import PROJECT_DIR
from tools.fabricate import Fake, add_network, fabricate

CHOICES: dict[str, Callable[[], Run]] = {
    "analysis": services.analysis_model,
    "headline": lambda: services.headline_runs()[0],
}


@pytest.mark.parametrize("choice", CHOICES)
def test_the_better_validation_accuracy_is_taken_and_not_the_better_test_accuracy(
    runs_dir: Path, choice: str
) -> None:
    for run_id, of_test, of_validation in (("overfit", 0.8, 0.6), ("honest", 0.6, 0.8)):
        folder = fabricate(runs_dir, Fake(run_id=run_id, accuracy=of_test))
        add_network(folder, PROJECT_DIR / "models" / "cnn4" / "model.tflite")
        status = folder.read_status()
        assert status is not None
        folder.write_status(dataclasses.replace(status, accuracy=of_validation))
    figures = {
        name: services.read_evaluation(services.read_run(name)) for name in ("overfit", "honest")
    }
    assert figures["overfit"] is not None
    assert figures["honest"] is not None
    assert figures["overfit"].accuracy > figures["honest"].accuracy
    assert CHOICES[choice]().id == "honest"
