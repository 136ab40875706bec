"""The Train page under test: opened, read, and the runs on it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from cifar_core import files, recipes
from cifar_core.jobs.lock import Lock, try_lock
from cifar_core.runs.folder import Label, RunFolder, State, Status
from tests.pages.shown import new_page, words_of

HOSTILE = ["<script>alert(1)</script>", "# x", "[a](b)", "=1+1", "**b** :red[x] $x^2$", "日本 ✓"]


class FakeDataset:
    """Stands for the full dataset; the page asks only whether it is the sample."""

    def __init__(self, *, is_sample: bool) -> None:
        self.is_sample = is_sample


def nothing(*args: object) -> None:
    """Stands for what a page test must not do: start a process, read 180 MB."""


def page(**address: str) -> AppTest:
    return new_page("train", **address).run()


def make_run(
    runs_dir: Path, name: str, state: State, *, label: str = "", **changes: Any
) -> RunFolder:
    """Writes the folder of a run as a worker leaves it."""
    folder = RunFolder(runs_dir / name)
    folder.path.mkdir(parents=True)
    files.write_json(folder.recipe_path, recipes.recipe("standard", "cnn4", epochs=4).to_json())
    folder.write_label(Label(label, "", time.time()))
    folder.write_status(Status(state=state, heartbeat_at=time.time(), **changes))
    return folder


def alive(folder: RunFolder) -> Lock:
    """Holds a run's lock as its worker would."""
    lock = try_lock(folder.lock_path)
    assert lock is not None
    return lock


shown = words_of


def button(app: AppTest, start_of_label: str) -> Any:
    return next(item for item in app.button if item.label.startswith(start_of_label))


def set_number(app: AppTest, label: str, value: float) -> AppTest:
    field = next(item for item in app.number_input if item.label == label)
    return field.set_value(value).run()


def set_text(app: AppTest, label: str, value: str) -> AppTest:
    field = next(item for item in app.text_input if item.label == label)
    return field.set_value(value).run()


def table(app: AppTest) -> Any:
    return app.dataframe[0].value


def runs_in(runs_dir: Path) -> list[str]:
    return sorted(path.name for path in runs_dir.glob("cnn*"))
