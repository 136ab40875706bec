"""What the tests of the dataset share: sets of the right shapes that are quick to write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cifar_core.dataset.store import Arrays, write_full


@pytest.fixture(scope="session")
def blank_arrays() -> Arrays:
    """Arrays with the shapes of CIFAR-10 and nothing in them: quick to write."""
    return Arrays(
        np.zeros((50_000, 32, 32, 3), np.uint8),
        np.zeros(50_000, np.uint8),
        np.zeros((10_000, 32, 32, 3), np.uint8),
        np.zeros(10_000, np.uint8),
    )


@pytest.fixture
def prepared(tmp_path: Path, blank_arrays: Arrays) -> Path:
    """A data folder with a full set of the right shapes (and the wrong pictures)."""
    write_full(tmp_path, blank_arrays, "a test")
    return tmp_path
