"""What a person's next step on Results and Compare costs the server, without a browser.

``python -m benchmarks.reruns`` fabricates 30 runs of 100 epochs and reruns the pages' scripts the
way Streamlit does. Processor time, because it means the same on a busy machine; on an idle one it
is the time until the answer leaves the server. benchmarks.interactions measures the rest.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from streamlit.testing.v1 import AppTest

from benchmarks.figures import percentile
from benchmarks.interactions import RUNS, fabricate_runs
from cifar_core.settings import PROJECT_DIR

Act = Callable[[Any, int], object]

BY_EPOCH: Final = {"split": "Validation pictures by epoch", "epoch": "90"}
CLASSES: Final = ("cat", "dog", "ship", "bird")
VIEWS: Final = ("Classes", "Confidence", "Advice", "Confusions")
GROUPS: Final = ("both", "second", "neither", "first")


@dataclass(frozen=True)
class Step:
    """Something people do on a page, again and again.

    Attributes:
        name: In words.
        page: File of the page, without its ending.
        address: Where it is done.
        act: Does it; gets the page and how often it was done before.
    """

    name: str
    page: str
    address: Mapping[str, str]
    act: Act


def _select(key: str, *values: str) -> Act:
    return lambda app, turn: app.selectbox(key=key).set_value(values[turn % len(values)])


def _segment(key: str, *values: str) -> Act:
    return lambda app, turn: app.segmented_control(key=key).set_value(values[turn % len(values)])


STEPS: Final = (
    Step(
        "Results: another epoch on the slider",
        "results",
        BY_EPOCH,
        lambda app, turn: app.slider(key="epoch").set_value(1 + 7 * turn % 100),
    ),
    Step("Results: another cell", "results", {}, _select("true", *CLASSES)),
    Step("Results: counts or percent", "results", {}, _segment("cells", "% of true", "Counts")),
    Step("Results: another view", "results", {}, _segment("view", *VIEWS)),
    Step(
        "Results: another run",
        "results",
        {},
        lambda app, turn: app.selectbox(key="results_run").set_value(
            f"fabricated-{turn % RUNS:08x}"
        ),
    ),
    Step("Compare: accuracy or loss", "compare", {}, _segment("measure", "Loss", "Accuracy")),
    Step("Compare: another cell", "compare", {"look": "Mistakes"}, _select("true", *CLASSES)),
    Step(
        "Compare: another group of pictures",
        "compare",
        {"look": "Pictures"},
        lambda app, turn: app.radio(key="agreement_group").set_value(GROUPS[turn % 4]),
    ),
    Step(
        "Compare: another cell, tutorial",
        "compare",
        {"look": "Tutorial"},
        _select("true", *CLASSES),
    ),
)


def measure(turns: int) -> dict[str, list[float]]:
    """Returns the seconds of processor time of every step's turns; the first is a rehearsal."""
    logging.disable(logging.WARNING)  # scripts run outside a server
    measured = {}
    for step in STEPS:
        path = PROJECT_DIR / "pages" / f"{step.page}.py"
        app = AppTest.from_file(str(path), default_timeout=600)
        for name, value in step.address.items():
            app.query_params[name] = value
        app.run()
        took = []
        for turn in range(turns + 1):
            step.act(app, turn)
            begun = time.process_time()
            app.run()
            took.append(time.process_time() - begun)
        measured[step.name] = took[1:]
    return measured


def render(measured: Mapping[str, list[float]]) -> str:
    """Returns the figures as a Markdown table."""
    whole = [value for values in measured.values() for value in values]
    lines = ["| Processor time of the server | median | 95th percentile |", "|---|---:|---:|"]
    for name, values in {**measured, "**All together**": whole}.items():
        median, worst = percentile(values, 0.5), percentile(values, 0.95)
        lines.append(f"| {name} | {median:.2f} s | {worst:.2f} s |")
    return "\n".join(lines)


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reruns", description=__doc__)
    parser.add_argument("--turns", type=int, default=20, help="of each step")
    parser.add_argument("--runs", type=Path, help="keep the fabricated runs in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as spare:
        folder = options.runs or Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            fabricate_runs(folder)
        os.environ["CIFAR_LAB_RUNS"] = str(folder)
        print(render(measure(options.turns)))


if __name__ == "__main__":
    main()
