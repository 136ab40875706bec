"""Folders of runs that hold anything: pipes, devices, links, absurd values. Read in a process.

Run as ``python -m tests.runs.hostile_folders FOLDER``; prints how many folders it tried and ends
with status 1 and their names where reading one ended in anything but a result or three answers.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cifar_core import services
from cifar_core.errors import LabError
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.runs import digests, manager, reading, results
from cifar_core.runs.folder import RunFolder, State
from cifar_core.runs.reading import Run
from cifar_core.runs.watch import MetricsWatch, RunsWatch
from tools.fabricate import Fake, fabricate

NAMES = (
    *("recipe.json", "status.json", "label.json", "metrics.jsonl", "evaluation.json"),
    *("manifest.json", "predictions", "test_predictions.npy", "model.tflite", "worker.log"),
    *("lock", "identity", "network.json"),
)
TEXTS = {
    "empty": b"",
    "zeros": b"\0" * 4096,
    "null": b"null",
    "list": b"[1]",
    "deep": b"[" * 300_000,
    "long": b'{"name": "' + b"x" * 2_000_000 + b'"}',
    "huge number": b'{"state": ' + b"9" * 5000 + b"}",
}
TEMPERATURES: tuple[Any, ...] = (0, -1, float("nan"), float("inf"), "1", True, [], {}, 1e300, -0.0)
SMALL: dict[str, Any] = {"epochs": 2, "done": 2, "changes": {"validation_pictures": 100}}


def irregular(path: Path, kind: str) -> None:
    """Puts something that is no file at a path."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        before = Path.cwd()
        os.chdir(path.parent)  # the address of a socket is short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
        os.chdir(before)
    elif kind == "folder":
        (path / "inner").mkdir(parents=True)
    elif kind == "loop":
        path.symlink_to(path.name)
    else:
        path.symlink_to(kind)  # a device


def tables() -> Iterator[tuple[str, bytes]]:
    """Yields absurd files in the place of test_predictions.npy."""
    right = np.full((10_000, 10), 0.1, np.float16)
    for name, array in {
        "nan": np.where(np.arange(10) == 3, np.nan, right),
        "negative": right - np.float16(1),
        "above one": right * 20,
        "double": right.astype(np.float64),
        "text": right.astype("S5"),
        "flat": right.reshape(-1),
        "columns": np.asfortranarray(right),
        "complex": right.astype(complex),
        "objects": np.array([{"a": 1}] * 5, dtype=object),
    }.items():
        file = io.BytesIO()
        np.save(file, array, allow_pickle=True)
        yield name, file.getvalue()
    for name, shape in (("terabytes", (10**12, 10)), ("minus", (-1, 10)), ("bomb", (10,) * 60)):
        head = f"{{'descr': '<f2', 'fortran_order': False, 'shape': {shape}, }}".encode()
        yield name, b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head
    yield "huge head", b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b"{" * 100
    yield "wide head", b"\x93NUMPY\x01\x00" + struct.pack("<H", 65_000) + b"(" * 65_000
    yield "code", b"\x93NUMPY\x01\x00" + struct.pack("<H", 21) + b"__import__('os').exit"


def cases(finished: Path, ended: Path) -> Iterator[tuple[str, Path, Callable[[Path], None]]]:
    """Yields a name, what it begins from, and what breaks the copy."""
    for base in (finished, ended):
        for name in NAMES:
            for kind in ("pipe", "socket", "folder", "loop", "/dev/zero", "/dev/full"):
                yield f"{name} {kind}", base, partial(replace, name, kind)
            for kind, text in TEXTS.items():
                yield f"{name} {kind}", base, partial(put, name, text)
    for value in TEMPERATURES:
        yield f"temperature {value}", finished, partial(change, {"temperature": value})
    for key in ("accuracy", "interval", "confusion_matrix", "pictures", "training", "split"):
        for figure in (None, -1, 7.5, "x", [], [[1]], 10**400):
            yield (
                f"{key} {str(figure)[:9]}",
                finished,
                partial(change, {key: figure}),
            )
    for kind, data in tables():
        yield f"table {kind}", finished, partial(put, "test_predictions.npy", data)
    for kind, data in (("nan", b"\xff" * 4000), ("noise", bytes(range(256)) * 32)):
        yield f"predictions {kind}", finished, partial(put, "predictions", data)


