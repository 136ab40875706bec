"""The analysis from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cifar_core import services
from cifar_core.__main__ import main
from cifar_core.analysis.process import AnalysisStatus
from cifar_core.errors import DataError
from cifar_core.services import analysis
from cifar_core.settings import PROJECT_DIR


@pytest.fixture(autouse=True)
def _shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))


def test_duplicates_lists_the_shipped_pairs(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["duplicates", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert told["origin"]["network_title"] == "CNN-7"
    assert {"test", "train", "detail", "cosine", "is_mirrored"} == set(told["pairs"][0])
    assert main(["duplicates"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == len(told["pairs"]) + 1


@pytest.mark.parametrize(("pictures", "split"), [("test", "test"), ("validation", "train")])
def test_doubts_lists_labels_with_what_the_networks_see(
    pictures: str, split: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["doubts", "--pictures", pictures, "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    margins = [doubt["margin"] for doubt in told["doubts"]]
    assert margins == sorted(margins)
    assert {doubt["split"] for doubt in told["doubts"]} == {split}
    assert all(doubt["label"] != doubt["suggested"] for doubt in told["doubts"])


def test_without_the_full_dataset_nothing_is_analysed(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["analyse", "--json"]) == 1
    assert "full dataset" in json.loads(capfd.readouterr().out)["error"]["what"]


def test_waiting_tells_how_far_it_is_and_names_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = AnalysisStatus(state="running", message="Looking", share=0.5, seconds=10)
    failed = AnalysisStatus(state="failed", what="The disk is full.", remedy="Make room.")
    steps = iter([going, failed])
    monkeypatch.setattr(analysis, "read_analysis", lambda: next(steps))
    monkeypatch.setattr(analysis, "LOOK_SECONDS", 0.0)
    told: list[str] = []
    with pytest.raises(DataError, match="The disk is full"):
        services.wait_for_analysis(told.append)
    assert told == ["Looking, about 10 s to go"]
