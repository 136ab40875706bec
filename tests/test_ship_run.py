"""What becomes of a run that is shipped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cifar_core import files, services
from cifar_core.errors import RunError
from cifar_core.settings import PROJECT_DIR
from tools import ship_run
from tools.fabricate import Fake, add_network, fabricate


def test_a_long_runs_answers_are_thinned_and_the_rest_keeps_its_epochs(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fabricate(runs_dir, Fake(run_id="long", epochs=6))
    before = {epoch: answers("long", epoch) for epoch in range(1, 7)}
    monkeypatch.setattr(ship_run, "MOST_EPOCHS", 2)
    ship_run.thin(folder.path, 6)
    assert (answers("long", 3) == before[3]).all()
    assert (answers("long", 6) == before[6]).all()
    assert services.read_predictions(services.read_run("long")).epoch == 6
    recorded = files.read_json(folder.manifest_path)["sha256"]["predictions"]
    assert files.sha256_of(folder.predictions_path) == recorded
    with pytest.raises(RunError, match="epoch 4") as refusal:
        answers("long", 4)
    assert refusal.value.expected == "It has those of epoch 3, 6."
    found = services.read_predictions(services.read_run("long"))
    epochs, course = services.read_course(services.read_run("long"), found, [7])
    assert epochs.tolist() == [3, 6]
    assert (course[:, 0] == [before[3][7], before[6][7]]).all()


@pytest.mark.parametrize("every", [0, -3, True, "3", 2.0, None, 10**9])
def test_a_hostile_manifest_thins_nothing(runs_dir: Path, every: object) -> None:
    folder = fabricate(runs_dir, Fake(run_id="one"))
    manifest = files.read_json(folder.manifest_path)
    folder.write_manifest({**manifest, "predictions_every": every})
    assert services.read_predictions(services.read_run("one")).epoch == 3


@pytest.mark.parametrize(
    ("name", "why"), [("one", "it lies there"), ("bare", "model.tflite")], ids=["itself", "bare"]
)
def test_nothing_is_deleted_that_cannot_be_replaced(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch, name: str, why: str
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(runs_dir))
    whole = fabricate(runs_dir, Fake(run_id="one"))
    whole.network_path.write_text("{}")
    add_network(whole, PROJECT_DIR / "models" / "cnn4" / "model.tflite")
    fabricate(runs_dir, Fake(run_id="bare"))
    before = {path: path.read_bytes() for path in runs_dir.rglob("*") if path.is_file()}
    with pytest.raises(SystemExit, match=why):
        ship_run.ship(services.read_run(name), "one")
    assert {path: path.read_bytes() for path in runs_dir.rglob("*") if path.is_file()} == before


def answers(run_id: str, epoch: int) -> np.ndarray:
    return services.read_predictions(services.read_run(run_id), epoch=epoch).probabilities