def replace(name: str, kind: str, folder: Path) -> None:
    path = folder / name
    path.unlink(missing_ok=True)
    irregular(path, kind)


def write(path: Path, data: bytes) -> None:
    """Writes a file and has the manifest say that the run wrote it."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    if path.name != digests.MANIFEST_NAME and (path.parent / digests.MANIFEST_NAME).exists():
        digests.record(path.parent, [path])


def put(name: str, data: bytes, folder: Path) -> None:
    write(folder / name, data)


def change(figures: dict[str, Any], folder: Path) -> None:
    path = folder / digests.EVALUATION_NAME
    write(path, json.dumps({**json.loads(path.read_bytes()), **figures}).encode())


def readings(runs_dir: Path) -> Iterator[Callable[[], object]]:
    """Yields everything that pages and the command line ask of the run “one”."""
    folder = RunFolder(runs_dir / "one")
    watch, metrics = RunsWatch(runs_dir), MetricsWatch(folder)
    yield lambda: reading.list_runs(runs_dir)
    yield watch.look
    yield lambda: reading.find_unlisted(runs_dir)
    yield metrics.read
    yield folder.read_metrics
    yield folder.read_manifest
    yield folder.read_label
    yield folder.read_identity
    yield lambda: services.read_log("one")
    yield services.list_models
    for read in (
        lambda run: expect_measured(services.read_evaluation(run)),
        lambda run: expect_probabilities(services.read_predictions(run)),
        lambda run: expect_probabilities(services.read_test_predictions(run)),
        services.open_model,
        results.answers_every,
        lambda run: services.read_course(run, services.read_predictions(run), [3, 1]),
        lambda run: (run.name, run.reason, run.remedy, manager.position(runs_dir, run)),
    ):
        yield partial(ask_of_the_run, read)
    yield lambda: manager.stop(runs_dir, "one")
    yield lambda: manager.relabel(runs_dir, "one", name="another")


def expect_probabilities(given: results.Predictions) -> None:
    assert np.isfinite(given.probabilities).all()
    assert given.probabilities.min() >= 0
    assert np.abs(given.probabilities.sum(axis=1) - 1).max() < 0.1


def expect_measured(figures: Evaluation | None) -> None:
    if figures is not None and figures.temperature is not None:
        assert 0 < figures.temperature < 1e6


def ask_of_the_run(read: Callable[[Run], object]) -> object:
    return read(services.read_run("one"))


def faults_of(runs_dir: Path) -> list[str]:
    """Reads everything of a run and returns what was no result and no refusal in three answers."""
    found = []
    for ask in readings(runs_dir):
        try:
            ask()
        except LabError as error:
            if not (error.what and error.remedy):
                found.append(f"no remedy: {error}")
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            found.append(f"{type(error).__name__}: {str(error)[:200]}")
    if len(services.list_runs()[0].label.name) > 80:
        found.append("a long name")
    return found


def main(place: Path) -> int:
    os.environ.update(CIFAR_LAB_RUNS=str(place / "runs"), CIFAR_LAB_MODELS=str(place / "none"))
    base = place / "base"
    finished = fabricate(base, Fake(run_id="finished", **SMALL)).path
    ended = fabricate(base, Fake(run_id="ended", state=State.RUNNING, **SMALL)).path
    for path in (finished, ended):
        write(path / "model.tflite", b"no network")
    tried, wrong = 0, []
    for name, begin, breaking in cases(finished, ended):
        folder = place / "runs" / "one"
        shutil.rmtree(place / "runs", ignore_errors=True)
        shutil.copytree(begin, folder)
        breaking(folder)
        tried += 1
        wrong += [f"{begin.name}, {name}: {fault}" for fault in faults_of(place / "runs")]
    print(json.dumps({"tried": tried, "wrong": wrong}))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
