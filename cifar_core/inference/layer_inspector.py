"""A trained network opened up: what each of its ops makes of pictures, and its weights.

Reads the very file that serves (model.tflite), so what is shown is what answers. LiteRT joins
layers on the way: a convolution or dense layer and the ReLU behind it are one op here, dropout
is gone, and the scaling of the pixels by 1/255 is part of the first convolution's kernel. Weights
may be stored in 8 bits; what such an op reads is rounded to 256 levels before it multiplies.
Importing this module does not import LiteRT; making an :class:`LayerInspector` does.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cifar_core.inference.classifier import BATCH_PICTURES, check_images, read_model, unfit
from cifar_core.inference.litert_ops import IMAGE, LiteRtOp, data_inputs, open_interpreter, read_ops
from cifar_core.inference.operations import read_operations


@dataclass(frozen=True)
class LayerOutput:
    """What an op read and made of one picture.

    Attributes:
        read: float32 (height, width, channels) or (n,); the pixels, 0 to 255, at the first.
        made: float32, of the op's own shape.
    """

    read: NDArray[np.float32]
    made: NDArray[np.float32]


class LayerInspector:
    """A served network whose every op can be seen; safe to use from several threads.

    Args:
        model_path: The run's model.tflite.
        threads: Threads LiteRT may use.
        sha256: The recorded digest of the file; the bytes that are checked are those loaded.

    Attributes:
        ops: From the first convolution to the softmax.
        image_shape: (h, w, c) of the images it takes.

    Raises:
        ModelError: The file is missing, is not the recorded one, or has no ops like these.
    """

    def __init__(self, model_path: Path, *, threads: int = 1, sha256: str | None = None) -> None:
        content = read_model(model_path, sha256)
        try:
            self._open(content, model_path.name, threads)
        # LiteRT raises what it likes; parts that do not belong together fail anywhere.
        except (ValueError, RuntimeError, LookupError, TypeError, OverflowError) as error:
            raise unfit(model_path.name, "it is no LiteRT network with one input") from error

    def _open(self, content: bytes, name: str, threads: int) -> None:
        self._lock = threading.Lock()
        self._interpreter = open_interpreter(content, threads)
        (source,) = self._interpreter.get_input_details()
        self._interpreter.allocate_tensors()
        self.image_shape = tuple(int(size) for size in source["shape"][1:])
        found = read_operations(content)
        if any(item.name == "SPACE_TO_BATCH_ND" for item in found):
            raise unfit(name, "it cuts pictures apart for a kernel with gaps")
        tensors = {int(item["index"]): item for item in self._interpreter.get_tensor_details()}
        self.ops = read_ops(self._interpreter, found, tensors)
        if [op.kind for op in self.ops[-2:]] != ["Dense", "Softmax"]:
            raise unfit(name, "it does not end in a dense layer and a softmax")
        self._source, self._batch = int(source["index"]), 1
        self._read = [data_inputs(op.operation, tensors)[0] for op in self.ops]
        self._made = [op.operation.output for op in self.ops]
        logits = len(self.ops) - 2
        (before,) = self.ops[logits].sources
        if before == IMAGE or len(self.ops[before].shape) != 1:
            raise unfit(name, "nothing flat comes before its last dense layer")
        self._logits, self._features = self._made[logits], self._made[before]
        self._shapes = dict(zip(self._made, (op.shape for op in self.ops), strict=True))
        self._shapes |= zip(self._read, (op.read_shape for op in self.ops), strict=True)

    def look(self, picture: NDArray[np.uint8]) -> list[LayerOutput]:
        """Returns what every op reads and makes of one image (h, w, c) uint8."""
        found = self._run(picture[np.newaxis], [*self._read, *self._made])
        half = len(self.ops)
        return [
            LayerOutput(read[0], made[0])
            for read, made in zip(found[:half], found[half:], strict=True)
        ]

    def outputs(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Returns what every op makes of images (n, h, w, c) uint8: (n, *op.shape) each."""
        return self._run(pictures, self._made)

    def features(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns what the last dense layer reads of pictures: (n, d) float32, d 512 for CNN-4."""
        return self._run(pictures, [self._features])[0]

    def summary(
        self, pictures: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Returns channel means, features and logits of images (n, h, w, c) uint8.

        The channel means are those of every convolution's output over its places, one after
        the other: (n, c), c 192 for CNN-4. Features are (n, d), logits (n, classes). A
        convolution's output is taken behind its activation where that is an op of its own: only
        then does a channel that found nothing lie near zero.
        """
        wanted = [self._made[at] for at in _answers_of_convolutions(self.ops)]
        channels = sum(self._shapes[tensor][-1] for tensor in wanted)
        means = np.empty((len(pictures), channels), np.float32)
        features = np.empty((len(pictures), *self._shapes[self._features]), np.float32)
        logits = np.empty((len(pictures), *self._shapes[self._logits]), np.float32)
        for start in range(0, len(pictures), BATCH_PICTURES):
            batch = slice(start, start + BATCH_PICTURES)
            *maps, features[batch], logits[batch] = self._run(
                pictures[batch], [*wanted, self._features, self._logits]
            )
            means[batch] = np.concatenate([item.mean(axis=(1, 2)) for item in maps], axis=1)
        return means, features, logits

    def _run(self, pictures: NDArray[np.uint8], wanted: Sequence[int]) -> list[NDArray[np.float32]]:
        """Computes pictures and returns the wanted tensors, batch by batch put together."""
        check_images(pictures, self.image_shape)
        made = [np.empty((len(pictures), *self._shapes[i]), np.float32) for i in wanted]
        for start in range(0, len(pictures), BATCH_PICTURES):
            batch = np.ascontiguousarray(pictures[start : start + BATCH_PICTURES])
            with self._lock:
                if len(batch) != self._batch:
                    self._interpreter.resize_tensor_input(self._source, list(batch.shape))
                    self._interpreter.allocate_tensors()
                    self._batch = len(batch)
                self._interpreter.set_tensor(self._source, batch)
                self._interpreter.invoke()
                for array, i in zip(made, wanted, strict=True):
                    array[start : start + len(batch)] = self._interpreter.get_tensor(i)
        return made


_PER_CHANNEL = ("MaxPooling2D", "SCALE", "SHIFT")
"""What leaves each channel a map of its own numbers."""


def _answers_of_convolutions(ops: Sequence[LiteRtOp]) -> list[int]:
    """Returns for every convolution the op behind which its answer stands.

    That is the activation that goes with it alone, or itself where there is none.
    """
    return [_answer(ops, at) for at, op in enumerate(ops) if op.kind == "Conv2D"]


def _answer(ops: Sequence[LiteRtOp], start: int) -> int:
    at = start
    for place, op in enumerate(ops if not ops[start].activation else ()):
        if op.sources == (at,) and op.kind == "Activation":
            return place
        if op.sources == (at,) and op.kind in _PER_CHANNEL:
            at = place
    return start
