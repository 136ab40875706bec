"""Networks in a real browser: activations drawn, a number worked out, links that restore both."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from cifar_core.dataset.sample import load_sample
from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.settings import PROJECT_DIR

if TYPE_CHECKING:
    from tests.browser.conftest import Server

pytestmark = pytest.mark.browser

CNN4 = PROJECT_DIR / "models" / "cnn4" / "model.tflite"
IS_LOADED = "image => image.complete && image.naturalWidth > 0"


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    page = open_page()
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    return page


def test_activations_are_drawn_and_follow_layer_and_picture(lab: Server, page: Page) -> None:
    page.goto(f"{lab.url}/networks?part=Activations&picture=1")
    flow = page.locator(".lab-flow")
    expect(flow.locator("header")).to_have_count(11)  # the picture and CNN-4's ten steps
    assert flow.locator("img").first.evaluate(IS_LOADED)

    page.get_by_role("combobox", name="Layer").click()
    page.get_by_role("option", name=re.compile("^5 ")).click()
    cells = page.locator(".lab-channels figure")
    expect(cells).to_have_count(64)
    expect(page).to_have_url(re.compile("layer=5"))
    made = LayerInspector(CNN4).look(load_sample().test.picture(1))[4].made
    strongest = int(np.abs(made).mean(axis=(0, 1)).argmax())
    expect(cells.first).to_contain_text(re.compile(rf"^{strongest} "))
    sizes = cells.first.locator("img").evaluate(
        "image => [image.width / image.naturalWidth, getComputedStyle(image).imageRendering]"
    )
    assert sizes == [int(sizes[0]), "pixelated"], "enlarged by a whole factor, squares stay squares"

    second = page.context.new_page()
    second.goto(page.url)
    expect(second.locator(".lab-channels figure")).to_have_count(64)


def test_an_own_picture_is_looked_at(lab: Server, page: Page, tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "mine.png"
    Image.new("RGB", (300, 200), (200, 30, 30)).save(path)
    page.goto(f"{lab.url}/networks?part=Activations&from=Your+picture")
    expect(page.get_by_text("No picture yet.")).to_be_visible()
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text(re.compile("mine.png: the network says"))).to_be_visible()
    expect(page.locator(".lab-flow header")).to_have_count(11)


def test_a_convolution_is_worked_out_and_its_place_lives_in_the_address(
    lab: Server, page: Page
) -> None:
    link = "part=Step+by+step&picture=1&layer=1&filter=2&row=0&column=31"
    page.goto(f"{lab.url}/networks?{link}")
    verdict = page.locator(".lab-verdict")
    expect(verdict).to_contain_text("the same")
    pixels = load_sample().test.picture(1)
    red = page.locator(".lab-work .lab-line").nth(1).locator("table").first.locator("td")
    # The upper right corner: the first row and the last column lie outside.
    upper, lower = (pixels[row, 30:, 0].astype(str).tolist() for row in (0, 1))
    expect(red).to_have_text(["0", "0", "0", *upper, "0", *lower, "0"])
    expect(page.locator(".lab-outside")).to_have_count(20)
    made = LayerInspector(CNN4).look(pixels)[0].made
    expect(verdict).to_contain_text(f"{made[0, 31, 2]:.7f}")

    page.get_by_role("spinbutton", name="Filter").fill("7")
    page.keyboard.press("Enter")
    expect(verdict).to_contain_text(f"{made[0, 31, 7]:.7f}")
    row, column = divmod(int(made[..., 7].argmax()), 32)
    assert (row, column) != (0, 31)
    page.get_by_role("button", name="Brightest place").click()
    expect(verdict).to_contain_text(f"{made[row, column, 7]:.7f}")
    expect(page).to_have_url(re.compile(rf"row={row}.*column={column}"))


@pytest.mark.parametrize("part", ["Layers", "Filters", "Activations", "Step+by+step"])
def test_no_part_is_wider_than_a_phone(
    lab: Server, open_page: Callable[..., Page], part: str
) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    page.goto(f"{lab.url}/networks?part={part}")
    expect(page.locator(".lab-origin").last).to_be_visible(timeout=60_000)
    widths = page.get_by_test_id("stMain").evaluate("main => [main.scrollWidth, main.clientWidth]")
    assert widths[0] == widths[1]
