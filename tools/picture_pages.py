"""Takes the README's pictures of the pages: ``python -m tools.picture_pages``.

Starts the lab with the shipped models and an empty folder of runs, opens the pages in Chromium
and writes docs/pictures/*.webp. The page of a training is not among them: it needs one.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.kit.first_visit import COOKIE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURES = PROJECT_DIR / "docs" / "pictures"
WIDTH, SAVED_WIDTH = 1440, 1200
VIEWS = {
    "overview": ("", "light", 1080),
    "results": ("results?run=cnn6&true=cat&predicted=dog", "dark", 1180),
    "compare": ("compare?runs=cnn4,cnn6", "light", 1150),
    "classify": ("classify", "light", 1100),
    "presentation": ("report?present=2", "light", 810),
    "networks": ("networks", "light", 1000),
}
"""Address, colour scheme and height of each picture."""


def main() -> int:
    """Takes all pictures and returns the exit status."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with serve() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (address, scheme, height) in VIEWS.items():
            page = open_page(browser, f"{url}/{address}", scheme, height)
            if name == "classify":
                page.get_by_text("A test picture", exact=True).first.click()
                settle(page)
            save(page.screenshot(), PICTURES / f"{name}.webp")
        browser.close()
    return 0


def open_page(browser: Browser, address: str, scheme: str, height: int) -> Page:
    """Opens a page as a visitor who has been here before, and waits until it is drawn."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.add_cookies([{"name": COOKIE, "value": "1", "url": address}])
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(address)
    page.wait_for_selector("[data-testid=stMain]")
    settle(page)
    return page


def settle(page: Page) -> None:
    """Waits until nothing runs and charts have ended their animations."""
    page.wait_for_timeout(1_500)
    page.wait_for_function("() => !document.querySelector('[data-test-script-state=running]')")
    page.wait_for_timeout(2_500)


def save(shot: bytes, path: Path) -> None:
    """Writes a screenshot, made smaller, as WebP."""
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    size = (SAVED_WIDTH, round(picture.height * SAVED_WIDTH / picture.width))
    picture.resize(size, Image.Resampling.LANCZOS).save(path, quality=82, method=6)


@contextmanager
def serve() -> Iterator[str]:
    """Serves the lab on a free port without runs of one's own; gives its address."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory() as runs:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"],
            cwd=PROJECT_DIR,
            env={**os.environ, "CIFAR_LAB_RUNS": runs},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
