"""The lab that every test of the Train page stands in."""

from __future__ import annotations

from pathlib import Path

import pytest

from cifar_core import services
from cifar_core.dataset import arrays
from cifar_core.runs import devices, manager
from cifar_core.runs.devices import Device
from tests.pages.train.tool import (
    FakeDataset,
    nothing,
)


@pytest.fixture(autouse=True)
def _lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A lab with the full dataset, one CPU, no shipped run, and workers that never start."""
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(services, "open_dataset", lambda: FakeDataset(is_sample=False))
    monkeypatch.setattr(arrays, "open_full", nothing)
    monkeypatch.setattr(devices, "list_devices", lambda: [Device("cpu", "A CPU", cores=2)])
    monkeypatch.setattr(manager, "launch", nothing)
