"""A network is opened in a process of its own first: LiteRT may crash on a file that is no network.

LiteRT is C++ that trusts its file: a few bytes of the wrong kind end the process that opens it. So
whoever would load a file has it tried by a child, once for each digest in a process. The networks
that came with the lab lie beside its own code and are trusted as that is.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cifar_core.dataset import CIFAR10
from cifar_core.errors import ModelError
from cifar_core.settings import PROJECT_DIR, child_environment

PATIENCE_SECONDS = 120.0
"""A network that has not answered by then is refused; those of the lab take a tenth of a second."""

MEMORY_BYTES = 16 * 2**30
"""Address space of the child: a network that asks for more is none of the lab's."""

MODULE = ("-m", "cifar_core.inference.trial")
"""What the child runs."""


class _Outcome:
    """What was wrong with a file, empty if nothing; None until somebody has tried it."""

    def __init__(self) -> None:
        self.trying = threading.Lock()
        self.fault: str | None = None


@functools.lru_cache(maxsize=4096)
def _outcome(_digest: str) -> _Outcome:
    return _Outcome()


def try_out(content: bytes, path: Path) -> None:
    """Has a child open and ask a network, unless that was done before.

    Args:
        content: The bytes that will be loaded.
        path: Where they are from.

    Raises:
        ModelError: The child was ended by them, or did not answer.
    """
    if path.resolve().is_relative_to(PROJECT_DIR / "models"):
        return
    outcome = _outcome(hashlib.sha256(content).hexdigest())
    with outcome.trying:
        if outcome.fault is None:
            outcome.fault = _try(content, path)
    if outcome.fault:
        raise ModelError(
            f"The trained network {path.name} cannot be used: {outcome.fault}.",
            expected="A network that LiteRT can open and ask.",
            remedy="Restore the file from where it came, or train the run again.",
        )


def _try(content: bytes, path: Path) -> str:
    """Returns what is wrong with a network, empty if nothing.

    Raises:
        ModelError: The machine, not the file, kept the child from answering: try again.
    """
    try:
        child = subprocess.run(
            [sys.executable, *MODULE],
            input=content,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=PROJECT_DIR,
            env=child_environment(os.environ),
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not answer within {PATIENCE_SECONDS:.0f} s"
    except OSError as error:
        raise _untried(path, f"no process could be started ({error.strerror})") from error
    if child.returncode == -signal.SIGKILL:  # the system's own way to make room
        raise _untried(path, "the process was killed from outside")
    return "it ends the process that opens it" if child.returncode else ""


def _untried(path: Path, why: str) -> ModelError:
    return ModelError(
        f"The trained network {path.name} could not be tried: {why}.",
        expected="A process of its own that opens it first, in a tenth of a second or so.",
        remedy="Try again when the machine is less busy.",
    )


def _limit(kind: int, most: int) -> None:
    """Lowers a limit of this process, as far as the system has it."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with contextlib.suppress(OSError, ValueError):  # macOS has no limit of the address space
        resource.setrlimit(kind, (most, most))


def main() -> None:
    """Opens and asks the network on standard input, as the lab does; ends with 0 if it survives.

    A refusal is no fault here: whoever loads the file finds the same and says it in a sentence.
    """
    from cifar_core.inference.classifier import BATCH_PICTURES, ask_alone

    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    content = sys.stdin.buffer.read()
    shape = CIFAR10.image_shape
    with contextlib.suppress(Exception):
        shape = _image_shape(content)
    draw = np.random.default_rng(1)
    for count in (1, BATCH_PICTURES):
        pictures = draw.integers(0, 256, (count, *shape), dtype=np.uint8)
        for ask in (ask_alone, _ask_for_everything):
            with contextlib.suppress(Exception):
                ask(content, pictures)


def _image_shape(content: bytes) -> tuple[int, int, int]:
    """Returns what a network takes; whoever loads it gives it nothing else."""
    from cifar_core.inference.litert_ops import open_interpreter

    (source,) = open_interpreter(content, 1).get_input_details()
    height, width, channels = (int(size) for size in source["shape"][1:])
    return height, width, channels


def _ask_for_everything(content: bytes, pictures: NDArray[np.uint8]) -> None:
    """Reads all that a network makes of some pictures, as the page Networks does."""
    from cifar_core.inference.litert_ops import open_interpreter

    interpreter = open_interpreter(content, 1)
    (source,) = interpreter.get_input_details()
    interpreter.resize_tensor_input(int(source["index"]), list(pictures.shape))
    interpreter.allocate_tensors()
    interpreter.set_tensor(int(source["index"]), pictures)
    interpreter.invoke()
    for detail in interpreter.get_tensor_details():
        with contextlib.suppress(ValueError):  # some have no numbers
            interpreter.get_tensor(int(detail["index"]))


if __name__ == "__main__":
    main()
    # What LiteRT left behind is not tidied up: a crash at the end would count against the file.
    os._exit(0)
