"""A folder of runs whose workers pretend to train: see tests/torture/bench.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture.bench import Bench, ForkedBench, forked, started


@pytest.fixture
def bench(runs_dir: Path) -> Iterator[Bench]:
    """Workers are new interpreters, as in the lab."""
    with started(runs_dir) as made:
        yield made


@pytest.fixture
def quick(runs_dir: Path) -> Iterator[ForkedBench]:
    """Workers are forks of the test's process."""
    with forked(runs_dir) as made:
        yield made
