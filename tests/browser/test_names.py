"""Hostile names in a real browser: whatever they try, nothing runs and nothing is fetched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.hostile_names import EVIL, FAMILIES, NAMES
from tools.fabricate import Fake, fabricate

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Server

pytestmark = pytest.mark.browser

STRANGERS = "a[href*='javascript:'], iframe[srcdoc], [onerror], [onload], [ontoggle], [onfocus]"


def sample() -> list[str]:
    """Returns names that act in a browser, some of each family, as long as a run's may be."""
    chosen = [name for family in ("html", "markdown", "formula") for name in FAMILIES[family][::7]]
    return [name for name in NAMES if name in set(_filled(chosen)) and len(name) <= 80]


def _filled(names: list[str]) -> list[str]:
    return [name.format(act="window.hit=1", evil=EVIL) if "{" in name else name for name in names]


def test_no_name_of_a_run_does_anything_in_the_browser(
    serve: Callable[..., Server], open_page: Callable[..., Page], runs_dir: Path
) -> None:
    names = sample()
    assert len(names) >= 25
    runs = [f"cnn4-standard-{index:08x}" for index in range(len(names))]
    for run, name in zip(runs, names, strict=True):
        fabricate(runs_dir, Fake(run_id=run, name=name, epochs=2))
    server, page = serve(), open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    views = [f"train?run={runs[0]}", f"train?run={runs[1]}", f"results?run={runs[2]}"]
    for view in (*views, f"compare?runs={','.join(runs[:8])}"):
        page.goto(f"{server.url}/{view}")
        page.wait_for_selector("h1")
        page.wait_for_function("() => !document.querySelector('[data-test-script-state=running]')")
        page.wait_for_load_state("networkidle")  # what acts when it has loaded, or failed to
        assert page.evaluate("() => window.hit") is None, view
        assert page.locator(STRANGERS).count() == 0, view
        assert page.locator(f"[href*='{EVIL}'], [src*='{EVIL}']").count() == 0, view
    assert [url for url in asked if EVIL in url.split("?")[0]] == []
