"""What a visitor is shown: the first visit, the report, the presentation, and who can use them."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from cifar_core import services
from cifar_core.networks import NETWORKS
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.kit.first_visit import COOKIE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import Server

pytestmark = pytest.mark.browser

AXE = Path(__file__).with_name("axe.min.js")
PAGES = (
    *("", "dataset", "networks", "train", "results", "compare", "classify", "report", "glossary"),
)

FOREIGN = ("[data-testid=stSidebarNav]",)
"""Not ours to mend: Streamlit's navigation puts a box between its list and the items of it, which
axe takes for a list with wrong children. Screen readers read its links as links."""

CHECK = """async (foreign) => {
  const context = {exclude: foreign.map((selector) => [selector])};
  const answer = await axe.run(context, {resultTypes: ["violations"]});
  return answer.violations
    .filter((one) => ["serious", "critical"].includes(one.impact))
    .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 200)}`));
}"""


@pytest.fixture
def report_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A report on the shipped models, on the disk."""
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "data"))
    path = tmp_path / "report.html"
    path.write_bytes(services.make_report(services.headline_runs()))
    return path


def watch(page: Page) -> tuple[list[str], list[str]]:
    """Returns the lists into which the page's requests and errors will come."""
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: errors.append(message.text) if message.type == "error" else None,
    )
    return requests, errors


def wait_until_quiet(page: Page) -> None:
    page.wait_for_selector("h1")
    page.wait_for_function("() => !document.querySelector('[data-test-script-state=running]')")
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")


def skipped_levels(page: Page) -> list[str]:
    """Returns the headings that lie more than one level below the one before them."""
    headings = page.locator("h1, h2, h3, h4").all()
    levels = [int(str(heading.evaluate("one => one.tagName[1]"))) for heading in headings]
    found = zip(levels, (heading.inner_text() for heading in headings), strict=True)
    return [text for (above, _), (level, text) in itertools.pairwise(found) if level > above + 1]


def serious_findings(page: Page, *, foreign: tuple[str, ...] = ()) -> list[str]:
    """Returns what axe finds on a page that is serious or critical."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(CHECK, list(foreign))
    return found


def test_a_first_visit_leads_through_the_lab_and_a_later_one_does_not(
    lab: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    page.goto(lab.url)
    page.get_by_role("button", name="Start with step 1").click()
    for place, title in enumerate(("Dataset", "Networks", "Train", "Results", "Classify"), 1):
        page.get_by_role("heading", name=title, exact=True).wait_for()
        expect(page.get_by_text(f"Step {place} of 5.")).to_be_visible()
        page.locator(".st-key-tour_line").get_by_role("link").click()
    page.get_by_role("heading", name="Overview", exact=True).wait_for()

    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert abs(int(str(cookies[COOKIE]["value"])) - time.time()) < 300
    two_hours_ago = str(int(time.time()) - 7200)
    page.context.add_cookies([{"name": COOKIE, "value": two_hours_ago, "url": lab.url}])
    later = page.context.new_page()
    later.goto(lab.url)
    later.get_by_role("button", name="Five steps through the lab").wait_for()
    expect(later.get_by_role("button", name="Start with step 1")).to_have_count(0)


def test_a_report_opens_from_disk_without_a_network(
    report_path: Path, open_page: Callable[..., Page]
) -> None:
    page = open_page(offline=True)
    requests, errors = watch(page)
    page.goto(report_path.as_uri())
    page.wait_for_function(
        "() => [...document.querySelectorAll('#document .chart')].every((chart) => "
        "chart.querySelector('.main-svg'))"
    )
    assert page.locator("#document .chart").count() == 4 + len(NETWORKS)
    assert requests == [report_path.as_uri()]
    assert errors == []
    page.locator('[data-figure="accuracy"] .nsewdrag').hover()
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).fontSize") != "16px"


def test_a_report_fits_a_phone(report_path: Path, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": 390, "height": 844})
    page.goto(report_path.as_uri())
    page.locator(".main-svg").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_printed_report_opens_its_tables_and_cuts_no_chart(
    report_path: Path, open_page: Callable[..., Page]
) -> None:
    page = open_page(viewport={"width": 1400, "height": 1000})
    page.goto(report_path.as_uri())
    page.locator(".main-svg").first.wait_for()
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert page.locator("details:not([open])").count() == 0
    page.emulate_media(media="print")
    # A4 leaves 182 mm between margins of 14 mm: 688 pixels; Chromium scales down a little more.
    widest = page.evaluate(
        "Math.max(...[...document.querySelectorAll('.chart')].map((chart) => chart.scrollWidth))"
    )
    assert widest <= 700


def test_the_presentation_from_disk_follows_the_keyboard(
    report_path: Path, open_page: Callable[..., Page]
) -> None:
    page = open_page(offline=True, viewport={"width": 1280, "height": 720})
    requests, errors = watch(page)
    page.goto(report_path.as_uri())
    page.get_by_role("button", name="Present").focus()
    page.keyboard.press("Enter")
    counter = page.locator("#counter")
    last = page.locator(".slide").count()
    expect(counter).to_have_text(f"1 of {last}")
    for key, place in (
        *(("ArrowRight", 2), ("PageDown", 3), (" ", 4), ("ArrowLeft", 3), ("End", last)),
        *(("ArrowRight", last), ("Home", 1), ("ArrowLeft", 1)),
    ):
        page.keyboard.press(key)
        expect(counter).to_have_text(f"{place} of {last}")
        expect(page.locator(".slide:visible h2")).to_have_count(1)
    for _ in range(last - 1):
        page.keyboard.press("ArrowRight")
        assert page.evaluate("document.activeElement.tagName") == "H2"
        too_large = page.evaluate(
            "(() => {const slide = document.querySelector('.slide:not([hidden])');"
            "return slide.scrollHeight > slide.clientHeight + 1;})()"
        )
        assert not too_large, page.locator(".slide:visible h2").inner_text()
    page.keyboard.press("Escape")
    expect(page.locator("#document")).to_be_visible()
    expect(page.locator("#stage")).to_be_hidden()
    assert requests == [report_path.as_uri()]
    assert errors == []


def test_the_presentation_in_the_lab_is_reached_and_left_by_the_keyboard_alone(
    lab: Server, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    page.goto(lab.url)
    page.get_by_role("link", name="Present it").focus()
    page.keyboard.press("Enter")
    counter = page.frame_locator("iframe[title=Presentation]").locator("#counter")
    expect(counter).to_have_text(re.compile("^1 of"), timeout=60_000)
    for place in (2, 3):
        page.keyboard.press("ArrowRight")
        expect(counter).to_have_text(re.compile(f"^{place} of"))
    page.keyboard.press("Escape")
    expect(page.locator("iframe[title=Presentation]")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"/report$"))
    expect(page.get_by_role("heading", name="Report", level=1)).to_be_visible()


@pytest.mark.parametrize(
    "form",
    [
        {"color_scheme": "light", "viewport": {"width": 1440, "height": 900}},
        {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
    ],
    ids=["light", "dark phone"],
)
def test_axe_finds_nothing_serious_on_any_page_and_no_heading_skips_a_level(
    lab: Server, browser: Browser, form: dict[str, Any]
) -> None:
    context = browser.new_context(bypass_csp=True, **form)  # or the page refuses axe itself
    context.set_default_timeout(60_000)
    found = {}
    for name in PAGES:
        page = context.new_page()
        page.goto(f"{lab.url}/{name}")
        wait_until_quiet(page)
        found[name] = serious_findings(page, foreign=FOREIGN) + skipped_levels(page)
        page.close()
    context.close()
    assert found == {name: [] for name in PAGES}


def test_axe_finds_nothing_serious_in_a_report_and_on_its_stage(
    report_path: Path, browser: Browser
) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(report_path.as_uri())
    page.locator(".main-svg").first.wait_for()
    assert serious_findings(page) == []
    page.get_by_role("button", name="Present").click()
    assert serious_findings(page) == []
    context.close()
