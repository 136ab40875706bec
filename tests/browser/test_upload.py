"""A file that the server does not take: the page says why, what is allowed, and what to do."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
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
    tmp_path: Path,
    open_page: Callable[..., Page],
    keep: Callable[[Page, str], None],
    theme: str,
) -> None:
    most = MAX_SESSION_UPLOAD_BYTES // LARGE
    files = [tmp_path / f"no-{number}.png" for number in range(most + 1)]
    for file in files:
        file.write_bytes(image_of(LARGE))
    page = open_page(color_scheme=theme)
    page.goto(f"{lab.url}/classify")
    page.locator("[data-testid=stFileUploader] input[type=file]").set_input_files(files)
    box = page.locator(".lab-problem", has_text=f"{MAX_SESSION_UPLOAD_BYTES // 10**6} MB for each")
    expect(box).to_contain_text(re.compile(r"no-\d+\.png: not taken"))
    expect(page.get_by_text("status code")).to_have_count(0)
    expect(page.get_by_text(re.compile(f"{most} (files|pictures)"))).not_to_have_count(0)
    keep(page, f"upload-refused-{theme}")
