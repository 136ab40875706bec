"""``make bench``, or ``python -m benchmarks``: measures, writes results.json, prints the table."""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import (
    accuracy,
    live,
    machine,
    overhead,
    pages,
    report,
    results,
    serving,
    training,
    turns,
)
from cifar_core.errors import LabError

PARTS = ("train", "serve", "overhead", "pages", "live")
QUICK_PARTS = PARTS[:-1]
"""Watching costs less than two short turns differ: it is left to the whole benchmark."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the parts that were asked for and returns the exit status."""
    options = _parse(arguments)
    pace = turns.SMOKE if options.smoke else turns.QUICK if options.quick else turns.FULL
    pace = dataclasses.replace(pace, turns=options.turns or pace.turns)
    path = options.output or (None if options.smoke else results.RESULTS_PATH)
    here = machine.describe()
    measured = results.read(path) if path else {"parts": {}}
    if measured.get("machine") != here:
        measured = {"parts": {}}  # ratios of two machines in one table would say nothing
    measured["machine"] = here
    chosen = options.only or (QUICK_PARTS if options.quick else PARTS)
    for name in (part for part in chosen if part in PARTS):
        print(f"{name} …", file=sys.stderr, flush=True)
        began = time.monotonic()
        measured["parts"][name] = {**_stamp(pace, options), **_measure(name, pace, options)}
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        if path:
            results.write(measured, path)  # what is measured is kept, whatever comes next
    if options.run:
        measured["parts"]["accuracy"] = {**_stamp(pace, options), **_runs(measured, options.run)}
    if path:
        results.write(measured, path)
    print(report.render(measured))
    return 0


def _measure(name: str, pace: turns.Pace, options: argparse.Namespace) -> dict[str, Any]:
    ways: dict[str, Callable[[], dict[str, Any]]] = {
        "train": lambda: training.measure(pace, torch_python=options.torch_python),
        "serve": lambda: serving.measure(pace),
        "overhead": lambda: overhead.measure(pace, is_quick=options.quick),
        "pages": lambda: pages.measure(pace),
        "live": lambda: live.measure(pace),
    }
    return ways[name]()


def _runs(measured: dict[str, Any], folders: list[Path]) -> dict[str, Any]:
    """Returns when the given runs reached the tutorial's accuracy."""
    networks = measured["parts"].get("train", {}).get("networks")
    if networks is None:
        raise SystemExit("--run needs the tutorial's rate: measure the part train first.")
    found = []
    for folder in folders:
        network = accuracy.network_of(folder)
        if network not in networks:
            raise SystemExit(
                f"--run takes runs of {', '.join(networks)}; {folder} is of {network}."
            )
        rate = networks[network]["images_per_second"]["T"]["median"]
        found.append(accuracy.measure(folder, rate))
    return {"runs": found}


def _stamp(pace: turns.Pace, options: argparse.Namespace) -> dict[str, Any]:
    date = time.strftime("%Y-%m-%d", time.gmtime())
    return {"date": date, "turns": pace.turns, "quick": options.quick, "smoke": options.smoke}


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=(*PARTS, "accuracy"), help="these parts alone")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter turns")
    parser.add_argument("--smoke", action="store_true", help="prove that it works, no figures")
    parser.add_argument("--turns", type=int, help="another number of turns")
    parser.add_argument("--run", nargs="+", type=Path, help="folders of finished runs to judge")
    parser.add_argument("--torch-python", help="interpreter that has PyTorch; without it no P")
    parser.add_argument("--output", type=Path, help="another file than benchmarks/results.json")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (LabError, turns.ContenderError) as error:
        sys.exit(str(error))
