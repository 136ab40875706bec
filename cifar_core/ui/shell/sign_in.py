"""Signing in and out, where Streamlit's secrets configure a sign-in service; else nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

import streamlit as st

from cifar_core import services, settings
from cifar_core.errors import LabError
from cifar_core.ui.kit import visitors
from cifar_core.ui.kit.page import show_error
from cifar_core.ui.kit.tables import plain


def enter() -> None:
    """Draws who is signed in and the button to change that, below the navigation.

    Call it once per page, before the page. Where people could sign in but half of what that
    needs is missing, it says so and ends the page: a lab that is half locked is shown to nobody.
    """
    problem = _find_problem()
    if problem is not None:
        show_error(problem)
        st.stop()
    if not visitors.can_sign_in():
        return
    with st.sidebar.container(key="sign_in"):
        if st.user.to_dict().get("is_logged_in"):
            person = visitors.person_of(st.user.to_dict())
            with services.acting_for(person):
                role = "operator" if services.may_change() else "visitor"
            st.caption(plain(f"Signed in as {person.name}, {role}"))
            st.button("Sign out", icon=":material/logout:", key="sign_out", on_click=st.logout)
            return
        st.caption("You look and classify as a visitor. Operators train.")
        for provider in _providers():
            label = f"Sign in with {provider}" if provider else "Sign in"
            key = f"sign_in_{provider or 'default'}"
            if st.button(plain(label), icon=":material/login:", key=key):
                st.login(provider)


def _find_problem() -> LabError | None:
    """Returns what is missing where people should sign in, or None."""
    lab = settings.current()
    can_sign_in = visitors.can_sign_in()
    if can_sign_in and not _is_installed():
        return LabError(
            "People should sign in here, but the package for it is not installed.",
            expected="The packages of requirements-login.txt.",
            remedy="python -m pip install --require-hashes -r requirements.lock",
        )
    if can_sign_in and not lab.operators and not lab.read_only:
        return LabError(
            "People can sign in here, but nobody is named as an operator.",
            expected="CIFAR_LAB_OPERATORS names who may train, or CIFAR_LAB_READONLY=1 nobody.",
            remedy="Set CIFAR_LAB_OPERATORS to addresses with commas between, and start again.",
        )
    if lab.operators and not can_sign_in:
        return LabError(
            "Operators are named here, but nobody can sign in.",
            expected="A section [auth] in Streamlit's secrets, as SECURITY.md describes it.",
            remedy="Add it to .streamlit/secrets.toml, or leave CIFAR_LAB_OPERATORS out.",
        )
    return None


def _is_installed() -> bool:
    """Says whether the package is there that Streamlit signs people in with."""
    return importlib.util.find_spec("authlib") is not None


def _providers() -> list[str | None]:
    """Returns the names of the sign-in services; None is the one without a name."""
    auth = st.secrets["auth"]
    named: list[str | None] = [
        name
        for name, section in auth.items()
        if isinstance(section, Mapping) and "client_id" in section
    ]
    return ([None] if "client_id" in auth else []) + named or [None]
