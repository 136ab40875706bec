"""The browser's history: a choice is one entry of it, and Back undoes one choice."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import serving
from tools.fabricate import Fake

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.data]

QUIET = """() => !document.querySelector('[data-test-script-state=running]')
  && !document.querySelector('[data-testid=stSkeleton]')"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serves three fabricated runs, which the tests only look at; gives the address."""
    fakes = (
        Fake(run_id="four", accuracy=0.6, name="Four", created_at=1.0),
        Fake(run_id="six", network="cnn6", accuracy=0.7, name="Six", created_at=2.0),
        Fake(run_id="third", seed=3, accuracy=0.65, name="Third", created_at=3.0),
    )
    with serving(tmp_path_factory.mktemp("history"), *fakes) as (address, _):
        yield address


def segment(page: Page, name: str) -> Locator:
    return page.get_by_role("radio", name=name, exact=True)


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).first.click()


def settle(page: Page, heading: str) -> None:
    page.get_by_role("heading", name=heading, exact=True).wait_for()
    page.wait_for_function(QUIET)


def walk(page: Page, heading: str, *choices: Callable[[], None]) -> None:
    """Makes choices, each of which is one entry, and takes each back with one press of Back."""
    settle(page, heading)
    entries, before = page.evaluate("history.length"), [page.url]
    for number, make in enumerate(choices, start=1):
        make()
        page.wait_for_function("old => location.href !== old", arg=before[-1])
        settle(page, heading)
        assert page.evaluate("history.length") == entries + number, (number, page.url)
        before.append(page.url)
    for address in before[-2::-1]:
        page.go_back()
        settle(page, heading)
        expect(page).to_have_url(address)


def asked(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_on_results_back_undoes_one_choice_and_then_leaves(
    url: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 1400, "height": 2000})
    page.goto(f"{url}/glossary")
    settle(page, "Glossary")
    page.get_by_role("link", name="Results", exact=True).click()
    shown = page.get_by_role("combobox", name="Run")
    first = ""

    def other_run() -> None:
        nonlocal first
        first = shown.input_value()
        choose(page, "Run", "Four")

    walk(
        page,
        "Results",
        other_run,
        lambda: choose(page, "Shows", "cat"),
        lambda: segment(page, "% of true").click(),
        lambda: segment(page, "Classes").click(),
        lambda: choose(page, "Highlighted", "frog"),
        lambda: segment(page, "Confidence").click(),
    )
    expect(shown).to_have_value(first)
    expect(segment(page, "Confusions")).to_be_checked()
    expect(segment(page, "Counts")).to_be_checked()
    page.go_back()
    settle(page, "Glossary")


def test_on_compare_back_undoes_one_choice_and_restores_the_fields(
    url: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 1400, "height": 2600})
    page.goto(f"{url}/compare?runs=four,six,third")
    walk(
        page,
        "Compare",
        lambda: choose(page, "Second", "Third"),
        lambda: segment(page, "Loss").click(),
        lambda: segment(page, "Mistakes").click(),
        lambda: choose(page, "Taken for", "dog"),
        lambda: choose(page, "Order", "vehicles | animals"),
        lambda: segment(page, "Pictures").click(),
        lambda: page.get_by_role("combobox", name="Runs").press("Backspace"),
    )
    assert asked(page) == {"runs": "four,six,third"}
    expect(segment(page, "Learning")).to_be_checked()
    expect(segment(page, "Accuracy")).to_be_checked()
    expect(page.get_by_role("combobox", name="Second")).to_have_value("Six")
    page.go_forward()
    settle(page, "Compare")
    expect(page.get_by_role("combobox", name="Second")).to_have_value("Third")


@pytest.mark.parametrize(
    ("place", "heading", "views"),
    [
        ("networks", "Networks", ("CNN-6", "CNN-7")),
        ("dataset", "Dataset", ("Classes", "Arrays")),
    ],
)
def test_a_view_of_any_page_is_an_entry(
    url: str, open_page: Callable[..., Page], place: str, heading: str, views: tuple[str, str]
) -> None:
    page = open_page(viewport={"width": 1400, "height": 1600})
    page.goto(f"{url}/{place}")
    walk(page, heading, *(functools.partial(segment(page, view).click) for view in views))


def test_a_part_of_a_network_and_a_run_of_the_list_are_entries(
    url: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 1400, "height": 1600})
    page.goto(f"{url}/networks?network=CNN-6")
    tab = page.get_by_role("tab", name="Keras code")
    walk(page, "Networks", tab.click)
    expect(page.get_by_role("tab").first).to_have_attribute("aria-selected", "true")
    page.goto(f"{url}/train?run=four")
    table = page.locator(".st-key-train_list [data-testid=stDataFrame]")
    walk(
        page,
        "Train",
        lambda: table.click(position={"x": 90, "y": 36 + 18}),
        lambda: table.click(position={"x": 90, "y": 2 * 36 + 18}),
    )
    expect(page.locator(".lab-run")).to_have_text("Four")
