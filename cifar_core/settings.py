"""Folders, limits and switches, read from the environment in this one place.

Importing this module reads nothing; :func:`current` does, each time it is called, so a test
or a server decides by setting variables before it asks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cifar_core.errors import LabError

PROJECT_DIR = Path(__file__).resolve().parent.parent

MAX_UPLOAD_BYTES = 10 * 1024 * 1024
"""Largest picture file accepted; equals ``server.maxUploadSize`` in .streamlit/config.toml."""

MAX_SESSION_UPLOAD_BYTES = 100_000_000
"""What one visitor's uploads may have together while they look at them."""

MAX_ALL_UPLOAD_BYTES = 500_000_000
"""What the uploads of all visitors may have together."""

STALLED_AFTER_SECONDS = 30.0
"""A running worker that has said nothing for so long is shown as stalled."""


_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")

_QUOTES = "\"'“”‘’"
"""Marks that no path begins or ends with; some files of variables keep those around a value."""


@dataclass(frozen=True)
class Settings:
    """Where things lie and what is allowed.

    Attributes:
        data_dir: Folder of the full dataset (may be missing).
        runs_dir: Folder with one folder per run (made on first use).
        models_dir: Folder of the shipped runs.
        feedback_dir: Folder of what people said of answers (made on first use).
        read_only: A public demo: looking and classifying only.
        operators: Who may change something where people sign in; nobody named means that
            whoever reaches the lab may.
        serving_threads: Threads LiteRT may use in the web process.
    """

    data_dir: Path
    runs_dir: Path
    models_dir: Path
    feedback_dir: Path
    read_only: bool = False
    operators: frozenset[str] = frozenset()
    serving_threads: int = 1


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns an environment in which ``python -m`` finds the lab, whatever Python is told.

    ``PYTHONSAFEPATH`` takes the working folder off the path.
    """
    paths = [str(PROJECT_DIR), *filter(None, [environ.get("PYTHONPATH", "")])]
    return {**environ, "PYTHONPATH": os.pathsep.join(paths)}


def current(environ: Mapping[str, str] | None = None) -> Settings:
    """Returns the settings the environment asks for.

    Args:
        environ: The variables to read; the process's own by default. Known are
            ``CIFAR_LAB_DATA``, ``CIFAR_LAB_RUNS``, ``CIFAR_LAB_MODELS``,
            ``CIFAR_LAB_FEEDBACK`` (folders),
            ``CIFAR_LAB_READONLY`` (``1`` or ``true`` for a public demo), ``CIFAR_LAB_OPERATORS``
            (addresses or account marks, commas between) and ``CIFAR_LAB_SERVING_THREADS``.

    Raises:
        LabError: A variable names no folder, or is neither yes nor no.
    """
    env = os.environ if environ is None else environ

    def folder(variable: str, default: str) -> Path:
        value = env.get(variable, "").strip()
        if not value:
            return PROJECT_DIR / default
        if value[0] in _QUOTES or value[-1] in _QUOTES:
            raise LabError(
                f"{variable} has quotes in its value: {value}.",
                expected="A path without quotes around it.",
                remedy=f"Leave them out: {variable}={value.strip(_QUOTES) or default}",
            )
        try:
            return Path(value).expanduser().resolve()
        except (RuntimeError, OSError) as error:  # a person who is unknown, a loop of links
            raise LabError(
                f"{variable} names no folder: {value!r} ({error}).",
                expected="A path, absolute or from the working folder; ~ is the home folder.",
                remedy=f"Correct {variable} or leave it out.",
            ) from error

    asked = env.get("CIFAR_LAB_READONLY", "").strip().lower()
    if asked not in (*_YES, *_NO):
        raise LabError(
            f"CIFAR_LAB_READONLY is {asked!r}.",
            expected="1, true, yes or on for a lab to look at; 0, false, no or off for one to use.",
            remedy="Correct CIFAR_LAB_READONLY or leave it out.",
        )
    operators = (name.strip() for name in env.get("CIFAR_LAB_OPERATORS", "").split(","))
    threads = env.get("CIFAR_LAB_SERVING_THREADS", "").strip()
    return Settings(
        data_dir=folder("CIFAR_LAB_DATA", "data"),
        runs_dir=folder("CIFAR_LAB_RUNS", "runs"),
        models_dir=folder("CIFAR_LAB_MODELS", "models"),
        feedback_dir=folder("CIFAR_LAB_FEEDBACK", "feedback"),
        read_only=asked in _YES,
        operators=frozenset(name.lower() if "@" in name else name for name in operators if name),
        serving_threads=int(threads) if threads.isdecimal() and int(threads) > 0 else 1,
    )
