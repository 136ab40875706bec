"""A trained network opened up: what each of its steps makes of pictures, and its weights.

Reads the very file that serves (model.tflite), so what is shown is what answers. LiteRT joins
layers on the way: a convolution or dense layer and the ReLU behind it are one step here, dropout
is gone, and the scaling of the pixels by 1/255 is part of the first convolution's kernel. Weights
may be stored in 8 bits; what such a step reads is rounded to 256 levels before it multiplies.
Importing this module does not import LiteRT; making an :class:`Inside` does.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from cifar_core.dataset import PICTURE_SHAPE
from cifar_core.inference.classifier import BATCH_PICTURES, read_model, unfit
from cifar_core.inference.operations import Operation, Padding, read_operations

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

Kind = Literal[
    "convolution", "pooling", "largest", "average", "scale", "shift", "activation", "flatten",
    "dense", "softmax", "other",
]  # fmt: skip

_KINDS: Mapping[str, Kind] = {
    "CONV_2D": "convolution",
    "MAX_POOL_2D": "pooling",
    "REDUCE_MAX": "largest",
    "AVERAGE_POOL_2D": "average",
    "MEAN": "average",
    "GELU": "activation",
    "LOGISTIC": "activation",
    "RELU": "activation",
    "TANH": "activation",
    "RESHAPE": "flatten",
    "FULLY_CONNECTED": "dense",
    "SOFTMAX": "softmax",
}
_WITH_CONSTANTS: Mapping[str, Kind] = {"MUL": "scale", "ADD": "shift", "SUB": "shift"}
"""Of what has numbers of its own to go with: batch normalisation behind a pooling."""


@dataclass(frozen=True)
class Step:
    """One step of a served network.

    Attributes:
        kind: What it does; ``scale`` and ``shift`` go with a number for every channel,
            ``largest`` over the whole of one; ``other`` is what the lab has no word for.
        shape: Of its output for one picture: (height, width, channels) or (n,).
        operation: What LiteRT says of it: name, window, stride, padding, activation.
        read_shape: Of what it reads for one picture.
        kernel: A convolution's (height, width, in, out), a dense layer's (in, out), float32,
            8-bit weights scaled back; None where there are none.
        bias: (out,) float32, or None.
        is_8_bit: Whether its weights are stored in 8 bits, and what it reads is rounded so.
    """

    kind: Kind
    shape: tuple[int, ...]
    operation: Operation
    read_shape: tuple[int, ...]
    kernel: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None
    is_8_bit: bool = False

    @property
    def activation(self) -> str:
        """What is done to its result at once: ``relu`` …, or empty."""
        return self.operation.activation

    @property
    def stride(self) -> tuple[int, int]:
        """Rows and columns from one window to the next."""
        return self.operation.stride

    @property
    def padding(self) -> Padding:
        """``same``: zeros are put around what it reads; ``valid``: none; or empty."""
        return self.operation.padding

    @property
    def window(self) -> tuple[int, int] | None:
        """(height, width) of a convolution's or pooling's window."""
        if self.kind == "convolution" and self.kernel is not None:
            return self.kernel.shape[0], self.kernel.shape[1]
        return self.operation.window


@dataclass(frozen=True)
class Seen:
    """What a step read and made of one picture.

    Attributes:
        read: float32 (height, width, channels) or (n,); the pixels, 0 to 255, at the first.
        made: float32, of the step's own shape.
    """

    read: NDArray[np.float32]
    made: NDArray[np.float32]


class Inside:
    """A served network whose every step can be seen; safe to use from several threads.

    Args:
        model_path: The run's model.tflite.
        threads: Threads LiteRT may use.
        sha256: The recorded digest of the file; the bytes that are checked are those loaded.

    Attributes:
        steps: From the first convolution to the softmax.

    Raises:
        ModelError: The file is missing, is not the recorded one, or has no steps like these.
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
        found = read_operations(content)
        if any(item.name == "SPACE_TO_BATCH_ND" for item in found):
            raise unfit(name, "it cuts pictures apart for a kernel with gaps")
        tensors = {int(item["index"]): item for item in self._interpreter.get_tensor_details()}
        shown = [item for item in found if is_step(item, tensors)]
        self.steps = tuple(_step(self._interpreter, item, tensors) for item in shown)
        if [step.kind for step in self.steps[-2:]] != ["dense", "softmax"]:
            raise unfit(name, "it does not end in a dense layer and a softmax")
        self._source, self._batch = int(source["index"]), 1
        self._read = [item.inputs[0] for item in shown]
        self._made = [item.output for item in shown]
        logits = len(shown) - 2
        before = [i for i in range(logits) if len(self.steps[i].shape) == 1]
        if not before:
            raise unfit(name, "nothing flat comes before its last dense layer")
        self._logits, self._features = self._made[logits], self._made[before[-1]]
        self._shapes = dict(zip(self._made, (step.shape for step in self.steps), strict=True))
        self._shapes |= zip(self._read, (step.read_shape for step in self.steps), strict=True)

    def look(self, picture: NDArray[np.uint8]) -> list[Seen]:
        """Returns what every step reads and makes of one picture (32, 32, 3) uint8."""
        found = self._run(picture[np.newaxis], [*self._read, *self._made])
        half = len(self.steps)
        return [
            Seen(read[0], made[0]) for read, made in zip(found[:half], found[half:], strict=True)
        ]

    def outputs(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Returns what every step makes of pictures (n, 32, 32, 3) uint8: (n, *step.shape) each."""
        return self._run(pictures, self._made)

    def features(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Returns what the last dense layer reads of pictures: (n, d) float32, d 512 for CNN-4."""
        return self._run(pictures, [self._features])[0]

    def summary(
        self, pictures: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Returns channel means, features and logits of pictures (n, 32, 32, 3) uint8.

        The channel means are those of every convolution's output over its places, one after
        the other: (n, c), c 192 for CNN-4. Features are (n, d), logits (n, 10). A convolution's
        output is taken behind its activation where that is a step of its own: only then does a
        channel that found nothing lie near zero.
        """
        wanted = [self._made[at] for at in _answers_of_convolutions(self.steps)]
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
        if pictures.ndim != 4 or pictures.shape[1:] != PICTURE_SHAPE or pictures.dtype != np.uint8:
            raise ValueError(
                f"pictures are {pictures.dtype} {pictures.shape}; expected uint8 (n, 32, 32, 3)"
            )
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


def _answers_of_convolutions(steps: Sequence[Step]) -> list[int]:
    """Returns for every convolution the step behind which its answer stands.

    That is the activation before the next convolution, or itself where there is none.
    """
    found: list[int] = []
    is_open = False
    for at, step in enumerate(steps):
        if step.kind == "convolution":
            found.append(at)
            is_open = not step.activation
        elif is_open and step.kind == "activation" and step.shape[:-1]:
            found[-1], is_open = at, False
        elif step.kind in ("flatten", "dense", "average", "largest"):
            is_open = False
    return found


def open_interpreter(content: bytes, threads: int) -> Interpreter:
    """Returns LiteRT's interpreter of a file, which keeps what every operation makes.

    Raises:
        ValueError: The file is no network, or one that LiteRT cannot run.
    """
    from ai_edge_litert.interpreter import Interpreter

    with warnings.catch_warnings():
        # Meant for debugging because it takes memory: here 2 MB a network, and it is the purpose.
        warnings.filterwarnings("ignore", message=".*experimental_preserve_all_tensors.*")
        return Interpreter(
            model_content=content, num_threads=threads, experimental_preserve_all_tensors=True
        )


def is_step(operation: Operation, tensors: Mapping[int, dict[str, Any]]) -> bool:
    """Says whether an operation makes numbers of a picture; casts and shapes show nothing."""
    made = tensors[operation.output]
    of_a_picture = len(made["shape_signature"]) in (2, 4) and made["shape_signature"][0] == -1
    return of_a_picture and made["dtype"] is np.float32 and operation.name != "CAST"


def _step(
    interpreter: Interpreter, operation: Operation, tensors: Mapping[int, dict[str, Any]]
) -> Step:
    kind = _KINDS.get(operation.name, "other")
    if operation.name in _WITH_CONSTANTS and _is_constant(tensors[operation.inputs[-1]]):
        kind = _WITH_CONSTANTS[operation.name]
    shape, read_shape = (
        tuple(int(side) for side in tensors[index]["shape_signature"][1:])
        for index in (operation.output, operation.inputs[0])
    )
    if kind not in ("convolution", "dense"):
        return Step(kind, shape, operation, read_shape)
    _, kernel, *bias = operation.inputs
    values = _scaled_back(interpreter, tensors[kernel])
    axes = (1, 2, 3, 0) if kind == "convolution" else (1, 0)  # LiteRT: outputs first
    return Step(
        kind,
        shape,
        operation,
        read_shape,
        np.ascontiguousarray(values.transpose(axes)),
        interpreter.get_tensor(bias[0]) if bias and bias[0] >= 0 else None,
        is_8_bit=tensors[kernel]["dtype"] is np.int8,
    )


def _is_constant(detail: dict[str, Any]) -> bool:
    """Says whether a tensor is the same for all pictures: it has no side for a batch."""
    return -1 not in detail["shape_signature"]


def _scaled_back(interpreter: Interpreter, detail: dict[str, Any]) -> NDArray[np.float32]:
    """Returns a weight tensor as float32: 8-bit values times the scale of their output."""
    values: NDArray[Any] = interpreter.get_tensor(int(detail["index"]))
    scales = detail["quantization_parameters"]["scales"]
    if not len(scales):
        return values.astype(np.float32)
    axis = int(detail["quantization_parameters"]["quantized_dimension"])
    shape = [1] * values.ndim
    shape[axis] = -1
    return values.astype(np.float32) * np.asarray(scales, np.float32).reshape(shape)
