"""Runs whose figures all differ, and how their figures are read where they are shown.

Pages, report, slides, cards and command line are held against the files of these runs; nothing
here asks the lab's own evaluation.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from cifar_core.runs.folder import RunFolder, State
from tests.pages.oracle import Answers, RunFiles
from tools.fabricate import Fake, fabricate

TITLES = {"cnn4": "CNN-4", "cnn6": "CNN-6", "cnn7": "CNN-7"}
TUTORIAL = {"CNN-4": 6_706, "CNN-6": 6_866}
"""Right answers of the tutorial's printed matrices, the misprinted cell read as 673."""

FIRST = Fake(
    run_id="first",
    name="Mine",
    epochs=4,
    best=2,
    accuracy=0.72,
    seed=3,
    created_at=1_795_000_000.0,
    epoch_seconds=21.0,
    sharpness=1.7,
)
SECOND = Fake(
    run_id="second",
    name="Another",
    network="cnn6",
    epochs=5,
    best=3,
    accuracy=0.9,
    seed=8,
    created_at=1_795_500_000.0,
    epoch_seconds=260.0,
    sharpness=0.7,
    changes={"batch_size": 64, "learning_rate": 0.025},
)
THIRD = Fake(
    run_id="third",
    name="Xenia",
    network="cnn6",
    recipe="tutorial-repaired",
    epochs=6,
    done=3,
    best=2,
    accuracy=0.3,
    seed=5,
    created_at=1_795_200_000.0,
    state=State.STOPPED,
    epoch_seconds=1_900.0,
)
"""Stopped; it monitors the test images, as the tutorial does."""

SPEEDS = {"first": 2_143.4, "second": 173.2, "third": 23.9}
WAITS = {"first": 0.0, "second": 95.0, "third": 4_000.0}


def make_runs(runs_dir: Path, *fakes: Fake) -> dict[str, RunFiles]:
    """Fabricates runs with their own speeds, waits, devices and logs; returns their files."""
    made = {}
    for fake in fakes or (FIRST, SECOND, THIRD):
        folder = fabricate(runs_dir, fake)
        status = json.loads(folder.status_path.read_bytes())
        status |= {
            "images_per_second": SPEEDS.get(fake.run_id),
            "waiting_seconds": WAITS.get(fake.run_id, 0.0),
            "setup_seconds": 7.0,
            "closing_seconds": 40.0,
            "device_name": f"device of {fake.run_id}",
        }
        folder.status_path.write_text(json.dumps(status))
        lines = [f"{fake.run_id} line {number}" for number in range(100)]
        folder.log_path.write_text("\n".join(lines) + "\n")
        made[fake.run_id] = RunFiles(folder.path)
    return made


def add_files(folder: RunFolder | RunFiles, **contents: bytes) -> None:
    """Gives a run files (``model_keras``) and records their digests, as its worker would."""
    import hashlib

    path = folder.path / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest.pop("manifest_sha256", None)
    for name, content in contents.items():
        file = name.replace("_", ".")
        (folder.path / file).write_bytes(content)
        manifest["sha256"][file] = hashlib.sha256(content).hexdigest()
    path.write_text(json.dumps(manifest))


def status_of(files: RunFiles) -> dict[str, Any]:
    """Returns what the worker last wrote."""
    return dict(files.read("status.json"))


def device_seconds(files: RunFiles) -> float:
    """Returns the time of a run on its device: setting up, training, closing."""
    status = status_of(files)
    parts = ("setup", "running", "closing")
    return float(sum(status[f"{part}_seconds"] for part in parts))


def last_answers(files: RunFiles) -> Answers:
    """Returns the answers on the monitored images after the last epoch."""
    return files.epoch(len(files.metrics))


def best_of(files: RunFiles) -> tuple[int, float]:
    """Returns the first epoch with the most right answers and its accuracy, counted anew."""
    found = [files.epoch(number).accuracy for number in range(1, len(files.metrics) + 1)]
    return int(np.argmax(found)) + 1, max(found)


def percent(share: float) -> str:
    """Returns a share as it is shown."""
    return f"{100 * share:.1f}%"


def seconds_of(shown: Any) -> float:
    """Returns a time as it is shown, in seconds: a text such as ``1 h 02 min``, or a length.

    A dash, and nothing at all, are no time.
    """
    if not isinstance(shown, str):
        return 0.0 if shown is None or pd.isna(shown) else pd.Timedelta(shown).total_seconds()
    units = {"ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86_400}
    parts = re.findall(r"([\d.]+) (ms|s|min|h|d)\b", shown)
    return sum(float(number) * units[unit] for number, unit in parts)


def mcnemar(a: Answers, b: Answers) -> tuple[int, int, float]:
    """Returns how many images only the first and only the second names rightly, and SciPy's p."""
    only_a = int((a.is_right & ~b.is_right).sum())
    only_b = int((~a.is_right & b.is_right).sum())
    return only_a, only_b, float(binomtest(only_a, only_a + only_b, 0.5).pvalue)
