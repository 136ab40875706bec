"""Trained networks served with LiteRT: uint8 pictures to class probabilities.

Importing this module does not import LiteRT; making a :class:`Classifier` does (0.1 s).
Neither Keras nor TensorFlow is needed. Calibration is done elsewhere.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cifar_core import files
from cifar_core.dataset import CLASS_NAMES, PICTURE_SHAPE
from cifar_core.errors import ModelError
from cifar_core.inference import trial

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

BATCH_PICTURES = 32
"""Pictures computed at once. Batches of 256 are no faster on a CPU, take 50 MB more and keep
other threads waiting longer (measured with CNN-4 and CNN-6)."""


class Classifier:
    """A trained network, loaded once and shared by all sessions and threads.

    A single picture has an interpreter of its own, so that it need not wait for a batch that
    another thread has under way.

    Args:
        model_path: The run's model.tflite: uint8 (n, 32, 32, 3) to float32 (n, 10).
        threads: Threads LiteRT may use.
        sha256: The recorded digest of the file; the bytes that are checked are those loaded.

    Raises:
        ModelError: The file is missing, is not the recorded one, or is no such network.
    """

    def __init__(self, model_path: Path, *, threads: int = 1, sha256: str | None = None) -> None:
        content = read_model(model_path, sha256)
        self._single = _Engine(content, model_path.name, threads)
        self._bulk = _Engine(content, model_path.name, threads)

    def classify(self, pictures: NDArray[np.uint8], *, mirror: bool = False) -> NDArray[np.float32]:
        """Returns the class probabilities of pictures; safe to call from several threads.

        A picture's answer does not depend on the others in the call.

        Args:
            pictures: (n, 32, 32, 3) uint8; n may be 0.
            mirror: Average (arithmetic mean) with the answers for the mirrored pictures.

        Returns:
            (n, 10) float32; rows sum to 1.

        Raises:
            ValueError: The pictures have another shape or type.
        """
        if pictures.ndim != 4 or pictures.shape[1:] != PICTURE_SHAPE or pictures.dtype != np.uint8:
            raise ValueError(
                f"pictures are {pictures.dtype} {pictures.shape}; expected uint8 (n, 32, 32, 3)"
            )
        if mirror:
            return (self.classify(pictures) + self.classify(pictures[:, :, ::-1])) / np.float32(2)
        probabilities = np.empty((len(pictures), len(CLASS_NAMES)), np.float32)
        engine = self._single if len(pictures) == 1 else self._bulk
        for start in range(0, len(pictures), BATCH_PICTURES):
            batch = np.ascontiguousarray(pictures[start : start + BATCH_PICTURES])
            probabilities[start : start + len(batch)] = engine.run(batch)
        return probabilities


class _Engine:
    """One interpreter behind a lock, resized to whatever batch it is given.

    Resizing back and forth costs 0.1 ms once the largest batch has been seen (measured), so
    partial batches are not padded. A first picture is computed at once: that finds out whether
    the network runs at all and spares the first visitor the wait.
    """

    def __init__(self, content: bytes, name: str, threads: int) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._lock = threading.Lock()
        try:
            self._interpreter: Interpreter = Interpreter(model_content=content, num_threads=threads)
            (source,) = self._interpreter.get_input_details()
            (target,) = self._interpreter.get_output_details()
        # LiteRT raises ValueError or RuntimeError as it likes on a file it cannot run.
        except (ValueError, RuntimeError, LookupError, TypeError) as error:
            raise unfit(name, "it is no LiteRT network with one input and one output") from error
        self._source, self._target = int(source["index"]), int(target["index"])
        shape_in, shape_out = source["shape_signature"].tolist(), target["shape_signature"].tolist()
        if source["dtype"] is not np.uint8 or shape_in != [-1, *PICTURE_SHAPE]:
            raise unfit(name, f"it takes {source['dtype'].__name__} {shape_in}")
        if target["dtype"] is not np.float32 or shape_out != [-1, len(CLASS_NAMES)]:
            raise unfit(name, f"it gives {target['dtype'].__name__} {shape_out}")
        self._batch = 0
        try:
            self.run(np.zeros((1, *PICTURE_SHAPE), np.uint8))
        except (RuntimeError, ValueError) as error:
            raise unfit(name, "LiteRT cannot run it") from error

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Computes (n, 32, 32, 3) contiguous uint8 to (n, 10) float32."""
        with self._lock:
            if len(batch) != self._batch:
                self._interpreter.resize_tensor_input(self._source, list(batch.shape))
                self._interpreter.allocate_tensors()
                self._batch = len(batch)
            self._interpreter.set_tensor(self._source, batch)
            self._interpreter.invoke()
            probabilities: NDArray[np.float32] = self._interpreter.get_tensor(self._target)
            return probabilities


def read_model(model_path: Path, sha256: str | None) -> bytes:
    """Returns the file's bytes after checking its digest and, in a child, that LiteRT survives."""
    try:
        content = files.read_bytes(model_path)
    except OSError as error:
        raise ModelError(
            f"The trained network {model_path.name} cannot be read ({error.strerror}).",
            expected="A finished run keeps its network in model.tflite; the histories that "
            "came with the lab have none.",
            remedy="Choose another run, or train this one again.",
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256.lower():
        raise ModelError(
            f"The trained network {model_path.name} is not the one that was recorded: its digest "
            f"begins with {found[:12]}.",
            expected=f"The run's manifest says {sha256[:12]}.",
            remedy="Restore the file from where it came, or train the run again.",
        )
    trial.try_out(content, model_path)
    return content


def ask_alone(content: bytes, pictures: NDArray[np.uint8]) -> None:
    """Opens a network and asks it once, in the process that tries it."""
    _Engine(content, "model.tflite", 1).run(pictures)


def unfit(name: str, why: str) -> ModelError:
    """Returns the refusal of a file that is no network of the lab."""
    return ModelError(
        f"The trained network {name} cannot be used: {why}.",
        expected="A network from uint8 (n, 32, 32, 3) to float32 (n, 10) was expected.",
        remedy="Export the run again, or choose another one.",
    )
