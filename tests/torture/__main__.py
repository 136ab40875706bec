"""``make torture``: tries every promise of the runs in full and prints one table.

``python -m tests.torture [A1,A4,…]``. Ends with status 1 when a promise did not hold. A run
of all of them also writes the table into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import multiprocessing
import platform
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from cifar_core.runs.devices import list_devices
from tests.torture.experiments import EXPERIMENTS, Experiment, carry_out
from tests.torture.outcome import Outcome

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
TOGETHER = 3
"""How many experiments go on at the same time; most of them mostly wait."""

BEGIN, END = "<!-- table: written by make torture -->", "<!-- end of table -->"


def main() -> None:
    """Carries out what was asked for and ends with status 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog="make torture")
    parser.add_argument("only", nargs="?", default="", help="promises, such as A1,A4")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    only = set(filter(None, given.only.split(",")))
    known = {promise for experiment in EXPERIMENTS for promise in experiment.promises}
    if only - known:
        parser.error(f"there is no {', '.join(only - known)}; there are {', '.join(sorted(known))}")
    chosen = [item for item in EXPERIMENTS if not only or only & set(item.promises)]
    began = time.monotonic()
    rows: list[tuple[Outcome, float]] = []
    with ThreadPoolExecutor(TOGETHER) as together:
        several = [item for item in chosen if not item.is_alone]
        for found in together.map(partial(in_own_process, seed=given.seed), several):
            rows += tell(found)
    for experiment in chosen:
        if experiment.is_alone:  # what measures time and memory is not to measure the others
            rows += tell(in_own_process(experiment, seed=given.seed))
    if not only:
        write(rows, given.seed, minutes=(time.monotonic() - began) / 60)
    broken = [outcome for outcome, _ in rows if not outcome.is_kept]
    print(f"{len(rows) - len(broken)} of {len(rows)} rows held.")
    sys.exit(1 if broken else 0)


def in_own_process(experiment: Experiment, *, seed: int) -> list[tuple[Outcome, float]]:
    """Carries an experiment out in a fresh process: it forks, mounts and patches."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as own:
        return own.submit(carry_out, EXPERIMENTS.index(experiment), seed).result()


def tell(found: list[tuple[Outcome, float]]) -> list[tuple[Outcome, float]]:
    """Prints what an experiment found."""
    for outcome, seconds in found:
        print(line(outcome, seconds), flush=True)
        for fault in outcome.faults:
            print(f"      {fault}", flush=True)
    return found


def line(outcome: Outcome, seconds: float) -> str:
    """Returns a row for the terminal."""
    held = f"{outcome.held:,}/{outcome.tried:,}"
    mark = "held" if outcome.is_kept else "BROKEN"
    figure = f"  ({outcome.figure})" if outcome.figure else ""
    return f"{outcome.promise:4} {mark:6} {held:>15} {seconds:6.1f} s  {outcome.what}{figure}"


def write(rows: list[tuple[Outcome, float]], seed: int, *, minutes: float) -> None:
    """Puts the table into the document, between its marks."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    today = dt.datetime.now(dt.UTC).date()
    processor = list_devices()[0]
    where = (
        f"Measured on {today:%Y-%m-%d}: {processor.name}, {processor.cores} cores shared with "
        f"other work, Linux {platform.release()}, {file_system(Path(tempfile.gettempdir()))}, "
        f"Python {platform.python_version()}, seed {seed}, "
        f"{minutes:.0f} minutes in all."
    )
    head = "| promise | what | tried | held | figures | seconds |\n|---|---|--:|--:|---|--:|"
    body = "\n".join(
        f"| {o.promise} | {o.what} | {o.tried:,} | {o.held:,} | {o.figure} | {seconds:.0f} |"
        for o, seconds in rows
    )
    table = f"{BEGIN}\n{where}\n\n{head}\n{body}\n{END}"
    DOCUMENT.write_text(before + table + after, encoding="utf-8")


def file_system(path: Path) -> str:
    """Returns the kind of file system a folder lies on."""
    kinds = {}
    for entry in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, point, kind, *_ = entry.split()
        if path.is_relative_to(point):
            kinds[len(point)] = kind
    return kinds[max(kinds)]


if __name__ == "__main__":
    main()
