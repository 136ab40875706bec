"""What reliability costs: the time of a long list, the memory of a waiting worker."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from unittest import mock

from cifar_core.jobs.lock import try_lock
from cifar_core.runs import manager, reading, watch
from cifar_core.runs.device_queue import DeviceQueue
from cifar_core.runs.folder import RunFolder, State
from cifar_core.runs.rows import MOST_ROWS
from tests.torture.bench import Bench
from tests.torture.inside import prepare, undertake
from tests.torture.outcome import Outcome, Tally
from tools.fabricate import damage

LIST_SECONDS = 0.3
ROWS_SECONDS = 1.0
T = TypeVar("T")

HEAVY = ("tensorflow", "jax", "keras", "numpy")


def list_many(tries: int, seed: int, folder: Path) -> list[Outcome]:
    """Lists so many runs, each tenth of them broken in one of several ways."""
    tally = Tally("list", f"{tries:,} runs, one in ten broken: listed within {LIST_SECONDS} s")
    pattern = prepare(folder / "pattern")
    undertake(pattern)
    draw = random.Random(seed)
    for index in range(tries):
        run = RunFolder(shutil.copytree(pattern.path, folder / "many" / f"run-{index:04d}"))
        if index % 10 == 0:
            damage(run, draw)
    times = []
    for _ in range(7):
        began = time.perf_counter()
        listed = reading.list_runs(folder / "many")
        times.append(time.perf_counter() - began)
        tally.count(len(listed) == tries, f"{len(listed)} listed")
    tally.count(min(times) < LIST_SECONDS, f"{min(times):.3f} s")
    median = sorted(times)[len(times) // 2]
    return [tally.outcome(f"fastest of 7 {min(times):.3f} s, median {median:.3f} s")]


def list_very_many(tries: int, _seed: int, folder: Path) -> list[Outcome]:
    """E10: ended runs as a server lists them, and a run with a hundred times as many rows."""
    tally = Tally("E10", f"{tries:,} ended runs listed again, {100 * tries:,} rows read")
    pattern = prepare(folder / "pattern")
    undertake(pattern)
    for index in range(tries):
        shutil.copytree(pattern.path, folder / "many" / f"run-{index:05d}")
    time.sleep(watch.SETTLED_SECONDS)  # what has just changed is read again
    looks = watch.RunsWatch(folder / "many")
    first, found = timed(looks.look)
    tally.count(len(found) == tries, f"{len(found)} listed")
    again, found = timed(looks.look)
    tally.count(len(found) == tries and again < LIST_SECONDS, f"{again:.2f} s")
    huge = RunFolder(folder / "huge")
    huge.path.mkdir()
    line = b'{"kind": "step", "epoch": 0.5, "loss": 2.0, "accuracy": 0.1, "learning_rate": 0.1, '
    line += b'"images_per_second": 9.0, "seconds": 1.0}\n'
    huge.metrics_path.write_bytes(line * 100 * tries)
    read, rows = timed(huge.read_metrics)
    tally.count(0 < len(rows) < 2 * MOST_ROWS and read < ROWS_SECONDS, f"{read:.2f} s")
    return [
        tally.outcome(f"processor: first list {first:.2f} s, again {again:.2f}, rows {read:.2f}")
    ]


def timed(act: Callable[[], T]) -> tuple[float, T]:
    """Returns the processor time of something, which no neighbour makes longer, and its result."""
    began = time.process_time()
    found = act()
    return time.process_time() - began, found


def weigh_waiting_worker(_tries: int, _seed: int, folder: Path) -> list[Outcome]:
    """Measures the memory of a real worker that waits in line."""
    tally = Tally("wait", "a waiting worker has loaded nothing heavy: less than 30 MB")
    bench = Bench(folder / "waiting")
    queue = DeviceQueue(bench.runs_dir, "cpu")
    queue.folder.mkdir(parents=True)
    device = try_lock(queue.lock_path)
    assert device is not None
    with device, mock.patch.dict(os.environ):
        try:
            run_id = bench.start()
            bench.wait(run_id, lambda run: run.status.phase == "waiting in line")
            (process,) = bench.processes(run_id)
            maps = Path(f"/proc/{process}/maps").read_text()
            usage = Path(f"/proc/{process}/smaps_rollup").read_text().split()
            resident = int(usage[usage.index("Rss:") + 1]) / 1024
            own = int(usage[usage.index("Private_Dirty:") + 1]) / 1024
            tally.count(not any(name in maps for name in HEAVY), "something heavy is loaded")
            tally.count(resident < 30, f"{resident:.1f} MB")
            manager.stop(bench.runs_dir, run_id)
            bench.wait_for(run_id, State.STOPPED)
        finally:
            bench.end()
    return [tally.outcome(f"{resident:.1f} MB resident, {own:.1f} MB of them its own")]
