"""Who judges the labels, and what waiting for the analysis ends with."""

from __future__ import annotations

from pathlib import Path

import pytest

from cifar_core import services
from cifar_core.analysis.process import AnalysisStatus
from cifar_core.errors import DataError
from cifar_core.services import analysis
from cifar_core.settings import PROJECT_DIR
from tools.fabricate import Fake, add_network, fabricate

FAKES = (
    Fake(run_id="held", epochs=1, seed=2, created_at=1_795_000_003.0),
    Fake(run_id="tutorial", recipe="tutorial-repaired", epochs=1, created_at=1_795_000_002.0),
    Fake(
        run_id="other",
        epochs=1,
        seed=3,
        created_at=1_795_000_001.0,
        changes={"validation_pictures": 2_000},
    ),
)


@pytest.fixture
def models(runs_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three finished runs that can classify; nothing shipped."""
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(tmp_path / "nothing-shipped"))
    for fake in FAKES:
        add_network(fabricate(runs_dir, fake), PROJECT_DIR / "models" / "cnn4" / "model.tflite")
    return runs_dir


def told(monkeypatch: pytest.MonkeyPatch, *statuses: AnalysisStatus | None) -> list[str]:
    """Waits for an analysis that says these in turn; returns what was told meanwhile."""
    steps, heard = iter(statuses), list[str]()
    monkeypatch.setattr(analysis, "read_analysis", lambda: next(steps))
    monkeypatch.setattr(analysis, "LOOK_SECONDS", 0.0)
    services.wait_for_analysis(heard.append)
    assert next(steps, "all were read") == "all were read"
    return heard


def test_every_run_with_test_predictions_judges_the_test_images(models: Path) -> None:
    assert {run.id for run in services.judges("test")} == {"held", "tutorial", "other"}


def test_without_its_test_predictions_a_run_judges_only_what_it_held_out(models: Path) -> None:
    (models / "held" / "test_predictions.npy").unlink()
    assert {run.id for run in services.judges("test")} == {"tutorial", "other"}
    assert {run.id for run in services.judges("validation")} == {"held"}


def test_only_runs_that_held_the_same_images_out_judge_these(models: Path) -> None:
    judges = services.judges("validation")
    assert [run.id for run in judges] == ["held"]


def test_waiting_for_an_analysis_that_left_no_status_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(DataError) as refused:
        told(monkeypatch, None)
    assert refused.value.remedy


def test_waiting_ends_when_the_analysis_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    going = AnalysisStatus(state="running", message="Looking", share=0.25, seconds=30)
    finished = AnalysisStatus(state="finished", message="Done", share=1.0, seconds=120)
    assert len(told(monkeypatch, going, going, finished)) == 2
    assert told(monkeypatch, finished) == []
