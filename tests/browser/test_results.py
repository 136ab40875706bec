"""Results in a real browser: a click on the matrix opens exactly that cell's pictures."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from cifar_core import services
from cifar_core.settings import PROJECT_DIR
from tests.fabricate import Fake, fabricate

pytestmark = [pytest.mark.browser, pytest.mark.data, pytest.mark.timeout(240)]

CELL_CENTRE = """([column, row]) => {
  const plot = document.querySelector('.js-plotly-plot'), box = plot.getBoundingClientRect();
  const {xaxis, yaxis} = plot._fullLayout;
  return [box.x + xaxis._offset + xaxis.c2p(column), box.y + yaxis._offset + yaxis.c2p(row)];
}"""


@pytest.fixture
def lab(runs_dir: Path) -> Iterator[str]:
    """Serves the lab with one fabricated run; yields its address."""
    fabricate(runs_dir, Fake(run_id="fake-run", accuracy=0.6, epochs=4))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=PROJECT_DIR,
        env={**os.environ, "CIFAR_LAB_RUNS": str(runs_dir)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(f"{address}/_stcore/health")
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture
def page(lab: str, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1400, "height": 1400})
    page.set_default_timeout(30_000)
    page.goto(lab)
    page.get_by_role("heading", name="Dataset", exact=True).wait_for()
    yield page
    page.close()


def wait_until_healthy(address: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def click_cell(page: Page, true: int, predicted: int) -> None:
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    page.wait_for_function("!!document.querySelector('.js-plotly-plot')?._fullLayout?.xaxis?.c2p")
    x, y = page.evaluate(CELL_CENTRE, [predicted, true])
    page.mouse.move(x, y)
    page.locator(".hoverlayer .hovertext").first.wait_for()
    page.evaluate("document.querySelector('.js-plotly-plot').isOld = true")
    page.mouse.click(x, y)
    # The chart is drawn anew, with the cell framed: a click before that would be lost.
    page.wait_for_function(
        "!(document.querySelector('.js-plotly-plot') ?? {isOld: true}).isOld", timeout=15_000
    )


def expect_pictures(page: Page, wanted: list[int]) -> None:
    """Waits for the gallery to begin with the first of these test pictures, compares all."""
    notes = page.locator(".lab-gallery .lab-note")
    expect(notes.first).to_contain_text(re.compile(rf"test\s{wanted[0]}$"), timeout=15_000)
    expect(notes).to_have_count(len(wanted))
    shown = re.findall(r"test\s(\d+)", " ".join(notes.all_inner_texts()))
    assert [int(index) for index in shown] == wanted


def wanted_indices(true: int, predicted: int) -> list[int]:
    answers = services.read_test_predictions(services.read_run("fake-run"))
    guesses = answers.probabilities.argmax(axis=1)
    places = np.flatnonzero((answers.labels == true) & (guesses == predicted))
    order = np.argsort(-answers.probabilities[places].max(axis=1), kind="stable")
    return [int(index) for index in answers.indices[places[order]][:12]]


def test_a_clicked_cell_opens_its_pictures_and_lives_in_the_address(page: Page, lab: str) -> None:
    page.goto(f"{lab}/results")
    for true, predicted in ((3, 5), (9, 1)):
        click_cell(page, true, predicted)
        expect_pictures(page, wanted_indices(true, predicted))
    expect(page).to_have_url(re.compile(r"true=truck.*predicted=automobile"))

    link = page.url
    other = page.context.browser
    assert other is not None
    second = other.new_page()
    second.goto(link)
    expect(second.get_by_text(re.compile("trucks were taken for automobiles"))).to_be_visible()
    expect_pictures(second, wanted_indices(9, 1))

    click_cell(page, 9, 1)
    expect(page.get_by_text("pictures were answered wrongly")).to_be_visible()


def test_the_epochs_play_and_stop_at_the_last(page: Page, lab: str) -> None:
    page.goto(f"{lab}/results?split=Validation+pictures+by+epoch&epoch=2")
    page.get_by_role("button", name="Play the epochs").click()
    expect(page.get_by_text(re.compile("Epoch [234] of 4"))).to_be_visible(timeout=15_000)
    expect(page.get_by_role("slider", name="Epoch")).to_have_value("4", timeout=30_000)
    expect(page.get_by_role("button", name="Play the epochs")).to_be_visible()


def test_the_keyboard_alone_opens_a_cell(page: Page, lab: str) -> None:
    page.goto(f"{lab}/results")
    for label, name in (("Shows", "cat"), ("Taken for", "dog")):
        page.get_by_role("combobox", name=re.compile(label)).focus()
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(name))
    expect(page.get_by_text(re.compile("cats were taken for dogs"))).to_be_visible()
    expect_pictures(page, wanted_indices(3, 5))
