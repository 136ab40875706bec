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
from cifar_core.dataset import CIFAR10, DatasetSpec
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
        model_path: The run's model.tflite: uint8 (n, h, w, c) to float32 (n, classes).
        dataset: What it was trained on.
        threads: Threads LiteRT may use.
        sha256: The recorded digest of the file; the bytes that are checked are those loaded.

    Raises:
        ModelError: The file is missing, is not the recorded one, or is no such network.
    """

    def __init__(
        self,
        model_path: Path,
        dataset: DatasetSpec = CIFAR10,
        *,
        threads: int = 1,
        sha256: str | None = None,
    ) -> None:
        content = read_model(model_path, sha256)
        self.dataset = dataset
        self._single = _Engine(content, model_path.name, threads=threads, dataset=dataset)
        self._bulk = _Engine(content, model_path.name, threads=threads, dataset=dataset)

    def classify(self, pictures: NDArray[np.uint8], *, mirror: bool = False) -> NDArray[np.float32]:
        """Returns the class probabilities of pictures; safe to call from several threads.

        A picture's answer does not depend on the others in the call.

        Args:
            pictures: (n, h, w, c) uint8; n may be 0.
            mirror: Average (arithmetic mean) with the answers for the mirrored pictures.

        Returns:
            (n, classes) float32; rows sum to 1.

        Raises:
            ValueError: The pictures have another shape or type.
        """
        check_images(pictures, self.dataset.image_shape)
        if mirror:
            return (self.classify(pictures) + self.classify(pictures[:, :, ::-1])) / np.float32(2)
        probabilities = np.empty((len(pictures), self.dataset.classes), np.float32)
        engine = self._single if len(pictures) == 1 else self._bulk
        for start in range(0, len(pictures), BATCH_PICTURES):
            batch = np.ascontiguousarray(pictures[start : start + BATCH_PICTURES])
            probabilities[start : start + len(batch)] = engine.run(batch)
        return probabilities


class _Engine:
    """One interpreter behind a lock, resized to whatever batch it is given.

    Resizing back and forth costs 0.1 ms once the largest batch has been seen (measured), so
    partial batches are not padded. A first picture is computed at once: that finds out whether
    the network runs at all and spares the first visitor the wait. Without a dataset to hold it
    against, a network is taken at its word.
    """

    def __init__(
        self, content: bytes, name: str, *, threads: int, dataset: DatasetSpec | None
    ) -> None:
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
        if dataset is not None:
            if source["dtype"] is not np.uint8 or shape_in != [-1, *dataset.image_shape]:
                raise unfit(name, f"it takes {source['dtype'].__name__} {shape_in}", dataset)
            if target["dtype"] is not np.float32 or shape_out != [-1, dataset.classes]:
                raise unfit(name, f"it gives {target['dtype'].__name__} {shape_out}", dataset)
        self._batch = 0
        try:
            self.run(np.zeros((1, *source["shape"][1:]), np.uint8))
        except (RuntimeError, ValueError) as error:
            raise unfit(name, "LiteRT cannot run it") from error

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Computes (n, h, w, c) contiguous uint8 to (n, classes) float32."""
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
    _Engine(content, "model.tflite", threads=1, dataset=None).run(pictures)


def check_images(images: NDArray[np.uint8], shape: tuple[int, ...]) -> None:
    """Refuses what is no batch of images of a shape, (h, w, c).

    Raises:
        ValueError: The images have another shape or type.
    """
    if images.ndim != 4 or images.shape[1:] != shape or images.dtype != np.uint8:
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"images are {images.dtype} {images.shape}; expected uint8 (n, {wanted})")


def unfit(name: str, why: str, dataset: DatasetSpec = CIFAR10) -> ModelError:
    """Returns the refusal of a file that is no network of the lab."""
    shape = ", ".join(map(str, dataset.image_shape))
    return ModelError(
        f"The trained network {name} cannot be used: {why}.",
        expected=f"A network from uint8 (n, {shape}) to float32 (n, {dataset.classes}) was "
        "expected.",
        remedy="Export the run again, or choose another one.",
    )
