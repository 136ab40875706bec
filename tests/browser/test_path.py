"""The whole path in a real browser, on real pictures: look, train, watch, judge, classify."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from cifar_core import services
from cifar_core.dataset.sample import load_sample
from cifar_core.recipes import recipe
from cifar_core.runs.folder import State
from tests.waiting import wait_until
from tools.fabricate import Fake, fabricate

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Server

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.data,
]

TITLES = (
    *("Overview", "Dataset", "Networks", "Train", "Results", "Compare", "Classify", "Report"),
    "Glossary",
)
PAGES = tuple(title.lower() for title in TITLES)


def wait_for_state(run_id: str, *states: State, seconds: float = 300) -> None:
    wait_until(lambda: services.read_run(run_id).state in states, seconds=seconds)


def is_quiet(page: Page) -> None:
    """Waits until the page has drawn everything, and sees no failure on it."""
    page.wait_for_selector("h1")
    page.wait_for_function("() => !document.querySelector('[data-test-script-state=running]')")
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
    assert page.locator("[data-testid=stException]").count() == 0


def test_from_the_first_look_to_an_answer(
    serve: Callable[..., Server],
    open_page: Callable[..., Page],
    keep: Callable[[Page, str], None],
    runs_dir: Path,
) -> None:
    server, page = serve(), open_page()
    page.goto(server.url)
    page.get_by_role("heading", name="Overview", exact=True).wait_for()

    page.get_by_role("link", name="Train", exact=True).first.click()
    page.get_by_role("heading", name="Train", exact=True).wait_for()
    page.get_by_role("button", name="Start training").wait_for()
    is_quiet(page)
    page.get_by_role("button", name="Start training").dblclick()
    page.wait_for_function("() => location.search.includes('run=')")
    runs = services.list_runs(with_shipped=False)
    assert len(runs) == 1, "a double click starts one run"
    run_id = runs[0].id
    rows = len(services.read_metrics(run_id))
    wait_for_rows(run_id, rows + 2)
    page.locator(".mark-line path").first.wait_for(state="attached")
    keep(page, "train-live")
    page.get_by_role("button", name="Stop").first.click()
    wait_for_state(run_id, State.STOPPED, seconds=15)

    few = {"epochs": 1, "training_pictures": 1000, "validation_pictures": 100}
    finished = services.start_run(recipe("standard", "cnn4", **few), name="short")
    fabricate(runs_dir, Fake(run_id="another", epochs=1))  # for the comparison
    wait_for_state(finished, State.FINISHED)

    page.goto(f"{server.url}/results?run={finished}")
    page.locator(".js-plotly-plot .heatmaplayer").first.wait_for(state="attached")
    is_quiet(page)

    page.goto(f"{server.url}/classify?run={finished}")
    page.get_by_role("heading", name="Classify", exact=True).wait_for()
    picture = Image.fromarray(load_sample().test.images[0]).resize((200, 200))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    page.locator("input[type=file]").first.set_input_files(
        {"name": "mine.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    )
    page.get_by_text("takes this for").first.wait_for()
    is_quiet(page)

    for name, dark in ((n, d) for n in PAGES for d in (False, True)):
        shot = open_page(color_scheme="dark" if dark else "light")
        shot.goto(f"{server.url}/{'' if name == 'overview' else name}")
        is_quiet(shot)
        keep(shot, f"{name}-{'dark' if dark else 'light'}")
        shot.context.close()


def wait_for_rows(run_id: str, count: int) -> None:
    wait_until(lambda: len(services.read_metrics(run_id)) >= count)


@pytest.mark.parametrize(("name", "title"), list(zip(PAGES[1:], TITLES[1:], strict=True)))
def test_the_first_visitor_may_enter_by_any_page(
    serve: Callable[..., Server], open_page: Callable[..., Page], name: str, title: str
) -> None:
    page = open_page()
    page.goto(f"{serve().url}/{name}")
    page.get_by_role("heading", name=title, exact=True).wait_for()
    page.get_by_role("link", name="Dataset").wait_for()
    assert page.title() == f"{title} · CIFAR-10 Lab"


def test_a_killed_server_leaves_the_run_alone_and_finds_it_again(
    serve: Callable[..., Server], open_page: Callable[..., Page]
) -> None:
    run_id = services.start_run(recipe("standard", "cnn4", epochs=50, training_pictures=3000))
    server, page = serve(), open_page()
    address = f"{server.url}/train?run={run_id}"
    page.goto(address)
    page.get_by_role("button", name="Stop").first.wait_for()
    wait_for_rows(run_id, 2)
    server.kill()
    reached = len(services.read_metrics(run_id))
    wait_for_rows(run_id, reached + 2)
    serve(port=int(server.url.rpartition(":")[2]))
    page.goto(address)
    page.locator(".mark-line path").first.wait_for(state="attached")
    page.get_by_role("button", name="Stop").first.click()
    wait_for_state(run_id, State.STOPPED, seconds=15)
