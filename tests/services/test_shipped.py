"""The runs that came with the lab are looked at and never changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_core import services
from cifar_core.errors import RunError
from tools.fabricate import Fake, fabricate

CHANGES: dict[str, Callable[[str], object]] = {
    "stop": services.stop_run,
    "resume": services.resume_run,
    "move": lambda run_id: services.move_run(run_id, "cpu"),
    "label": lambda run_id: services.label_run(run_id, name="mine"),
    "delete": services.delete_run,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_shipped_run_is_refused_as_such_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(tmp_path))
    fabricate(tmp_path, Fake(run_id="cnn4"))
    with pytest.raises(RunError, match="came with the lab") as refusal:
        CHANGES[change]("cnn4")
    assert "train" in refusal.value.remedy
    assert services.read_run("cnn4").is_shipped
