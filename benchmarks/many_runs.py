"""What a list of very many runs costs: ``python -m benchmarks.many_runs`` fabricates 10,000.

Processor time, in turns: reading every run, the first look of a server that finds an index, and
its further looks; then the pages' scripts, run the way Streamlit does.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from benchmarks.figures import percentile
from benchmarks.load import fabricate_many
from cifar_core.runs import reading
from cifar_core.runs.watch import SETTLED_SECONDS, RunsWatch
from cifar_core.settings import PROJECT_DIR

PAGES = ("train", "results", "compare")


def seconds(act: Callable[[], object]) -> float:
    """Returns the processor time of something."""
    begun = time.process_time()
    act()
    return time.process_time() - begun


def measure_looks(runs_dir: Path, turns: int) -> dict[str, list[float]]:
    """Returns the processor seconds of each way to list the runs; the first turn is a rehearsal."""
    found: dict[str, list[float]] = {"every run read": [], "first look": [], "further look": []}
    RunsWatch(runs_dir, keeps_index=True).look()
    for _ in range(turns + 1):
        watch = RunsWatch(runs_dir, keeps_index=True)
        found["every run read"].append(seconds(lambda: reading.list_runs(runs_dir)))
        found["first look"].append(seconds(watch.look))
        found["further look"].append(seconds(watch.look))
    return {name: values[1:] for name, values in found.items()}


def measure_pages(turns: int) -> dict[str, list[float]]:
    """Returns the processor seconds of each page's reruns; the first is a rehearsal."""
    found = {}
    for name in PAGES:
        app = AppTest.from_file(str(PROJECT_DIR / "pages" / f"{name}.py"), default_timeout=600)
        app.run()
        found[f"{name}: rerun"] = [seconds(app.run) for _ in range(turns)]
    return found


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_runs", description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--runs", type=int, default=10_000)
    given = parser.parse_args()
    logging.disable(logging.WARNING)  # scripts run outside a server
    with tempfile.TemporaryDirectory() as path:
        fabricate_many(Path(path), given.runs)
        time.sleep(SETTLED_SECONDS + 1)
        os.environ["CIFAR_LAB_RUNS"] = path
        measured = {**measure_looks(Path(path), given.turns), **measure_pages(given.turns)}
    print(f"| Processor time with {given.runs:,} runs | median | from | to |\n|---|---:|---:|---:|")
    for name, values in measured.items():
        median = percentile(values, 0.5)
        print(f"| {name} | {median:.2f} s | {min(values):.2f} s | {max(values):.2f} s |")


if __name__ == "__main__":
    main()
