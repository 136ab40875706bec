"""Visitors look, operators train: signing in with a real browser at a real, small service."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cifar_core.runs import reading
from tests.browser.conftest import free_port, start_server
from tests.browser.identity import CLIENT_ID, CLIENT_SECRET, identity_service
from tools.fabricate import Fake, fabricate

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

RUN = "20261127-120000-aaaa00"
ACTIONS = ("Start training", "Stop and keep", "Resume", "Clone", "Rename or note", "Delete")


@dataclass(frozen=True)
class Lab:
    """A running lab with a sign-in service and one run; Anna is its only operator."""

    url: str
    runs_dir: Path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    fabricate(folder / "runs", Fake(run_id=RUN, name="A run of the lab"))
    port = free_port()
    with identity_service() as identity:
        secrets_path = folder / ".streamlit" / "secrets.toml"
        secrets_path.parent.mkdir()
        secrets_path.write_text(
            "[auth]\n"
            f'redirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
            f'cookie_secret = "{secrets.token_hex(16)}"\n'
            f'client_id = "{CLIENT_ID}"\nclient_secret = "{CLIENT_SECRET}"\n'
            f'server_metadata_url = "{identity.url}/.well-known/openid-configuration"\n'
        )
        server = start_server(
            folder / "server.log",
            port,
            HOME=str(folder),
            CIFAR_LAB_OPERATORS="anna@example.org",
            CIFAR_LAB_RUNS=str(folder / "runs"),
        )
        yield Lab(server.url, folder / "runs")
        server.kill()


def sign_in(page: Page, lab: Lab, account: str) -> None:
    page.goto(f"{lab.url}/train")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=account, exact=True).click()
    page.get_by_role("button", name="Sign out").wait_for()


def offered(page: Page, lab: Lab) -> list[str]:
    """Returns the actions that the Train page offers with the run selected."""
    page.goto(f"{lab.url}/train?run={RUN}")
    page.get_by_role("heading", name="Runs", exact=True).wait_for()
    page.locator("[data-testid=stDataFrame]").first.wait_for()
    page.wait_for_function("() => !document.querySelector('[data-test-script-state=running]')")
    return [name for name in ACTIONS if page.get_by_role("button", name=name).count()]


def test_who_has_not_signed_in_looks_and_is_offered_no_action(
    lab: Lab, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    assert offered(page, lab) == []
    page.get_by_role("button", name="Sign in").wait_for()


def test_an_operator_acts_while_a_visitor_beside_them_cannot(
    lab: Lab, open_page: Callable[..., Page], keep: Callable[[Page, str], None]
) -> None:
    anna, victor = open_page(), open_page()
    sign_in(anna, lab, "anna")
    sign_in(victor, lab, "victor")
    victor.get_by_text("Signed in as Victor *Visitor*, visitor").wait_for()
    for _ in range(2):
        assert "Delete" in offered(anna, lab)
        assert offered(victor, lab) == []
    keep(anna, "operator")
    keep(victor, "visitor")
    anna.get_by_role("button", name="Rename or note").click()
    anna.get_by_role("dialog").get_by_role("textbox").first.fill("Named by Anna")
    anna.get_by_role("button", name="Save").click()
    anna.get_by_role("dialog").wait_for(state="detached")
    assert reading.read(lab.runs_dir, RUN).name == "Named by Anna"


def test_an_address_that_nobody_verified_makes_no_operator(
    lab: Lab, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    sign_in(page, lab, "mallory")
    page.get_by_text("Signed in as Mallory, visitor").wait_for()
    assert offered(page, lab) == []


def test_who_signs_out_is_a_visitor_again(lab: Lab, open_page: Callable[..., Page]) -> None:
    page = open_page()
    sign_in(page, lab, "anna")
    assert "Delete" in offered(page, lab)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in").wait_for()
    assert offered(page, lab) == []


def test_a_cookie_that_the_server_has_not_signed_makes_nobody_an_operator(
    lab: Lab, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    claims = '{"email":"anna@example.org","email_verified":true,"is_logged_in":true}'
    page.context.add_cookies(
        [{"name": "_streamlit_user", "value": claims.replace('"', "%22"), "url": lab.url}]
    )
    assert offered(page, lab) == []
