"""The runs that the oracles of Results and Compare judge: no two share a figure."""

from __future__ import annotations

from pathlib import Path

from cifar_core.runs.folder import State
from tools.fabricate import Fake, fabricate

FOUR, TWIN, SIX, HALF, PRINTED = "run-four", "run-twin", "run-six", "run-half", "run-printed"

RUNS = (
    # Too sure, best in the middle, with a name of its own.
    Fake(
        run_id=FOUR, name="My run", accuracy=0.62, sharpness=1.6, epochs=6, best=4, seed=1,
        epoch_seconds=21, waiting_seconds=31, created_at=1_795_000_000, device_name="machine A",
    ),
    # The same recipe with another seed: nearly as good.
    Fake(
        run_id=TWIN, accuracy=0.63, sharpness=1.2, epochs=6, seed=2, epoch_seconds=27,
        waiting_seconds=47, created_at=1_795_100_000, device_name="machine B",
    ),
    # Another network, not sure enough, which reaches every level.
    Fake(
        run_id=SIX, network="cnn6", accuracy=0.88, sharpness=0.8, epochs=7, seed=3,
        epoch_seconds=43, waiting_seconds=88, created_at=1_795_200_000, device_name="machine A",
        changes={"learning_rate": 0.02},
    ),
    # Stopped after two of its five epochs.
    Fake(
        run_id=HALF, accuracy=0.7, sharpness=1.3, epochs=5, done=2, seed=4, epoch_seconds=15,
        waiting_seconds=5, created_at=1_795_300_000, state=State.STOPPED,
    ),
    # The tutorial's own recipe: it watches the test pictures and has no temperature.
    Fake(
        run_id=PRINTED, network="cnn6", recipe="tutorial", accuracy=0.71, sharpness=1.4, epochs=4,
        best=3, seed=5, epoch_seconds=33, waiting_seconds=9, created_at=1_794_900_000,
    ),
)  # fmt: skip


def fabricate_all(folder: Path) -> None:
    """Writes all of them into a folder."""
    for fake in RUNS:
        fabricate(folder, fake)
