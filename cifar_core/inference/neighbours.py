"""The training pictures that a network finds most alike to a picture, by its own features.

Alike means: a small angle between what the last dense layer reads of both (cosine similarity; as
a way to explain answers: R. Caruana and others, "Case-based explanation of non-case-based
learning methods", AMIA 1999). The pictures of the shipped sample are compared at once. Those of
all 50,000 take half a minute and more, so a process of its own computes them once a network:
``python -m cifar_core.inference.neighbours DATA_DIR LOCK`` writes them to ``DATA_DIR/features``.
There is one such process at a time: it holds a kernel lock there and takes order after order.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cifar_core import files
from cifar_core.dataset import arrays
from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.jobs.lock import Lock, try_lock
from cifar_core.jobs.slot import Slot

FOLDER = "features"
ORDER = ".order"
CHUNK = 4096
"""Rows compared at once."""

SCALE = 127
"""Features of length 1 are kept as whole 127ths: a quarter of the memory, read in a tenth of the
time that 16-bit numbers take, and similarities are right to about half a percent."""


@dataclass(frozen=True)
class Neighbour:
    """A training picture that a network finds alike.

    Attributes:
        index: Its official position in the train split.
        label: The class it shows.
        similarity: Cosine of the angle between its features and those of the picture, up to 1.
    """

    index: int
    label: int
    similarity: float


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Features of training pictures to compare with.

    Attributes:
        features: (n, d) int8, as :func:`rounded` makes them.
        indices: (n,) official positions in the train split.
        labels: (n,) their classes.
        is_whole: Whether these are all of the split.
    """

    features: NDArray[np.int8]
    indices: NDArray[np.int64]
    labels: NDArray[np.uint8]
    is_whole: bool

    def nearest(self, features: NDArray[np.float32], count: int = 5) -> tuple[Neighbour, ...]:
        """Returns the most alike training pictures, the nearest first.

        Args:
            features: (d,) of a picture.
            count: How many.
        """
        wanted = unit(features[np.newaxis])[0] / np.float32(SCALE)
        alike = np.concatenate(
            [
                self.features[start : start + CHUNK].astype(np.float32) @ wanted
                for start in range(0, len(self.features), CHUNK)
            ]
        )
        best = np.argsort(-alike, kind="stable")[:count]
        return tuple(
            Neighbour(int(self.indices[i]), int(self.labels[i]), float(alike[i])) for i in best
        )


def catalogue(inspector: LayerInspector, split: arrays.Split) -> Catalogue:
    """Computes the features of a split's pictures: a second for the shipped sample."""
    features = rounded(inspector.features(np.asarray(split.images)))
    is_whole = len(split.labels) == split.spec.count(split.name)
    return Catalogue(features, split.indices, split.labels, is_whole)


def rounded(features: NDArray[np.float32]) -> NDArray[np.int8]:
    """Returns features (n, d) at length 1 in whole parts of :data:`SCALE`."""
    return np.rint(unit(features) * SCALE).astype(np.int8)


def open_whole(data_dir: Path, sha256: str, split: arrays.Split) -> Catalogue | None:
    """Returns the catalogue of all training pictures where it has been computed, else None.

    Args:
        data_dir: The data folder.
        sha256: Digest of the network's file.
        split: The whole train split.
    """
    try:
        with files.open_regular(_path(data_dir, sha256)) as file:
            features = np.load(file, allow_pickle=False)  # never mapped: it may be shortened
    except (OSError, ValueError, EOFError, MemoryError):
        return None
    if features.ndim != 2 or features.dtype != np.int8 or len(features) != len(split.labels):
        return None  # of no use: it is computed again
    return Catalogue(features, split.indices, split.labels, True)


def start(model_path: Path, sha256: str, data_dir: Path) -> None:
    """Orders the catalogue of all training pictures; a process is started unless one is at work.

    Raises:
        OSError: The data folder cannot be written, or no process could be started.
    """
    _path(data_dir, sha256).parent.mkdir(exist_ok=True)
    order = _path(data_dir, sha256).with_suffix(ORDER)
    files.write_json(order, [str(model_path.absolute()), sha256], durable=False)
    _queue(data_dir).start(__spec__.name, [data_dir])


def work_off(data_dir: Path, lock: Lock | None) -> None:
    """Computes what was ordered, one catalogue after another.

    Args:
        data_dir: The data folder.
        lock: That of the one process that does so.
    """
    while lock is not None:
        with lock:
            while orders := sorted((data_dir / FOLDER).glob(f"*{ORDER}")):
                _carry_out(orders[0], data_dir)
        # An order given while the lock was still held has started no process.
        has_more = any((data_dir / FOLDER).glob(f"*{ORDER}"))
        lock = _queue(data_dir).take() if has_more else None


def _carry_out(order: Path, data_dir: Path) -> None:
    """Computes one catalogue; an order that fails is dropped, and the next one has its turn."""
    try:
        model_path, sha256 = files.read_json(order, tuple[str, str])
        order.unlink()  # first: one that ends this process must not end every later one too
        compute(Path(model_path), sha256, data_dir)
    except Exception:  # noqa: BLE001 - whatever it is, the next order has its turn
        order.unlink(missing_ok=True)
        traceback.print_exc()


def compute(model_path: Path, sha256: str, data_dir: Path) -> bool:
    """Computes the catalogue of all training pictures and keeps it; False where another does.

    Raises:
        DataError: The full dataset is missing.
        ModelError: The network is not the recorded one.
        OSError: The data folder cannot be written.
    """
    path = _path(data_dir, sha256)
    path.parent.mkdir(exist_ok=True)
    lock = try_lock(path.with_suffix(".lock"))
    if lock is None:
        return False
    with lock:
        full = arrays.open_full(data_dir)
        arrays.verify(full)
        split = full.train
        if open_whole(data_dir, sha256, split) is None:
            made = catalogue(LayerInspector(model_path, sha256=sha256), split)
            buffer = io.BytesIO()
            np.save(buffer, made.features, allow_pickle=False)
            files.write_whole(path, buffer.getvalue(), durable=False)
    return True


def _path(data_dir: Path, sha256: str) -> Path:
    return data_dir / FOLDER / f"{sha256[:16]}.npy"


def _queue(data_dir: Path) -> Slot:
    return Slot(data_dir / FOLDER, "queue")


def unit(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns rows (n, d) of length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = features / np.maximum(lengths, np.float32(1e-9))
    return scaled


if __name__ == "__main__":
    os.nice(10)  # nobody waits for it
    folder = Path(sys.argv[1])
    held = _queue(folder).adopt(sys.argv[2:])
    sys.exit(_queue(folder).carry_out(lambda: work_off(folder, held)).exit_status)
