"""What a running server writes while people bring pictures: nothing, before they agree to it."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from cifar_core.settings import PROJECT_DIR
from tests.browser.conftest import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# Python loads a module of this name at its start. It notes whatever is opened for writing or made
# by this process, files without a name as well.
WATCHER = """
import os, sys
LOG = os.open(os.environ["WATCH_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
MADE = ("os.mkdir", "os.rename", "os.link", "os.symlink", "os.truncate", "tempfile.mkstemp")

def note(event, arguments):
    if (event == "open" and arguments[2] & WRITES) or event in MADE:
        os.write(LOG, f"{event} {arguments[0]!r}\\n".encode(errors="replace"))

sys.addaudithook(note)
"""


@dataclass
class Watched:
    """A server that is watched, and the folders it might write to."""

    server: Server
    log_path: Path
    folders: tuple[Path, ...]

    def written(self) -> list[str]:
        """Returns what was opened for writing so far, without the places that keep nothing."""
        lines = self.log_path.read_text(encoding="utf-8").splitlines()
        return [line for line in lines if "'/dev/null'" not in line]

    def files(self) -> dict[str, tuple[int, int]]:
        """Returns size and time of every file in the folders."""
        return {
            str(path): (path.stat().st_size, path.stat().st_mtime_ns)
            for folder in self.folders
            for path in folder.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def watched(serve: Callable[..., Server], tmp_path: Path, runs_dir: Path) -> Watched:
    names = ("home", "temporary", "feedback", "watcher", "no-data")
    home, temporary, feedback, watcher, data = (tmp_path / name for name in names)
    for folder in (home, temporary, watcher, runs_dir):
        folder.mkdir(exist_ok=True)
    (watcher / "sitecustomize.py").write_text(WATCHER)
    server = serve(
        PYTHONPATH=str(watcher),
        PYTHONDONTWRITEBYTECODE="1",
        WATCH_LOG=str(tmp_path / "written"),
        HOME=str(home),
        TMPDIR=str(temporary),
        CIFAR_LAB_FEEDBACK=str(feedback),
        CIFAR_LAB_DATA=str(data),
        CIFAR_LAB_MODELS=str(PROJECT_DIR / "models"),
    )
    return Watched(server, tmp_path / "written", (home, temporary, feedback, runs_dir))


def noise(side: int) -> bytes:
    pixels = np.random.default_rng(side).integers(0, 256, (side, side, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()


def packed(count: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(count):
            archive.writestr(f"{number}.png", noise(32 + number))
    return buffer.getvalue()


def bring(page: Page, name: str, data: bytes) -> None:
    page.locator("input[type=file]").first.set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )


def test_nothing_is_written_until_somebody_agrees_and_then_no_picture(
    watched: Watched, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    page.goto(f"{watched.server.url}/classify")
    page.get_by_test_id("stFileUploaderDropzone").wait_for()
    before, files = watched.written(), watched.files()

    large = noise(1_500)
    assert len(large) > 6_000_000
    bring(page, "large.png", large)
    page.get_by_text("takes this for").first.wait_for()
    bring(page, "notes.txt", b"no picture")
    page.get_by_text("is not a picture the lab can read").wait_for()
    bring(page, "many.zip", packed(12))
    page.get_by_test_id("stDataFrame").first.wait_for()
    assert watched.written() == before
    assert watched.files() == files
    page.close()

    page = open_page()
    page.goto(f"{watched.server.url}/classify")
    bring(page, "large.png", large)
    page.get_by_role("radio", name="Yes").click()
    page.get_by_text("I agree that the lab keeps this").click()
    page.get_by_role("button", name="Keep what I said").click()
    page.get_by_text("What you said is kept").wait_for()
    new = watched.written()[len(before) :]
    assert new, "the watcher is asleep"
    assert all(os.sep + "feedback" in line for line in new)
    (kept,) = [Path(path) for path in watched.files().keys() - files.keys()]
    assert kept.stat().st_size < 4_000
    assert set(json.loads(kept.read_bytes())) == {
        *("id", "kept_at", "sha256", "fit", "mirrored", "answers", "was_right", "shows"),
    }
