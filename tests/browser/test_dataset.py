"""The Dataset page in a real browser, from the shipped sample: gallery, map, one picture."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cifar_core.dataset.sample import load_sample

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Server

pytestmark = pytest.mark.browser

POINTS = """() => {
  const plot = document.querySelector('.js-plotly-plot'), box = plot.getBoundingClientRect();
  const {xaxis, yaxis} = plot._fullLayout;
  return plot._fullData.slice(0, 10).flatMap((trace) => Array.from(trace.x, (x, i) => [
    box.x + xaxis._offset + xaxis.c2p(x), box.y + yaxis._offset + yaxis.c2p(trace.y[i]),
    trace.text[i]]));
}"""


def expect_gallery(page: Page, wanted: list[int]) -> None:
    """Waits until the last gallery of the page shows exactly these numbers."""
    page.wait_for_function(
        """(wanted) => {
          const galleries = document.querySelectorAll('.lab-gallery');
          const notes = galleries[galleries.length - 1]?.querySelectorAll('.lab-note') ?? [];
          const shown = Array.from(notes, (note) => note.textContent.match(/\\d+/)?.[0]);
          return JSON.stringify(shown) === JSON.stringify(wanted);
        }""",
        arg=[str(index) for index in wanted],
    )


def test_the_gallery_follows_every_choice_and_the_address_brings_it_back(
    lab: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    page.goto(f"{lab.url}/dataset")
    page.get_by_role("radio", name="test").or_(page.get_by_role("button", name="test")).click()
    choice = page.get_by_role("combobox", name=re.compile("Class"))
    choice.focus()
    page.keyboard.type("ship")
    page.keyboard.press("Enter")
    test = load_sample().test
    ships = test.indices[test.labels == 8]
    expect_gallery(page, [int(index) for index in ships[:48]])
    page.get_by_role("button", name="Page 2", exact=True).click()
    expect_gallery(page, [int(index) for index in ships[48:96]])
    page.wait_for_function("() => location.search.includes('page=2')")
    assert "class=ship" in page.url
    assert "split=test" in page.url

    second = open_page()
    second.goto(page.url)
    expect_gallery(second, [int(index) for index in ships[48:96]])

    second.locator(".lab-gallery").last.locator("a").nth(3).click()
    second.get_by_role("heading", name="Picture", exact=True).wait_for()
    second.get_by_text(f"Test picture {ships[51]}.").wait_for()
    second.get_by_text("takes this for").first.wait_for()
    assert f"index={ships[51]}" in second.url
    second.go_back()
    expect_gallery(second, [int(index) for index in ships[48:96]])


def test_a_lasso_on_the_map_opens_the_pictures_inside_it(
    lab: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    page.goto(f"{lab.url}/dataset?part=Map")
    page.wait_for_function(
        "() => document.querySelector('.js-plotly-plot')?._fullData?.length === 12"
    )
    page.locator(".js-plotly-plot").scroll_into_view_if_needed()
    page.locator(".js-plotly-plot").element_handle().wait_for_element_state("stable")
    points = page.evaluate(POINTS)
    assert len(points) == 2000
    places = np.array([point[:2] for point in points])
    left, top = places[np.argmin(((places - places[7]) ** 2).sum(axis=1))] - 25
    right, bottom = left + 50, top + 50
    inside = {
        text for x, y, text in points if left + 1 < x < right - 1 and top + 1 < y < bottom - 1
    }
    near = {text for x, y, text in points if left - 1 < x < right + 1 and top - 1 < y < bottom + 1}
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top)):
        page.mouse.move(x, y, steps=10)
    page.mouse.up()
    page.get_by_text("Circled:").wait_for()
    shown = page.locator(".lab-gallery").last.locator("img")
    labels = [item.get_attribute("alt") for item in shown.all()]
    notes = page.locator(".lab-gallery").last.locator(".lab-note").all_inner_texts()
    found = {f"{label}, {note}" for label, note in zip(labels, notes, strict=True)}
    assert found <= near
    assert len(found) >= min(len(inside), 24)


def test_the_keyboard_opens_the_pictures_of_a_class_on_the_map(
    lab: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    page.goto(f"{lab.url}/dataset?part=Map")
    choice = page.get_by_role("combobox", name=re.compile("Class"))
    choice.focus()
    page.keyboard.type("frog")
    page.keyboard.press("Enter")
    page.get_by_text("200 frogs on the map").wait_for()
    assert page.locator(".lab-gallery").last.locator("img").first.get_attribute("alt") == "frog"
    page.wait_for_function("() => location.search.includes('map_class=frog')")


def test_a_picture_of_results_leads_to_its_own_page(
    lab: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    page.goto(f"{lab.url}/results?run=cnn4")
    link = page.locator(".lab-gallery a").first
    link.wait_for()
    address = link.get_attribute("href") or ""
    link.click()
    page.get_by_role("heading", name="Picture", exact=True).wait_for()
    assert address in page.url
