"""A public demo in a real browser: every page opens, and none offers a change."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from cifar_core.runs.folder import State
from tools.fabricate import Fake, fabricate

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Server

pytestmark = pytest.mark.browser

CHANGES = re.compile(
    r"^\W*(start(?! with step)|stop|resume|clone|rename|delete|move|download the dataset"
    r"|try again|go on)",
    re.IGNORECASE,
)
FINISHED, STOPPED, LOST = (f"cnn4-standard-{number:08x}" for number in (1, 2, 3))


def test_a_read_only_lab_opens_every_page_offers_no_change_and_asks_nobody_else(
    serve: Callable[..., Server], open_page: Callable[..., Page], runs_dir: Path, tmp_path: Path
) -> None:
    for name, state in (
        (FINISHED, State.FINISHED),
        (STOPPED, State.STOPPED),
        (LOST, State.RUNNING),  # nobody holds its lock: it shows as interrupted
    ):
        fabricate(runs_dir, Fake(run_id=name, state=state))
    nothing = str(tmp_path / "no-data")  # so that the pages would offer the download
    server = serve(CIFAR_LAB_READONLY="1", CIFAR_LAB_DATA=nothing)
    page = open_page()
    foreign: list[str] = []
    own = (server.url, "data:", "blob:")
    page.on(
        "request", lambda asked: None if asked.url.startswith(own) else foreign.append(asked.url)
    )
    page.goto(server.url)
    page.wait_for_selector("h1")
    expect(page.get_by_test_id("stSidebarNavLink").nth(5)).to_be_visible()
    views = [
        link.get_attribute("href") or "" for link in page.get_by_test_id("stSidebarNavLink").all()
    ]
    assert len(views) >= 6
    before = {path: path.stat().st_mtime_ns for path in runs_dir.rglob("*")}
    for view in (*views, f"{server.url}/train?run={STOPPED}", f"{server.url}/train?run={LOST}"):
        page.goto(view if view.startswith("http") else f"{server.url}{view}")
        page.wait_for_selector("h1")
        page.wait_for_function("() => !document.querySelector('[data-test-script-state=running]')")
        main = page.get_by_test_id("stMain")
        offered = [button.inner_text() for button in main.get_by_role("button").all()]
        assert [text for text in offered if CHANGES.match(text)] == [], view
        assert page.locator("[data-testid=stException]").count() == 0
    assert {path: path.stat().st_mtime_ns for path in runs_dir.rglob("*")} == before
    assert foreign == [], "the lab works without a network: nothing is fetched from elsewhere"
