"""What surrounds a training and changes the bits it computes: variables, threads, a home folder.

A worker starts in somebody's environment. What of it changes arithmetic is taken away or chosen,
recorded in the run's checkpoint, and chosen again when the run goes on: the number of threads too,
which does not depend on how many cores there are by then.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path

from cifar_core.errors import RunError
from cifar_core.runs.devices import usable_cores

BACKENDS = ("tensorflow", "jax")
"""Keras backends that trainings run on, the default first."""

THREADS: Mapping[str, str] = {"tensorflow": "TF_NUM_INTRAOP_THREADS", "jax": "NPROC"}
"""The variable that says how many threads compute one operation on the CPU, by backend."""

KEPT = (*THREADS.values(), "TF_NUM_INTEROP_THREADS", "TF_ENABLE_ONEDNN_OPTS", "XLA_FLAGS")
"""Variables that change arithmetic and stay the person's choice: recorded when a run begins."""

_HARMLESS = re.compile(
    r"KERAS_BACKEND|JAX_PLATFORMS|JAX_COMPILATION_CACHE_DIR|TF_CPP_.*|TF_FORCE_GPU_ALLOW_GROWTH"
    r"|TF_GPU_ALLOCATOR|XLA_PYTHON_CLIENT_.*"
)
_STRAY = re.compile(
    r"(TF|TF2|XLA|JAX|KERAS|OMP|GOMP|KMP|MKL|DNNL|ONEDNN|OPENBLAS|GOTO|BLIS|EIGEN|NPY|CUDNN|CUBLAS"
    r"|NVIDIA|AUTOGRAPH)_.*"
)


def check_backend(environ: Mapping[str, str]) -> str:
    """Returns the Keras backend that the environment asks for.

    Raises:
        RunError: Trainings do not run on it; names those that are possible here.
    """
    asked = environ.get("KERAS_BACKEND", "").strip()
    if not asked:
        return BACKENDS[0]
    if asked not in BACKENDS:
        here = [name for name in BACKENDS if importlib.util.find_spec(name)]
        raise RunError(
            f"KERAS_BACKEND asks for “{asked[:80]}”.",
            expected=f"Trainings run on tensorflow or jax. Installed here: {', '.join(here)}.",
            remedy="Set KERAS_BACKEND to one of these, or leave it out; then try again.",
        )
    return asked


def clear(environ: MutableMapping[str, str], keras_home: Path) -> list[str]:
    """Takes away what a person's environment would change; to be called before NumPy is imported.

    Keras gets a home of its own: ``~/.keras/keras.json`` may turn the axes of images, the
    precision, the backend.

    Returns:
        The names of the variables that were taken away.
    """
    stray = [
        name
        for name in sorted(environ)
        if name not in KEPT and _STRAY.fullmatch(name) and not _HARMLESS.fullmatch(name)
    ]
    for name in stray:
        del environ[name]
    environ["KERAS_HOME"] = str(keras_home)
    return stray


def settle(environ: MutableMapping[str, str], recorded: Mapping[str, str]) -> None:
    """Chooses what changes the bits: as recorded when the run began, or else as asked for.

    Args:
        environ: The worker's variables, changed here; neither backend is imported yet.
        recorded: Of the run's checkpoint; empty when it begins.

    Raises:
        RunError: The environment asks for a backend that there is not.
    """
    environ["KERAS_BACKEND"] = check_backend(environ)
    for name in KEPT:
        if recorded.get(name):
            environ[name] = recorded[name]
        elif name in recorded:
            environ.pop(name, None)
    for name in THREADS.values():
        if not _is_count(environ.get(name, "")):
            environ[name] = str(usable_cores())


def observe(environ: Mapping[str, str], device_name: str) -> dict[str, str]:
    """Returns what the bits of a training depend on here: variables, device and versions."""
    packages = ("keras", "numpy", check_backend(environ))
    found = {name: environ.get(name, "") for name in KEPT}
    return {**found, "device": device_name, **{name: _version(name) for name in packages}}


def differences(recorded: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Says that a run will not be to the bit as without its pause, and why; empty if it will."""
    unlike = [
        f"{name} was {value or 'not set'} and is {now.get(name) or 'not set'}"
        for name, value in recorded.items()
        if now.get(name, "") != value
    ]
    if not unlike:
        return ""
    return f"Not to the bit as it would be without its pause: {'; '.join(unlike)}."


def threads(environ: Mapping[str, str]) -> int:
    """Returns how many threads compute one operation on the CPU."""
    asked = environ.get(THREADS[check_backend(environ)], "").strip()
    return int(asked) if _is_count(asked) else usable_cores()


def from_threads(count: int) -> dict[str, str]:
    """Returns as a record what an earlier version of the lab knew: the number of threads."""
    return dict.fromkeys(THREADS.values(), str(count)) if count > 0 else {}


def told(stray: Sequence[str]) -> str:
    """Returns the line of the log about variables that were taken away."""
    return f"left out of the environment, for they change what is computed: {', '.join(stray)}"


def _is_count(text: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,3}", text.strip()) is not None


def _version(package: str) -> str:
    """Returns a package's version, also when another distribution brings it."""
    for name in (package, f"{package}-cpu", f"{package}_cpu"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "unknown"
