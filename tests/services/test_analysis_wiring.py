"""Who judges the labels, and what waiting for the analysis ends with."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from cifar_core import services
from cifar_core.analysis import doubts, results
from cifar_core.analysis.process import AnalysisStatus
from cifar_core.dataset import arrays
from cifar_core.dataset.sample import load_sample
from cifar_core.errors import DataError
from cifar_core.services import analysis
from cifar_core.settings import PROJECT_DIR
from tests.pages.oracle_images import tempered
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


def test_a_run_without_a_temperature_judges_with_its_probabilities_as_they_are(
    models: Path,
) -> None:
    for run_id in ("held", "other"):
        shutil.rmtree(models / run_id)
    run = services.read_run("tutorial")
    figures = services.read_evaluation(run)
    assert figures is not None
    assert figures.temperature is None
    answers = services.read_test_predictions(run)
    wanted = doubts.find_doubts(answers.probabilities.astype(np.float64), answers.labels)
    found = services.find_doubtful_labels("test")
    assert found.indices.tolist() == answers.indices[wanted.places].tolist()
    assert found.given.tolist() == answers.labels[wanted.places].tolist()
    assert found.margins == pytest.approx(wanted.margins)
    assert (found.split, found.pictures) == ("test", len(answers.labels))


def test_runs_judge_with_the_mean_of_their_calibrated_probabilities(models: Path) -> None:
    runs = services.judges("test")
    shares = []
    for run in runs:
        figures, answers = services.read_evaluation(run), services.read_test_predictions(run)
        assert figures is not None
        shares.append(tempered(answers.probabilities, figures.temperature or 1.0))
    wanted = doubts.find_doubts(np.mean(shares, axis=0), answers.labels)
    found = services.find_doubtful_labels("test")
    assert found.indices.tolist() == answers.indices[wanted.places].tolist()
    assert found.suggested.tolist() == wanted.suggested.tolist()
    assert all(run.id in found.origin for run in runs)
    assert [line.split()[1] for line in found.lines()] == [str(one) for one in found.indices]


def test_held_out_images_are_judged_by_what_was_said_of_them(models: Path) -> None:
    run = services.read_run("held")
    found, answers = services.find_doubtful_labels("validation"), services.read_predictions(run)
    assert (found.split, found.pictures) == ("train", len(answers.labels))
    assert set(found.indices) <= set(answers.indices)
    assert "validation" in found.origin


def test_an_analysis_is_none_then_ready_and_stale_once_another_network_looks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    full = dataclasses.replace(load_sample(), is_sample=False)
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "data"))
    assert (services.analysis_state(), services.analysis_path()) == ("none", None)
    monkeypatch.setattr(arrays, "open_full", lambda *_: full)
    assert (services.analysis_state(), services.analysis_path()) == ("none", None)
    digest = analysis.analysis_model().folder.recorded_digest()
    folder = results.folder_of(tmp_path / "data", data=full.digest, network=str(digest))
    results.write_results(folder, results.read_shipped_places(), results.read_shipped_pairs())
    assert (services.analysis_state(), services.analysis_path()) == ("ready", folder)
    folder.rename(folder.with_name("of-another-network"))
    assert (services.analysis_state(), services.analysis_path()) == ("stale", None)
