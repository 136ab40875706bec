"""The closest near-duplicates with their pictures, shipped so that they show without a download."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cifar_core.analysis.duplicates import Pair
from cifar_core.analysis.results import SHIPPED_DIR, read_shipped_pairs
from cifar_core.dataset.arrays import Dataset
from cifar_core.errors import DataError

EXHIBITS: Final = 24
EXHIBITS_NAME: Final = "pairs.webp"


@dataclass(frozen=True, eq=False)
class Exhibit:
    """A pair with its two pictures, each (32, 32, 3) uint8."""

    pair: Pair
    test: NDArray[np.uint8]
    train: NDArray[np.uint8]


def choose_exhibits(pairs: Sequence[Pair]) -> list[Pair]:
    """Returns the closest pairs, every test picture once."""
    closest: dict[int, Pair] = {}
    for pair in pairs:
        closest.setdefault(pair.test, pair)
    return list(closest.values())[:EXHIBITS]


def write_exhibits(full: Dataset, pairs: Sequence[Pair], folder: Path = SHIPPED_DIR) -> None:
    """Writes the pictures of the closest pairs, without loss: a column for each pair."""
    chosen = choose_exhibits(pairs)
    rows = [
        np.concatenate([full.test.picture(pair.test) for pair in chosen], axis=1),
        np.concatenate([full.train.picture(pair.train) for pair in chosen], axis=1),
    ]
    packed = io.BytesIO()
    Image.fromarray(np.concatenate(rows)).save(
        packed, "WEBP", lossless=True, exact=True, quality=75, method=4
    )
    (folder / EXHIBITS_NAME).write_bytes(packed.getvalue())


def read_exhibits(folder: Path = SHIPPED_DIR) -> list[Exhibit]:
    """Returns the closest pairs with their pictures.

    Raises:
        DataError: The file is missing or damaged.
    """
    chosen = choose_exhibits(read_shipped_pairs().pairs)
    try:
        with Image.open(folder / EXHIBITS_NAME) as picture:
            sheet = np.asarray(picture.convert("RGB"))
        columns = sheet.reshape(2, 32, len(chosen), 32, 3).swapaxes(1, 2)
    except (OSError, ValueError) as error:
        raise DataError(
            f"The shipped near-duplicates cannot be read ({error}).",
            expected=f"{EXHIBITS_NAME} as it was published.",
            remedy="Fetch the project's files again, for example with `git checkout`.",
        ) from error
    return [
        Exhibit(pair, columns[0, place], columns[1, place]) for place, pair in enumerate(chosen)
    ]
