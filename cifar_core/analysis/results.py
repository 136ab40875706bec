"""What an analysis found, kept in the data folder and shipped for the sample.

An analysis of the full dataset lies in ``data_dir/analysis/<data>-<network>``, both named by
their digests: one of other data, another network or an older method is never mistaken for the
current one. What ships with the lab has the same form: ``shipped/sample.npz``, neighbours and
map of the 2,000 pictures of the sample, and ``shipped/pairs.json``, the near-duplicates of the
full dataset.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from cifar_core.analysis.duplicates import Pair, PairRow
from cifar_core.dataset.arrays import Dataset
from cifar_core.decoding import Count, decode
from cifar_core.errors import DataError, reason
from cifar_core.files import read_json, write_json, write_whole

METHOD: Final = 1
"""Changes with every change of what an analysis computes: older results are then stale."""

FOLDER: Final = "analysis"
PLACES_NAME: Final = "places.npz"
PAIRS_NAME: Final = "pairs.json"
SHIPPED_DIR: Final = Path(__file__).parent / "shipped"
SAMPLE_NAME: Final = "sample.npz"

Kind = Literal["pca", "tsne"]


@dataclass(frozen=True)
class Origin:
    """Where results come from.

    Attributes:
        data: Short digest of the dataset.
        run: Identity of the run whose network looked at the pictures.
        network: SHA-256 of that network's file.
        network_title: What people call it.
        pictures: How many pictures were looked at.
        made: The day, as 2026-11-27.
        method: See :data:`METHOD`.
    """

    data: str
    run: str
    network: str
    network_title: str
    pictures: Count
    made: str
    method: int = METHOD

    def words(self) -> str:
        """Returns the origin as a line."""
        return (
            f"{self.network_title} (run {self.run}, network {self.network[:16]}) on "
            f"{self.pictures:,} pictures, data {self.data}, made on {self.made}"
        )


@dataclass(frozen=True, eq=False)
class Places:
    """Where each picture lies among the others to a network.

    Attributes:
        origin: Where this comes from.
        features: (n, k) float32, compressed; rows: the train split, then the test split.
        map_rows: (m,) int64, the rows that the map shows, ascending.
        pca: (m, 2) float32.
        tsne: (m, 2) float32.
    """

    origin: Origin
    features: NDArray[np.float32]
    map_rows: NDArray[np.int64]
    pca: NDArray[np.float32]
    tsne: NDArray[np.float32]

    def fits(self, dataset: Dataset) -> bool:
        """Says whether the rows are those of a dataset."""
        return len(self.features) == len(dataset.train.labels) + len(dataset.test.labels)

    def plane(self, kind: Kind) -> NDArray[np.float32]:
        """Returns one of the two maps, (m, 2)."""
        return self.pca if kind == "pca" else self.tsne


@dataclass(frozen=True)
class Pairs:
    """The near-duplicates that were found, the most alike first."""

    origin: Origin
    pairs: tuple[Pair, ...]

    def facts(self) -> dict[str, Any]:
        """Returns all of it as plain values under names."""
        return {"origin": vars(self.origin), "pairs": [vars(pair) for pair in self.pairs]}


@dataclass(frozen=True)
class _StoredPairs:
    """The same as their file has it."""

    origin: Origin
    pairs: tuple[PairRow, ...]


def folder_of(data_dir: Path, *, data: str, network: str) -> Path:
    """Returns where the analysis of a dataset by a network lies, done or not."""
    return data_dir / FOLDER / f"{data}-{network[:16]}-{METHOD}"


def others_beside(folder: Path) -> bool:
    """Says whether there are analyses of other data, another network or an older method."""
    try:
        return any(item.is_dir() and item != folder for item in folder.parent.iterdir())
    except OSError:
        return False


def write_results(folder: Path, places: Places, pairs: Pairs) -> None:
    """Writes an analysis; the pairs come last, their presence means it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    write_places(folder / PLACES_NAME, places)
    write_pairs(folder / PAIRS_NAME, pairs)


def is_there(folder: Path) -> bool:
    """Says whether a folder holds a whole analysis."""
    return (folder / PAIRS_NAME).is_file()


def write_places(path: Path, places: Places) -> None:
    """Writes features and map in one step; features are kept in half precision."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        origin=np.array(json.dumps(vars(places.origin))),
        features=places.features.astype(np.float16),
        map_rows=places.map_rows.astype(np.int32),
        pca=places.pca.astype(np.float16),
        tsne=places.tsne.astype(np.float16),
    )
    write_whole(path, buffer.getvalue())


def read_places(path: Path) -> Places:
    """Reads what :func:`write_places` wrote.

    Raises:
        DataError: It is missing or damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            made = Places(
                decode(str(stored["origin"]).encode(), Origin, "origin"),
                stored["features"].astype(np.float32),
                stored["map_rows"].astype(np.int64),
                stored["pca"].astype(np.float32),
                stored["tsne"].astype(np.float32),
            )
        rows = made.map_rows
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(made.features):
            raise ValueError("the map shows pictures that are not there")
        if not made.pca.shape == made.tsne.shape == (len(rows), 2):
            raise ValueError("the map has not two numbers for each picture")
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from error
    return made


def write_pairs(path: Path, pairs: Pairs) -> None:
    """Writes near-duplicates in one step."""
    write_json(path, {"origin": vars(pairs.origin), "pairs": [p.to_json() for p in pairs.pairs]})


def read_pairs(path: Path) -> Pairs:
    """Reads what :func:`write_pairs` wrote.

    Raises:
        DataError: It is missing or damaged.
    """
    try:
        stored = read_json(path, _StoredPairs)
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    return Pairs(stored.origin, tuple(Pair.from_json(item) for item in stored.pairs))


def read_shipped_places() -> Places:
    """Returns neighbours and map of the shipped sample."""
    return read_places(SHIPPED_DIR / SAMPLE_NAME)


def read_shipped_pairs() -> Pairs:
    """Returns the near-duplicates of the full dataset, as they were found for this version."""
    return read_pairs(SHIPPED_DIR / PAIRS_NAME)


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(
        f"The stored analysis {path} cannot be read: {reason(error)}",
        expected="A file as the analysis wrote it.",
        remedy=f"Delete the folder {path.parent} and analyse the pictures again.",
    )
