"""``make load``: many visitors at once, very many in a row, and very many runs.

``python -m benchmarks.load [C1 C2 C4]`` prints what it finds. Visitors speak the server's own
protocol as a browser does (:mod:`benchmarks.web`), so the script, its caches and the wire are
inside, the browser's drawing is not. A measurement of all three writes the table into
docs/reliability.md. Ends with status 1 when a promise did not hold.
"""

# ruff: noqa: S311, T201 - chance protects nothing here, and a command prints

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.crowd import Log, come_and_go, spread, walk
from benchmarks.figures import percentile
from benchmarks.load_table import Row, write
from benchmarks.web import Server
from cifar_core.recipes import recipe
from cifar_core.runs import manager, reading
from cifar_core.runs.folder import RunFolder
from cifar_core.settings import current
from tools.fabricate import Fake, damage, fabricate

MEGABYTE = 1e6
SESSIONS = 50
MOST_PAGE_SECONDS, MOST_RERUN_SECONDS, MOST_LIST_SECONDS = 5.0, 2.0, 2.0
MOST_GROWTH_BYTES = 100 * MEGABYTE
TURNS = 20
WARM_SESSIONS = 300
"""Sessions before memory counts: the server keeps up to 128 that were left, for two minutes."""


class Memory(threading.Thread):
    """Looks at the memory of the server once a second and keeps the largest."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._ended = threading.Event()
        self.before = self.most = server.resident_bytes() or 0
        self.start()

    def run(self) -> None:
        """Looks until :meth:`end`."""
        while not self._ended.wait(1.0):
            self.most = max(self.most, self._server.resident_bytes() or 0)

    def end(self) -> float:
        """Returns by how many bytes the memory grew at most."""
        self._ended.set()
        self.join()
        return self.most - self.before


def visit_together(sessions: int) -> list[Row]:
    """C1: so many people walk through all pages while a network trains."""
    log = Log()
    with tempfile.TemporaryDirectory() as path, training(Path(path)) as run_id:
        environ = {"CIFAR_LAB_RUNS": path, "CIFAR_LAB_DATA": str(current().data_dir)}
        with Server(environ) as server:
            pages = warm(server, f"run={run_id}")
            memory, worked = Memory(server), server.processor_seconds() or 0.0
            began = time.monotonic()
            with ThreadPoolExecutor(sessions) as people:
                walks = [
                    people.submit(walk, server.port, pages, f"run={run_id}", log, seed)
                    for seed in range(sessions)
                ]
            for walk_ in walks:
                walk_.result()
            grown, minutes = memory.end(), (time.monotonic() - began) / 60
            worked = (server.processor_seconds() or 0.0) - worked
        trained = reading.read(Path(path), run_id)
    what = f"{sessions} sessions on all pages for {minutes:.0f} minutes while a network trains"
    worst_page, worst_rerun = percentile(log.pages, 0.95), percentile(log.reruns, 0.95)
    kept = len(log.failures) == 0 and trained.state.is_alive
    return [
        Row("C1", what, "all succeed", f"{log.tried - len(log.failures):,} of {log.tried:,}", kept),
        Row(
            "C1", f"a page opens (p95 of {len(log.pages):,})", f"< {MOST_PAGE_SECONDS:.0f} s",
            spread(log.pages), worst_page < MOST_PAGE_SECONDS,
        ),
        Row(
            "C1", f"a click is answered (p95 of {len(log.reruns):,})",
            f"< {MOST_RERUN_SECONDS:.0f} s", spread(log.reruns), worst_rerun < MOST_RERUN_SECONDS,
        ),
        Row(
            "C1", f"a live page refreshes itself (p95 of {len(log.ticks):,})", "",
            spread(log.ticks), True,
        ),
        Row(
            "C1", "processor time of the server for each of these, on average", "",
            f"{worked / max(1, log.tried):.2f} s", True,
        ),
        Row(
            "C1", "memory of the server beyond one visitor's, at most", "< 100 MB",
            f"{grown / MEGABYTE:.0f} MB", grown < MOST_GROWTH_BYTES,
        ),
    ]  # fmt: skip


def visit_in_a_row(sessions: int) -> list[Row]:
    """C2: so many people come one after the other, look at a page, and leave."""
    log = Log()
    draw = random.Random(1)
    with tempfile.TemporaryDirectory() as path, Server({"CIFAR_LAB_RUNS": path}) as server:
        pages = sorted(warm(server, "").items())
        memory = None
        for number in range(WARM_SESSIONS + sessions):
            if number == WARM_SESSIONS:
                memory = Memory(server)
            name, page = draw.choice(pages)
            log.take(log.pages, partial(come_and_go, server.port, page), name)
            if number % 500 == 0:
                held = (server.resident_bytes() or 0) / MEGABYTE
                print(f"     {number:6,} sessions, {held:.0f} MB", flush=True)
        assert memory is not None
        grown = memory.end()
    kept = not log.failures and grown <= MOST_GROWTH_BYTES
    return [
        Row(
            "C2", f"{sessions:,} sessions come and go; memory grows by at most", "≤ 100 MB",
            f"{grown / MEGABYTE:.0f} MB, {len(log.failures)} failures", kept,
        )
    ]  # fmt: skip


def visit_many_runs(runs: int) -> list[Row]:
    """C4: so many old runs, one in ten of them broken; the list, and every page."""
    log, listings = Log(), []
    with tempfile.TemporaryDirectory() as path:
        query = f"run={fabricate_many(Path(path), runs)}"
        for _ in range(TURNS):
            began = time.perf_counter()
            count = len(reading.list_runs(Path(path)))
            listings.append(time.perf_counter() - began)
            if count != runs:
                log.failures.append(f"{count} of {runs} runs listed")
        environ = {"CIFAR_LAB_RUNS": path, "CIFAR_LAB_DATA": str(current().data_dir)}
        with Server(environ) as server:
            pages = warm(server, query)
            by_page = {
                name or "first": visit_often(server, page, query, log)
                for name, page in pages.items()
            }
    worst = max(by_page, key=lambda name: percentile(by_page[name].seconds, 0.95))
    listed, opened = percentile(listings, 0.95), percentile(by_page[worst].seconds, 0.95)
    what = f"{runs:,} old runs, one in ten broken"
    return [
        Row(
            "C4", f"{what}: they are listed", "< 2 s", spread(listings),
            listed < MOST_LIST_SECONDS,
        ),
        Row(
            "C4", f"{what}: the slowest page of {len(pages)} opens", "< 2 s",
            f"{worst}: {spread(by_page[worst].seconds)}, of it {by_page[worst].processor:.2f} s at "
            f"work; {len(log.failures)} failures",
            opened < MOST_LIST_SECONDS and not log.failures,
        ),
    ]  # fmt: skip


@dataclass(frozen=True)
class Visits:
    """How long a page took.

    Attributes:
        seconds: Of each time it was opened.
        processor: Seconds of processor time for one opening, which others cannot make longer.
    """

    seconds: list[float]
    processor: float


def visit_often(server: Server, page: str, query: str, log: Log) -> Visits:
    """Opens a page again and again in one session."""
    visitor = server.visit()
    seconds: list[float] = []
    before = server.processor_seconds() or 0.0
    for _ in range(TURNS):
        log.take(seconds, partial(visitor.open, page, query), page)
    spent = (server.processor_seconds() or 0.0) - before
    visitor.close()
    return Visits(seconds, spent / TURNS)


def fabricate_many(runs_dir: Path, count: int) -> str:
    """Writes copies of four finished runs, breaks each tenth, and returns the newest whole one."""
    with tempfile.TemporaryDirectory(dir=runs_dir.parent) as path:
        patterns = [
            fabricate(Path(path), Fake(run_id=f"{network}-{seed}", network=network, seed=seed))
            for network in ("cnn4", "cnn6")
            for seed in (1, 2)
        ]
        draw = random.Random(1)
        for index in range(count):
            target = runs_dir / f"cnn4-standard-{index:08x}"
            run = RunFolder(shutil.copytree(patterns[index % 4].path, target, copy_function=_share))
            label = json.loads(run.label_path.read_text())
            label = {**label, "created_at": 1_780_000_000.0 + 600 * index, "name": f"Run {index}"}
            run.label_path.write_text(json.dumps(label))
            if index % 10 == 0:
                damage(run, draw)
    return target.name


def _share(source: str, target: str) -> str:
    """Copies a file; large ones, which nobody changes, are shared: 10,000 runs fit on a disk."""
    if Path(source).name in ("predictions", "test_predictions.npy"):
        os.link(source, target)
        return target
    return str(shutil.copy2(source, target))


def warm(server: Server, query: str) -> dict[str, str]:
    """Opens every page once, so that its modules are loaded; returns their script hashes."""
    visitor = server.visit()
    pages = visitor.open().pages
    for page in pages.values():
        visitor.open(page, query)
    visitor.close()
    return pages


@contextmanager
def training(runs_dir: Path) -> Iterator[str]:
    """Trains a network for as long as the ``with`` lasts; gives the run's identity."""
    run_id = manager.start(runs_dir, recipe("standard", "cnn4", epochs=1000), device="cpu")
    try:
        until = time.monotonic() + 300
        while reading.read(runs_dir, run_id).status.step < 3 and time.monotonic() < until:
            time.sleep(0.2)
        yield run_id
    finally:
        manager.stop(runs_dir, run_id)
        while reading.read(runs_dir, run_id).state.is_alive:
            time.sleep(0.2)


EXPERIMENTS: Mapping[str, Callable[[int], list[Row]]] = {
    "C4": visit_many_runs,
    "C1": visit_together,
    "C2": visit_in_a_row,
}


def main() -> int:
    """Carries out what was asked for; returns 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog="make load")
    parser.add_argument("only", nargs="*", choices=[*EXPERIMENTS, []], help="promises")
    parser.add_argument("--together", type=int, default=SESSIONS, help="sessions at once (C1)")
    parser.add_argument("--in-a-row", type=int, default=10_000, help="sessions in a row (C2)")
    parser.add_argument("--runs", type=int, default=1_000, help="old runs (C4)")
    given = parser.parse_args()
    counts = {"C1": given.together, "C2": given.in_a_row, "C4": given.runs}
    began, rows = time.monotonic(), []
    for promise in given.only or EXPERIMENTS:
        for row in EXPERIMENTS[promise](counts[promise]):
            rows.append(row)
            print(row.line(), flush=True)
    if not given.only:
        write(rows, minutes=(time.monotonic() - began) / 60)
    return 0 if all(row.is_kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
