"""A run's folder can hold anything: it is read, or refused in sentences; nothing waits or ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
HANGS_SECONDS = 900.0
"""Only what waits for ever takes so long, on a busy machine too."""


def test_of_more_than_300_folders_none_hangs_or_crashes_a_reader(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.runs.hostile_folders", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        timeout=HANGS_SECONDS,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert told["wrong"] == []
    assert told["tried"] >= 300
