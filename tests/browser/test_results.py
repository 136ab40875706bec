"""Results in a real browser: a click on the matrix opens exactly that cell's pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from cifar_core import services
from tests.browser.conftest import serving
from tests.browser.matrix import click_cell, expect_pictures, wanted_indices, wanted_test_indices
from tools.fabricate import Fake

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.data]

BY_EPOCH = "split=Validation+pictures+by+epoch"
TALL = {"width": 1400, "height": 1400}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Serves one fabricated run, which the tests only look at; gives address and folder."""
    fake = Fake(run_id="fake-run", accuracy=0.6, epochs=4)
    with serving(tmp_path_factory.mktemp("results"), fake) as served:
        yield served


@pytest.fixture
def lab(served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> str:
    """Returns the address of the run's results, and lets the test read the run itself."""
    url, runs_dir = served
    monkeypatch.setenv("CIFAR_LAB_RUNS", str(runs_dir))
    return f"{url}/results?run=fake-run"


def of_test(true: int, predicted: int) -> list[int]:
    return wanted_test_indices("fake-run", true=true, predicted=predicted)


def test_a_clicked_cell_opens_its_pictures_and_a_link_opens_them_elsewhere(
    lab: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport=TALL)
    page.goto(lab)
    for true, predicted in ((3, 5), (9, 1)):
        click_cell(page, true=true, predicted=predicted)
        expect_pictures(page, of_test(true, predicted))
    expect(page).to_have_url(re.compile(r"true=truck.*predicted=automobile"))

    elsewhere = open_page()
    elsewhere.goto(page.url)
    expect(elsewhere.get_by_text(re.compile("trucks were taken for automobiles"))).to_be_visible()
    expect_pictures(elsewhere, of_test(9, 1))

    click_cell(page, true=9, predicted=1)
    expect(page.get_by_text("pictures were answered wrongly")).to_be_visible()


NOTE_THE_FILM = r"""() => {
  window.seenEpochs = [];
  new MutationObserver(() => {
    const found = document.body.innerText.match(/Epoch ([234]) of 4/);
    if (found) window.seenEpochs.push(found[1]);
  }).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
"""The film is over in a moment: a look from outside may come too late."""


def test_the_slider_shows_the_stored_answers_of_its_epoch_and_the_film_ends_at_the_last(
    lab: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport=TALL)
    page.goto(f"{lab}&{BY_EPOCH}&epoch=2&true=cat&predicted=dog")
    run = services.read_run("fake-run")
    slider = page.get_by_role("slider", name="Epoch")
    for epoch, key in ((2, ""), (3, "ArrowRight"), (1, "Home")):
        if key:
            slider.press(key)
        answers = services.read_predictions(run, epoch=epoch)
        expect_pictures(page, wanted_indices(answers, true=3, predicted=5), "train")
        title = page.locator(".js-plotly-plot .gtitle").filter(has_text=f"epoch {epoch}")
        expect(title).to_be_visible()
        expect(page).to_have_url(re.compile(f"epoch={epoch}"))

    page.evaluate(NOTE_THE_FILM)
    page.get_by_role("button", name="Play the epochs").click()
    page.wait_for_function("() => window.seenEpochs.length > 0")
    expect(slider).to_have_value("4")
    expect(page.get_by_role("button", name="Play the epochs")).to_be_visible()


def test_the_keyboard_alone_opens_a_cell(lab: str, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport=TALL)
    page.goto(lab)
    page.get_by_role("combobox", name=re.compile("Shows")).wait_for()
    for label, name in (("Shows", "cat"), ("Taken for", "dog")):
        tab_to(page, label)
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(name))
    expect(page.get_by_text(re.compile("cats were taken for dogs"))).to_be_visible()
    expect_pictures(page, of_test(3, 5))


def tab_to(page: Page, label: str) -> None:
    """Presses Tab until the field of this label has the focus, as a person without a mouse."""
    for _ in range(100):
        focused = page.evaluate("document.activeElement.getAttribute('aria-label') ?? ''")
        if label in focused:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{label!r} cannot be reached with the Tab key")


def test_the_camera_saves_the_chart_without_a_browser_on_the_server(
    lab: str, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport=TALL)
    page.goto(lab)
    for kind, start in (("png", b"\x89PNG"), ("svg", b"<svg")):
        page.get_by_role("radio", name=kind.upper()).click()
        page.wait_for_function(
            "kind => document.querySelector('.js-plotly-plot')?._context"
            "?.toImageButtonOptions?.format === kind",
            arg=kind,
        )
        with page.expect_download() as download:
            page.locator(".modebar-btn[aria-label^=Download]").first.click()
        assert download.value.suggested_filename == f"confusion-fake-run-test-epoch-4.{kind}"
        assert Path(download.value.path()).read_bytes().startswith(start)
