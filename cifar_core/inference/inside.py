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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cifar_core.dataset import PICTURE_SHAPE
from cifar_core.inference.classifier import BATCH_PICTURES, read_model, unfit
from cifar_core.inference.operations import Operation, Padding, read_operations
from cifar_core.networks.layers import ACTIVATIONS, OP_KINDS, OP_TITLES

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

IMAGE = -1
"""What stands among the sources of a step for the image itself."""

_WITH_CONSTANTS: Mapping[str, str] = {"MUL": "SCALE", "ADD": "SHIFT", "SUB": "SHIFT"}
"""Of what has numbers of its own to go with: batch normalisation behind a pooling."""


@dataclass(frozen=True)
class Step:
    """One step of a served network.

    Attributes:
        name: LiteRT's name of what it does, or ``SCALE`` and ``SHIFT`` for products and sums with
            a number for every channel.
        shape: Of its output for one picture: (height, width, channels) or (n,).
        operation: What LiteRT says of it: name, window, stride, padding, activation.
        read_shape: Of what it reads for one picture.
        kernel: A convolution's (height, width, in, out), a dense layer's (in, out), float32,
            8-bit weights scaled back; None where there are none.
        bias: (out,) float32, or None.
        is_8_bit: Whether its weights are stored in 8 bits, and what it reads is rounded so.
        sources: Positions of the steps that it reads, each once; :data:`IMAGE` is the image.
    """

    name: str
    shape: tuple[int, ...]
    operation: Operation
    read_shape: tuple[int, ...]
    kernel: NDArray[np.float32] | None = None
    bias: NDArray[np.float32] | None = None
    is_8_bit: bool = False
    sources: tuple[int, ...] = (IMAGE,)

    @property
    def kind(self) -> str:
        """The kind of layer that it carries out; its own name where that is none of the lab's."""
        return OP_KINDS.get(self.name, self.name)

    @property
    def title(self) -> str:
        """What it is called on the pages."""
        return OP_TITLES.get(self.name, self.name.lower())

    @property
    def activation(self) -> str:
        """What is done to its result at once: ``relu`` …, or empty."""
        return self.operation.activation

    @property
    def activation_title(self) -> str:
        """What that is called on the pages."""
        known = ACTIVATIONS.get(self.activation)
        return known.title if known else self.activation

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
        if self.kind == "Conv2D" and self.kernel is not None:
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
        sources = _sources(found, shown, tensors)
        self.steps = tuple(
            replace(_step(self._interpreter, item, tensors), sources=before)
            for item, before in zip(shown, sources, strict=True)
        )
        if [step.kind for step in self.steps[-2:]] != ["Dense", "Softmax"]:
            raise unfit(name, "it does not end in a dense layer and a softmax")
        self._source, self._batch = int(source["index"]), 1
        self._read = [_data(item, tensors)[0] for item in shown]
        self._made = [item.output for item in shown]
        logits = len(shown) - 2
        (before,) = self.steps[logits].sources
        if before == IMAGE or len(self.steps[before].shape) != 1:
            raise unfit(name, "nothing flat comes before its last dense layer")
        self._logits, self._features = self._made[logits], self._made[before]
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


_PER_CHANNEL = ("MaxPooling2D", "SCALE", "SHIFT")
"""What leaves each channel a map of its own numbers."""


def _answers_of_convolutions(steps: Sequence[Step]) -> list[int]:
    """Returns for every convolution the step behind which its answer stands.

    That is the activation that goes with it alone, or itself where there is none.
    """
    return [_answer(steps, at) for at, step in enumerate(steps) if step.kind == "Conv2D"]


def _answer(steps: Sequence[Step], start: int) -> int:
    at = start
    for place, step in enumerate(steps if not steps[start].activation else ()):
        if step.sources == (at,) and step.kind == "Activation":
            return place
        if step.sources == (at,) and step.kind in _PER_CHANNEL:
            at = place
    return start


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
    return _is_of_image(made) and made["dtype"] is np.float32 and operation.name != "CAST"


def _step(
    interpreter: Interpreter, operation: Operation, tensors: Mapping[int, dict[str, Any]]
) -> Step:
    read = _data(operation, tensors)
    name = _WITH_CONSTANTS.get(operation.name, operation.name) if len(read) == 1 else operation.name
    shape, read_shape = (
        tuple(int(side) for side in tensors[index]["shape_signature"][1:])
        for index in (operation.output, read[0])
    )
    step = Step(name, shape, operation, read_shape)
    if step.kind not in ("Conv2D", "Dense"):
        return step
    _, kernel, *bias = operation.inputs
    values = _scaled_back(interpreter, tensors[kernel])
    axes = (1, 2, 3, 0) if step.kind == "Conv2D" else (1, 0)  # LiteRT: outputs first
    return replace(
        step,
        kernel=np.ascontiguousarray(values.transpose(axes)),
        bias=interpreter.get_tensor(bias[0]) if bias and bias[0] >= 0 else None,
        is_8_bit=tensors[kernel]["dtype"] is np.int8,
    )


def _data(operation: Operation, tensors: Mapping[int, dict[str, Any]]) -> list[int]:
    """Returns the tensors of the image that an operation reads: no weights, axes or shapes."""
    return [index for index in operation.inputs if index >= 0 and _is_of_image(tensors[index])]


def _is_of_image(detail: dict[str, Any]) -> bool:
    """Says whether a tensor has a row for each image of a batch."""
    signature = detail["shape_signature"]
    return len(signature) in (2, 4) and signature[0] == -1


def _sources(
    operations: Sequence[Operation], shown: Sequence[Operation], tensors: Mapping[int, Any]
) -> list[tuple[int, ...]]:
    """Returns for each shown operation those it reads, through what is not shown between them."""
    made_by = {item.output: item for item in operations}
    places = {item.output: place for place, item in enumerate(shown)}

    def places_behind(tensor: int) -> list[int]:
        if tensor in places:
            return [places[tensor]]
        before = _data(made_by[tensor], tensors) if tensor in made_by else []
        return [place for index in before for place in places_behind(index)] or [IMAGE]

    return [
        tuple(dict.fromkeys(at for index in _data(item, tensors) for at in places_behind(index)))
        for item in shown
    ]


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
