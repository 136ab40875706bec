"""Compare in a real browser: cells of three matrices open pictures, a table picks the runs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from cifar_core.jobs.lock import try_lock
from cifar_core.runs.folder import RunFolder, State
from tests.browser.conftest import serving
from tests.browser.matrix import click_cell, expect_pictures, wanted_test_indices
from tools.fabricate import Fake

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.data]

SIZE = {"width": 1400, "height": 2600}
HEAD_PIXELS = 36
ROW_PIXELS = 36


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Serves three fabricated runs, which the tests only look at; gives address and folder."""
    fakes = (
        Fake(run_id="four", accuracy=0.6, created_at=1.0),
        Fake(run_id="six", network="cnn6", accuracy=0.7, created_at=2.0),
        Fake(run_id="third", seed=3, accuracy=0.65, created_at=3.0),
    )
    with serving(tmp_path_factory.mktemp("compare"), *fakes) as served:
        yield served


@pytest.fixture
def lab(served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> str:
    """Returns the address of a comparison, and lets the test read the runs itself."""
    url, runs_dir = served
    monkeypatch.setenv("CIFAR_LAB_RUNS", str(runs_dir))
    return f"{url}/compare?runs=four,six"


def test_a_cell_of_each_matrix_opens_the_pictures_of_both_runs(
    lab: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport=SIZE)
    page.goto(f"{lab}&look=Mistakes")
    for place, (true, predicted) in enumerate(((3, 5), (9, 1), (0, 8))):
        click_cell(page, true=true, predicted=predicted, place=place)
        expect_pictures(page, wanted_test_indices("four", true=true, predicted=predicted))
    page.get_by_role("radio", name=re.compile("CNN-6")).click()
    expect_pictures(page, wanted_test_indices("six", true=0, predicted=8))

    elsewhere = open_page(viewport=SIZE)
    elsewhere.goto(page.url)
    expect(elsewhere.get_by_text(re.compile("airplanes were taken for ships"))).to_be_visible()
    expect_pictures(elsewhere, wanted_test_indices("six", true=0, predicted=8))


def test_a_row_ticked_in_the_table_is_compared(lab: str, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport=SIZE)
    page.goto(lab)
    page.get_by_text("Choose from a table").click()
    page.get_by_label("Only runs with these words").fill("third")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("runs=four(,|%2C)six$"))
    table = page.locator(".st-key-compare_table [data-testid=stDataFrame]").filter(
        has=page.locator("[role=grid][aria-rowcount='2']")  # the one of before fades out beside it
    )
    expect(table).to_have_css("height", f"{HEAD_PIXELS + ROW_PIXELS + 2}px")
    table.click(position={"x": 16, "y": HEAD_PIXELS + ROW_PIXELS // 2})
    expect(page).to_have_url(re.compile("runs=four(,|%2C)six(,|%2C)third"))
    expect(
        page.get_by_text("over seeds").or_(page.get_by_text("CNN-4 third")).first
    ).to_be_visible()


def test_a_run_that_goes_on_ends_and_is_renamed_stays_chosen(
    tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    fakes = (
        Fake(run_id="first", accuracy=0.6, name="First"),
        Fake(run_id="live", network="cnn6", done=2, state=State.RUNNING, name="Second"),
    )
    with serving(tmp_path, *fakes) as (url, runs_dir):
        folder = RunFolder(runs_dir / "live")
        lock = try_lock(folder.lock_path)
        assert lock is not None
        status = folder.read_status()
        assert status is not None
        folder.write_status(replace(status, heartbeat_at=time.time()))
        page = open_page(viewport=SIZE)
        page.goto(f"{url}/compare?runs=live,first&look=Settings")
        field = page.get_by_test_id("stMultiSelect")
        expect(field).to_contain_text("Second")

        def is_still_chosen(sign: str) -> None:
            expect(field).to_contain_text(sign)
            expect(field).to_contain_text("First")
            assert "runs=live,first" in unquote(page.url)

        status = replace(status, epoch=3, accuracy=0.77, heartbeat_at=time.time())
        folder.write_status(status)
        folder.write_label(replace(folder.read_label(), name="Renamed"))
        is_still_chosen("Renamed")  # the page looks every few seconds
        folder.write_status(replace(status, state=State.STOPPED))
        lock.release()
        is_still_chosen("77.0%")
