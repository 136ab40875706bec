"""The list of runs on Train in a real browser: a click anywhere in a row opens its run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import serving
from tools.fabricate import Fake

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.data]

ROW_PIXELS = 36


def test_a_click_on_a_cell_opens_its_run_and_ticks_draw_runs_together(
    tmp_path: Path, open_page: Callable[..., Page], keep: Callable[[Page, str], None]
) -> None:
    fakes = [
        Fake(run_id=name, accuracy=reached, name=name, created_at=reached)
        for name, reached in (("low", 0.5), ("middle", 0.6), ("high", 0.7))
    ]
    with serving(tmp_path, *fakes) as (url, _):
        page = open_page(viewport={"width": 1400, "height": 1600})
        page.goto(f"{url}/train?run=high")
        table = page.locator(".st-key-train_list [data-testid=stDataFrame]")
        for place, name in ((2, "low"), (1, "middle")):
            table.click(position={"x": 90, "y": (place + 1) * ROW_PIXELS + 18})
            expect(page).to_have_url(re.compile(f"run={name}$"))
            expect(page.locator(".lab-run")).to_have_text(name)
        for place in (0, 2):
            table.click(position={"x": 16, "y": (place + 1) * ROW_PIXELS + 18})
        expect(page.locator(".st-key-together_accuracy .scatterlayer .trace")).not_to_have_count(0)
        keep(page, "train-together")
