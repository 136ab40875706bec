"""What every test gets: its own folder for runs, and the real dataset where it asks for it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cifar_core import settings
from cifar_core.errors import RunError
from cifar_core.runs import manager, reading

if TYPE_CHECKING:
    from playwright.sync_api import Browser

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


LONGEST_FIRST = ("slow", "browser")
"""Marks of files that go first where processes share the tests: none of them ends alone."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts files with real trainings first, then those with a browser; files stay together."""
    ranks: dict[Path, int] = {}
    for item in items:
        marks = [mark for mark in LONGEST_FIRST if item.get_closest_marker(mark)]
        rank = LONGEST_FIRST.index(marks[0]) if marks else len(LONGEST_FIRST)
        ranks[item.path] = min(rank, ranks.get(item.path, rank))
    items.sort(key=lambda item: ranks[item.path])


@pytest.fixture(autouse=True)
def runs_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Gives the test its own empty folders for runs and models, and the lab's own defaults.

    Only the folder of the dataset stays as the environment says: it is read, never written.
    A training that the test leaves behind is stopped, so that it computes no longer.
    """
    folder = tmp_path / "runs"
    monkeypatch.setenv("CIFAR_LAB_RUNS", str(folder))
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("CIFAR_LAB_FEEDBACK", str(tmp_path / "feedback"))
    for variable in ("CIFAR_LAB_READONLY", "CIFAR_LAB_SERVING_THREADS", "KERAS_BACKEND"):
        monkeypatch.delenv(variable, raising=False)
    yield folder
    monkeypatch.undo()  # what the test broke on purpose must not break the clearing up
    left = [run.id for run in reading.list_runs(folder) if run.state.is_alive]
    for run_id in left:
        with contextlib.suppress(RunError):  # it has just ended
            manager.stop(folder, run_id)


@pytest.fixture(autouse=True)
def _full_dataset(request: pytest.FixtureRequest) -> None:
    """Fails a test marked ``data`` in a sentence, and never skips it, without the dataset."""
    if request.node.get_closest_marker("data") is None:
        return
    from cifar_core.dataset.sample import open_dataset

    data_dir = settings.current().data_dir
    if open_dataset(data_dir).is_sample:
        pytest.fail(
            f"This test needs the full dataset, and {data_dir} does not hold it. Run "
            "`python -m cifar_core data` (make test does), or name its folder in CIFAR_LAB_DATA.",
            pytrace=False,
        )


@pytest.fixture(scope="session")
def chromium_path() -> str | None:
    """Returns the Chromium or Chrome on the PATH; None lets Playwright use its own."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser(chromium_path: str | None) -> Iterator[Browser]:
    """A headless Chromium, one for all tests: Playwright runs once in a process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium_path, args=list(QUIET))
        yield opened
        opened.close()
