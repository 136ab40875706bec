"""How long Results and Compare take to answer a person, drawn in a real browser.

``python -m benchmarks.interactions`` fabricates 30 runs of 100 epochs, serves the lab, and drives
Chromium through what people do there. It needs what ``make test`` installs. A time goes from the
key or click to the last change of the page, charts and pictures drawn. Beside it stands the
processor time that server and browser spend on it together: what a busy machine cannot falsify.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import percentile
from benchmarks.web import Server
from cifar_core.settings import current
from tools.fabricate import Fake, fabricate

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUNS = 30
EPOCHS = 100
QUIET_MS = 350

WATCH = """() => {
  window.lab = {last: performance.now()};
  const seen = () => { window.lab.last = performance.now(); };
  const what = {subtree: true, childList: true, characterData: true};
  new MutationObserver(seen).observe(document.querySelector('[data-testid=stMain]'), what);
}"""
DONE = f"""begun => window.lab.last > begun
  && performance.now() - window.lab.last > {QUIET_MS}
  && !document.querySelector('[data-test-script-state=running], [data-testid=stSkeleton]')"""

AT_REST = f"() => ({DONE})(0) && performance.now() - window.lab.last > 1500"
"""A page that has just been opened is quiet for a moment before its script begins."""


@dataclass(frozen=True)
class Interaction:
    """Something people do on a page, again and again.

    Attributes:
        name: In words.
        address: Where it is done.
        act: Does it; gets the page and how often it was done before.
    """

    name: str
    address: str
    act: Callable[[Page, int], None]


def _cell(page: Page, turn: int) -> None:
    box = page.get_by_role("combobox", name=re.compile("Shows"))
    box.fill(("cat", "dog", "ship", "bird")[turn % 4])
    box.press("Enter")


def _button(*names: str) -> Callable[[Page, int], None]:
    def act(page: Page, turn: int) -> None:
        page.get_by_role("radio", name=names[turn % len(names)], exact=True).click()

    return act


def _slider(page: Page, turn: int) -> None:
    page.get_by_role("slider", name="Epoch").press(
        ("ArrowLeft", "ArrowLeft", "ArrowRight")[turn % 3]
    )


def _run(page: Page, turn: int) -> None:
    box = page.get_by_role("combobox", name=re.compile("Run"))
    box.fill(f"run {turn % 20 + 3:02d}")
    box.press("Enter")


BY_EPOCH = "results?split=Validation+pictures+by+epoch"
INTERACTIONS = (
    Interaction("Results: another epoch on the slider", f"{BY_EPOCH}&epoch=90", _slider),
    Interaction("Results: another cell", "results", _cell),
    Interaction("Results: counts or percent", "results", _button("% of true", "Counts")),
    Interaction("Results: another view", "results", _button("Classes", "Confidence", "Advice")),
    Interaction("Results: another run", "results", _run),
    Interaction("Compare: accuracy or loss", "compare", _button("Loss", "Accuracy")),
    Interaction("Compare: epochs or minutes", "compare", _button("Minutes", "Epochs")),
    Interaction("Compare: another cell", "compare?look=Mistakes", _cell),
    Interaction(
        "Compare: another view", "compare", _button("Settings", "Mistakes", "Pictures", "Learning")
    ),
)


@dataclass(frozen=True)
class Took:
    """What one turn of an interaction took.

    Attributes:
        seconds: From the key or click to the last change of the page.
        processor_seconds: Of server and browser, until the page was at rest.
    """

    seconds: float
    processor_seconds: float


def measure(turns: int, runs_dir: Path | None = None) -> dict[str, list[Took]]:
    """Returns what every interaction took, by its name.

    Args:
        turns: Of each interaction.
        runs_dir: Where the fabricated runs lie or are to lie; a folder of its own by default.
    """
    with tempfile.TemporaryDirectory() as spare:
        folder = runs_dir or Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            fabricate_runs(folder)
        environ = {"CIFAR_LAB_RUNS": str(folder), "CIFAR_LAB_DATA": str(current().data_dir)}
        with Server(environ) as server, _browser() as open_page:
            server.visit().close()
            page = open_page()
            return {
                one.name: _measure(
                    page, f"http://127.0.0.1:{server.port}/{one.address}", one, turns
                )
                for one in INTERACTIONS
            }


def _measure(page: Page, address: str, one: Interaction, turns: int) -> list[Took]:
    """Returns what one interaction's turns took; the first is a rehearsal."""
    page.goto(address)
    page.locator(".js-plotly-plot .main-svg").first.wait_for(state="attached")
    page.evaluate(WATCH)
    page.wait_for_function(AT_REST)
    print(one.name, file=sys.stderr, flush=True)
    took = []
    for turn in range(turns + 1):
        begun, spent = page.evaluate("performance.now()"), _processor_seconds()
        one.act(page, turn)
        page.wait_for_function(DONE, arg=begun)
        seconds = (page.evaluate("window.lab.last") - begun) / 1000
        took.append(Took(seconds, _processor_seconds() - spent))
    return took[1:]


def _processor_seconds() -> float:
    """Returns the processor time of this process's descendants: the server and the browser."""
    times: dict[int, tuple[int, float]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        times[int(path.parent.name)] = int(fields[1]), used
    family = {os.getpid()}
    while True:
        grown = family | {pid for pid, (parent, _) in times.items() if parent in family}
        if grown == family:
            break
        family = grown
    return sum(times[pid][1] for pid in family - {os.getpid()} if pid in times)


def fabricate_runs(runs_dir: Path) -> None:
    """Writes 30 finished runs of 100 epochs."""
    for number in range(RUNS):
        fabricate(
            runs_dir,
            Fake(
                run_id=f"fabricated-{number:08x}",
                name=f"run {number:02d}",
                network=("cnn4", "cnn6")[number % 2],
                epochs=EPOCHS,
                accuracy=0.6 + 0.3 * number / RUNS,
                seed=number,
                created_at=1_795_000_000.0 + 600 * number,
            ),
        )


@contextmanager
def _browser() -> Iterator[Callable[[], Page]]:
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next((found for name in names if (found := shutil.which(name))), None)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)

        def open_page() -> Page:
            page = browser.new_page(viewport={"width": 1400, "height": 1400})
            page.set_default_timeout(120_000)
            return page

        yield open_page
        browser.close()


def render(measured: dict[str, list[Took]]) -> str:
    """Returns the figures as a Markdown table."""
    whole = [took for several in measured.values() for took in several]
    lines = ["| | median | 95th percentile | processor time, median |", "|---|---:|---:|---:|"]
    for name, several in {**measured, "**All together**": whole}.items():
        seconds = [took.seconds for took in several]
        spent = percentile([took.processor_seconds for took in several], 0.5)
        lines.append(
            f"| {name} | {percentile(seconds, 0.5):.2f} s | {percentile(seconds, 0.95):.2f} s "
            f"| {spent:.2f} s |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interactions", description=__doc__)
    parser.add_argument("--turns", type=int, default=20, help="of each interaction")
    parser.add_argument("--output", type=Path, help="also write every time to this file, as JSON")
    parser.add_argument("--runs", type=Path, help="keep the fabricated runs in this folder")
    options = parser.parse_args()
    measured = measure(options.turns, options.runs)
    if options.output:
        plain = {name: [vars(took) for took in several] for name, several in measured.items()}
        options.output.write_text(json.dumps(plain, indent=1), encoding="ascii")
    print(render(measured))


if __name__ == "__main__":
    main()
