"""A file that the server does not take: the page says why, what is allowed, and what to do."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

from cifar_core.settings import MAX_SESSION_UPLOAD_BYTES

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Server

pytestmark = [pytest.mark.browser]

LARGE = 9_500_000


def image_of(size: int) -> bytes:
    """Returns a PNG of this many bytes: what lies behind its end is none of the image."""
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 90)).save(buffer, "PNG")
    return buffer.getvalue().ljust(size, b"\0")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_file_beyond_a_visitors_share_is_refused_in_three_sentences(
    lab: Server,
    open_page: Callable[..., Page],
    keep: Callable[[Page, str], None],
    theme: str,
) -> None:
    page = open_page(color_scheme=theme)
    page.goto(f"{lab.url}/classify")
    field = page.locator("[data-testid=stFileUploader] input[type=file]")
    most = MAX_SESSION_UPLOAD_BYTES // LARGE
    for number in range(most + 1):
        file = {"name": f"no-{number}.png", "mimeType": "image/png", "buffer": image_of(LARGE)}
        field.set_input_files([file])
        expect(page.locator("[data-testid=stFileUploader]")).to_contain_text(f"no-{number}.png")
        page.wait_for_function("() => !document.querySelector('[data-test-script-state=running]')")
    expect(page.get_by_text("This file was not taken").first).to_be_visible()
    expect(page.get_by_text("100 MB for each visitor").first).to_be_visible()
    expect(page.get_by_text("status code")).to_have_count(0)
    keep(page, f"upload-refused-{theme}")
