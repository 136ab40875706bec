"""Classify in a real browser: a photograph, a broken file, a zip of 300, the keyboard alone."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import expect

from cifar_core.dataset.sample import load_sample

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Locator, Page

    from tests.browser.conftest import Server

pytestmark = pytest.mark.browser

PATIENCE = 60_000
MOST_TABS = 100
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture
def page(lab: Server, open_page: Callable[..., Page]) -> Page:
    page = open_page()
    page.goto(f"{lab.url}/classify")
    page.get_by_test_id("stFileUploaderDropzone").wait_for()
    page.get_by_text("What is kept of you here").wait_for()  # the last of it: the page is drawn
    return page


def photograph() -> FilePayload:
    """A picture of the shipped sample as a camera lying on its side would store it, enlarged."""
    picture = Image.fromarray(load_sample().test.images[0]).resize((1200, 900))
    exif = Image.Exif()
    exif[0x0112] = 6
    return file("IMG_0001.jpg", encoded(picture, "JPEG", exif=exif.tobytes()))


def zip_of(count: int) -> FilePayload:
    """Pictures of the shipped sample, and one file that is no picture."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, picture in enumerate(load_sample().test.images[:count]):
            archive.writestr(f"{number:03d}.png", encoded(Image.fromarray(picture), "PNG"))
        archive.writestr("notes.txt", b"no picture")
    return file("holiday.zip", buffer.getvalue())


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def file(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def bring(page: Page, *files: FilePayload) -> None:
    page.locator("input[type=file]").first.set_input_files(list(files))


def test_a_photograph_is_answered_beside_what_the_network_sees_of_it(page: Page) -> None:
    bring(page, photograph())
    page.get_by_text(re.compile(r"CNN-4 takes this for an? \w+, \d+\.\d%")).first.wait_for()
    original = page.get_by_alt_text(re.compile("The original: 900 × 1,200 pixels, JPEG"))
    expect(original).to_have_attribute("alt", re.compile("turned upright"))
    box = original.bounding_box()
    assert box is not None
    assert box["height"] > box["width"]
    page.get_by_alt_text(re.compile("What the networks see: 32 × 32")).wait_for()


def test_a_photograph_stays_while_the_visitor_looks_at_another_page(page: Page) -> None:
    bring(page, photograph())
    page.get_by_alt_text(re.compile("The original: 900 × 1,200")).wait_for()
    page.get_by_role("link", name="Train", exact=True).first.click()
    page.get_by_role("heading", name="Train", exact=True).first.wait_for()
    page.get_by_role("link", name="Classify", exact=True).first.click()
    page.get_by_alt_text(re.compile("The original: 900 × 1,200")).wait_for()
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_text("No picture yet.").wait_for()


def test_a_broken_file_gets_a_sentence_and_costs_the_others_nothing(page: Page) -> None:
    broken = photograph()["buffer"][:400]
    bring(page, file("broken.jpg", broken), photograph(), file("notes.txt", b"no picture"))
    page.get_by_text("“broken.jpg” could not be read").wait_for()
    page.get_by_text("“notes.txt” is not a picture the lab can read.").wait_for()
    page.get_by_text("CNN-4 takes this for").first.wait_for()
    expect(page.get_by_text("Traceback")).to_have_count(0)


def test_a_zip_of_300_becomes_a_table_that_can_be_saved(page: Page) -> None:
    bring(page, zip_of(300))
    page.get_by_test_id("stDataFrame").wait_for()
    page.get_by_text("301 files: 300 pictures, 1 not readable.").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as CSV").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 302
    assert lines[0].startswith('"File","SHA-256",')
    assert '"CNN-4","CNN-4, how sure"' in lines[0]
    assert "“notes.txt” is not a picture" in lines[-1]


def test_a_dropped_picture_is_answered(page: Page) -> None:
    data = encoded(Image.fromarray(load_sample().test.images[1]), "PNG")
    moved = page.evaluate_handle(
        """bytes => { const moved = new DataTransfer();
          moved.items.add(new File([new Uint8Array(bytes)], "dropped.png", {type: "image/png"}));
          return moved; }""",
        list(data),
    )
    page.get_by_test_id("stFileUploaderDropzone").dispatch_event("drop", {"dataTransfer": moved})
    page.get_by_text("dropped.png").first.wait_for()
    page.get_by_text("CNN-4 takes this for").first.wait_for()


def test_the_keyboard_alone_brings_pictures_and_opens_one_of_many(page: Page) -> None:
    for _ in range(10):  # a press is lost where the page is drawn anew between Tab and Enter
        tab_to(page, page.get_by_test_id("stFileUploaderDropzone").locator("button"))
        with suppress(PlaywrightTimeout):
            with page.expect_file_chooser(timeout=10_000) as chooser:
                page.keyboard.press("Enter")
            chooser.value.set_files([zip_of(9)])
            break
    else:
        pytest.fail("Enter opened no choice of files")
    page.get_by_text("10 files: 9 pictures, 1 not readable.").wait_for()
    tab_to(page, page.get_by_role("combobox", name=re.compile("The whole answer for")))
    page.keyboard.type("004.png")
    page.keyboard.press("Enter")
    page.get_by_text(re.compile("CNN-4 takes this for")).first.wait_for()
    tab_to(page, page.get_by_role("radio", name="Yes"))
    page.keyboard.press("Space")
    agree = page.get_by_role("checkbox", name=re.compile("I agree that the lab keeps this"))
    agree.wait_for()
    tab_to(page, agree)
    page.keyboard.press("Space")
    keep = page.get_by_role("button", name="Keep what I said")
    expect(keep).to_be_enabled(timeout=PATIENCE)
    tab_to(page, keep)
    page.keyboard.press("Enter")
    page.get_by_text("What you said is kept").wait_for()


def tab_to(page: Page, wanted: Locator) -> None:
    """Presses Tab until an element has the focus; fails where the keyboard cannot reach it."""
    holds_focus = "element => element.contains(document.activeElement)"
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.count() and wanted.first.evaluate(holds_focus):
            return
        page.evaluate(DRAWN)  # as a person: a page that is still being drawn loses the focus
    pytest.fail(f"{wanted} is not reached by {MOST_TABS} presses of Tab")
