"""How long each step of a served network takes, measured with what serves it.

LiteRT's Python package has no profiler. So every operation is cut out of the file as a network
of its own, given what it reads of a real picture, and run alone, one thread, again and again. The
whole network is timed in the same rounds, so that the sum of the parts can be checked against it.

What is measured is processor time: a busy neighbour does not lengthen it, as it would the time
on a clock.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cifar_core.decoding import Count, Time
from cifar_core.inference.litert_ops import is_shown, open_interpreter
from cifar_core.inference.operations import parse, read_operations

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

ROUNDS = 40
BLOCK_SECONDS = 0.002
"""A round runs each part for about so long, so that the clock's own grain does not show."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Processor times of one network on one machine, for one picture: medians over the rounds.

    Attributes:
        step_ms: Milliseconds of each step, in the order of ``LayerInspector.ops``.
        other_ms: Of everything that is no step: casts and shapes.
        whole_ms: Of the whole network in one go.
        rounds: How often each was measured.
        threads: Threads LiteRT used.
        device: The processor's name.
        litert: LiteRT's version.
        measured_at: When, in seconds since 1970.
        sha256: Digest of the network's file.
    """

    step_ms: tuple[Time, ...]
    other_ms: Time
    whole_ms: Time
    rounds: Count
    threads: Count
    device: str
    litert: str
    measured_at: Time
    sha256: str

    def to_json(self) -> dict[str, Any]:
        """Returns the times as plain values, ready for JSON."""
        return dataclasses.asdict(self)


def measure(
    content: bytes, picture: NDArray[np.uint8], *, device: str, sha256: str, rounds: int = ROUNDS
) -> Timing:
    """Measures a network, one thread, in a few seconds.

    Args:
        content: The file that serves it.
        picture: (32, 32, 3) uint8 to compute.
        device: The processor's name, to be noted.
        sha256: Digest of the file, to be noted.
        rounds: How often each part is measured.

    Raises:
        ValueError: The file is no such network.
        RuntimeError: LiteRT cannot run a part of it alone.
    """
    whole = _plain(content)
    (source,) = whole.get_input_details()
    whole.set_tensor(int(source["index"]), picture[np.newaxis])
    seen = open_interpreter(content, 1)
    seen.allocate_tensors()
    seen.set_tensor(int(source["index"]), picture[np.newaxis])
    seen.invoke()
    tensors = {int(item["index"]): item for item in seen.get_tensor_details()}
    operations = read_operations(content)
    parts = [_alone(content, place, seen) for place in range(len(operations))]
    times = _time([whole.invoke, *(part.invoke for part in parts)], rounds)
    steps = [is_shown(operation, tensors) for operation in operations]
    return Timing(
        step_ms=tuple(ms for ms, shown in zip(times[1:], steps, strict=True) if shown),
        other_ms=sum(ms for ms, shown in zip(times[1:], steps, strict=True) if not shown),
        whole_ms=times[0],
        rounds=rounds,
        threads=1,
        device=device,
        litert=version("ai-edge-litert"),
        measured_at=time.time(),
        sha256=sha256,
    )


def _time(works: list[Callable[[], None]], rounds: int) -> list[float]:
    """Returns the median milliseconds of each work; rounds are interleaved, noise meets all."""
    repeats = []
    for work in works:
        work()  # the first call prepares
        start = time.process_time()
        for _ in range(3):
            work()
        repeats.append(max(1, round(3 * BLOCK_SECONDS / (time.process_time() - start))))
    measured = np.empty((rounds, len(works)))
    for line in measured:
        for place, (work, count) in enumerate(zip(works, repeats, strict=True)):
            start = time.process_time()
            for _ in range(count):
                work()
            line[place] = (time.process_time() - start) / count
    return [float(ms) for ms in 1000 * np.median(measured, axis=0)]


def _alone(content: bytes, place: int, seen: Interpreter) -> Interpreter:
    """Returns one operation as a network of its own, given what it reads."""
    part = _plain(cut(content, place))
    for item in part.get_input_details():
        # Tensors keep their numbers when the others are cut away.
        index = int(item["index"])
        value = seen.get_tensor(index)
        if list(item["shape"]) != list(value.shape):
            part.resize_tensor_input(index, list(value.shape))
            part.allocate_tensors()
        part.set_tensor(index, value)
    return part


def cut(content: bytes, place: int) -> bytes:
    """Returns a LiteRT file that holds one operation of another and nothing else.

    Args:
        content: The whole network's file.
        place: Which operation, from 0.
    """
    import flatbuffers

    model = parse(content)
    graph = model.subgraphs[0]
    operation = graph.operators[place]
    reads = [int(index) for index in operation.inputs if index >= 0]
    constant = {index for index in reads if _has_data(model, graph.tensors[index])}
    kept = {graph.tensors[index].buffer for index in constant}
    for number, buffer in enumerate(model.buffers):
        if number not in kept:
            buffer.data = None
    graph.operators = [operation]
    graph.inputs = list(dict.fromkeys(index for index in reads if index not in constant))
    graph.outputs = list(operation.outputs)
    model.signatureDefs = None
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _has_data(model: Any, tensor: Any) -> bool:
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def _plain(content: bytes) -> Interpreter:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    return interpreter
