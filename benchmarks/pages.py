"""The part ``pages``: start, reruns, memory and live ticks of the web process.

A visitor without a screen speaks the server's own protocol, so everything up to the browser's
drawing is inside: the script, its caches, the messages on the wire.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import percentile, summarise
from benchmarks.turns import Pace
from benchmarks.web import Server
from cifar_core.jobs.lock import Lock, try_lock
from cifar_core.runs.folder import MetricRow, RunFolder, State, Status
from cifar_core.settings import current
from tools.fabricate import Fake, fabricate

LIVE_EPOCHS = 100
LIVE_DONE = 60
ROWS_PER_EPOCH = 10
STARTS = 3


def measure(pace: Pace) -> dict[str, Any]:
    """Returns the figures of the web process, with fabricated runs on disk."""
    with tempfile.TemporaryDirectory() as path:
        runs_dir = Path(path)
        live, lock = _fabricate(runs_dir, pace.runs)
        environ = {"CIFAR_LAB_RUNS": path, "CIFAR_LAB_DATA": str(current().data_dir)}
        with lock:
            starts = [_start(environ) for _ in range(min(STARTS, pace.turns))]
            figures = _visit(environ, live, reruns=pace.reruns)
    return {
        "runs": pace.runs,
        "start_to_content_seconds": summarise([content for content, _ in starts]),
        "start_to_whole_page_seconds": summarise([whole for _, whole in starts]),
        **figures,
    }


def _start(environ: dict[str, str]) -> tuple[float, float]:
    """Returns the seconds from the server's start to content and to the whole first page."""
    with Server(environ) as server:
        visitor = server.visit()
        waited = time.perf_counter() - server.began
        answer = visitor.open()
        visitor.close()
    return waited + answer.content_seconds, waited + answer.seconds


def _visit(environ: dict[str, str], live: str, *, reruns: int) -> dict[str, Any]:
    with Server(environ) as server:
        visitor = server.visit()
        pages = visitor.open().pages
        measured: dict[str, Any] = {}
        for name, page in pages.items():
            first = visitor.open(page)
            again = [visitor.open(page) for _ in range(reruns)]
            took = [answer.seconds for answer in again]
            measured[name or "overview"] = {
                "first_seconds": first.seconds,
                "median_seconds": percentile(took, 0.5),
                "p95_seconds": percentile(took, 0.95),
                "sent_bytes": again[-1].sent_bytes,
                "errors": first.errors,
            }
        query = f"run={live}"
        ticks = visitor.open(pages["train"], query).ticks
        told = [
            (pause, [visitor.tick(fragment, pages["train"], query) for _ in range(reruns)])
            for fragment, pause in ticks.items()
        ]
        visitor.close()
        memory = server.resident_bytes()
    return {
        "pages": measured,
        "worst_p95_seconds": max(page["p95_seconds"] for page in measured.values()),
        "resident_bytes": memory,
        "tick": {
            "epochs_shown": LIVE_DONE,
            "fragments": [
                {
                    "every_seconds": pause,
                    "sent_bytes": percentile([answer.sent_bytes for answer in answers], 0.5),
                    "seconds": summarise([answer.seconds for answer in answers]),
                }
                for pause, answers in told
            ],
        },
    }


def _fabricate(runs_dir: Path, count: int) -> tuple[str, Lock]:
    """Writes finished runs and one that seems to live; returns its name and its held lock."""
    for number in range(count - 1):
        network = ("cnn4", "cnn6")[number % 2]
        recipe = ("standard", "standard", "tutorial-repaired")[number % 3]
        fabricate(
            runs_dir,
            Fake(
                run_id=f"{network}-{recipe}-{number:08x}",
                network=network,
                recipe=recipe,
                epochs=3,
                accuracy=0.6 + 0.3 * number / count,
                seed=number,
                created_at=1_795_000_000.0 + 600 * number,
            ),
        )
    name = "cnn4-standard-11111111"
    folder = fabricate(
        runs_dir,
        Fake(
            run_id=name,
            epochs=LIVE_EPOCHS,
            done=LIVE_DONE,
            state=State.RUNNING,
            created_at=1_796_000_000.0,
        ),
    )
    _add_steps(folder)
    lock = try_lock(folder.lock_path)
    assert lock is not None
    return name, lock


def _add_steps(folder: RunFolder) -> None:
    """Gives the living run the rows between the epochs and a heartbeat that stays fresh."""
    rows: list[MetricRow] = []
    for end in folder.read_metrics():
        for part in range(1, ROWS_PER_EPOCH):
            epoch = round(end.epoch - 1 + part / ROWS_PER_EPOCH, 4)
            rows.append(
                dataclasses.replace(
                    end,
                    kind="step",
                    epoch=epoch,
                    epoch_seconds=None,
                    monitored_loss=None,
                    monitored_accuracy=None,
                )
            )
        rows.append(end)
    folder.metrics_path.unlink()
    folder.append_metrics(rows)
    status = folder.read_status()
    assert isinstance(status, Status)
    ahead = time.time() + 3600  # nobody beats for it, and it must not look stalled
    folder.write_status(dataclasses.replace(status, heartbeat_at=ahead, ended_at=None))
