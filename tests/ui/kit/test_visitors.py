from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core import services
from cifar_core.ui.kit import visitors
from tests.pages.shown import PATIENCE_SECONDS, html_of

SIGNED_IN = {"is_logged_in": True, "sub": "248289761001"}
VERIFIED = {**SIGNED_IN, "email": "Anna@Example.org", "email_verified": True}


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"is_logged_in": False, "email": "anna@example.org", "email_verified": True},
        {"email": "anna@example.org", "email_verified": True},
        {"is_logged_in": "true", "email": "anna@example.org", "email_verified": True},
        {"is_logged_in": None, "sub": "248289761001"},
    ],
)
def test_whom_no_service_vouches_for_is_a_visitor(claims: dict[str, Any]) -> None:
    assert visitors.person_of(claims) == services.VISITOR


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"email_verified": 1},
        {"email": ["anna@example.org"], "email_verified": True},
        {"email": None, "email_verified": True},
        {"email": "", "email_verified": True, "sub": "anna@example.org"},
        {"sub": "anna@example.org"},
    ],
)
def test_an_address_counts_only_when_the_service_has_verified_it(claims: dict[str, Any]) -> None:
    person = visitors.person_of({**SIGNED_IN, "email": "anna@example.org", **claims})
    assert "anna@example.org" not in person.identities


def test_a_verified_address_counts_however_it_is_written() -> None:
    person = visitors.person_of(VERIFIED)
    assert person.identities == {"anna@example.org", "248289761001"}


def test_a_person_is_called_by_name_address_or_mark() -> None:
    assert visitors.person_of({**VERIFIED, "name": " Anna "}).name == "Anna"
    assert visitors.person_of({**VERIFIED, "name": ""}).name == "Anna@Example.org"
    assert visitors.person_of(SIGNED_IN).name == "248289761001"
    assert visitors.person_of({"is_logged_in": True}) == services.Person("Somebody")


def page() -> None:
    import streamlit as st

    from cifar_core import services
    from cifar_core.ui.kit.page import guard
    from cifar_core.ui.shell import sign_in

    sign_in.enter()
    with guard():
        st.text("may change" if services.may_change() else "may look")


def test_without_a_sign_in_service_nothing_is_asked_and_everything_allowed() -> None:
    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS).run()
    assert [text.value for text in app.text] == ["may change"]
    assert not app.button
    assert not app.sidebar.caption


def test_operators_without_a_sign_in_service_close_the_lab_and_say_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "anna@example.org")
    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS).run()
    assert "nobody can sign in" in html_of(app)
    assert not app.text


def test_a_sign_in_service_without_operators_closes_the_lab_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cifar_core.ui.shell.sign_in._is_installed", lambda: True)
    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS)
    app.user = {"is_logged_in": False}
    app.run()
    assert "nobody is named as an operator" in html_of(app)
    assert not app.text


def test_a_missing_package_closes_the_lab_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "anna@example.org")
    monkeypatch.setattr("cifar_core.ui.shell.sign_in._is_installed", lambda: False)
    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS)
    app.user = {"is_logged_in": False}
    app.run()
    assert "requirements-login.txt" in html_of(app)
    assert not app.text


def test_every_sign_in_service_has_its_button(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "anna@example.org")
    monkeypatch.setattr("cifar_core.ui.shell.sign_in._is_installed", lambda: True)
    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS)
    app.user = {"is_logged_in": False}
    app.secrets["auth"] = {"redirect_uri": "x", "a": {"client_id": "x"}, "b": {"client_id": "y"}}
    app.run()
    assert [button.label for button in app.sidebar.button] == ["Sign in with a", "Sign in with b"]
    assert [text.value for text in app.text] == ["may look"]


@pytest.mark.parametrize(
    ("address", "role", "answer"),
    [
        ("anna@example.org", "operator", "may change"),
        ("victor@example.org", "visitor", "may look"),
    ],
)
def test_the_page_says_who_is_signed_in_and_asks_in_their_name(
    address: str, role: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "anna@example.org")
    monkeypatch.setattr("cifar_core.ui.shell.sign_in._is_installed", lambda: True)
    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS)
    app.user = {"is_logged_in": True, "email": address, "email_verified": True, "name": "*A*"}
    app.run()
    assert [caption.value for caption in app.sidebar.caption] == [f"Signed in as \\*A\\*, {role}"]
    assert [button.label for button in app.sidebar.button] == ["Sign out"]
    assert [text.value for text in app.text] == [answer]
