"""What every test of the command line stands on."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _no_dataset(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lab without the dataset, but for the tests that are marked to need it."""
    for variable in ("CIFAR_LAB_DEBUG", "PYTHONUNBUFFERED"):  # the latter hides what is left over
        monkeypatch.delenv(variable, raising=False)
    if request.node.get_closest_marker("data") is None:
        monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "no-data"))
