"""Who looks at the page: the person that Streamlit's sign-in (OpenID Connect) vouches for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from cifar_core import services, settings


def current() -> services.Person:
    """Returns the visitor of this session; in whose name the page asks the services.

    Where no operators are named everybody may do everything, and nobody is asked for a name.
    """
    if not settings.current().operators:
        return services.VISITOR
    return person_of(st.user.to_dict())


def person_of(claims: Mapping[str, Any]) -> services.Person:
    """Returns the person whom an identity token describes.

    An address counts only where the sign-in service says that it has verified it: else anybody
    could open an account there with the address of an operator. The account's own mark (the
    claim ``sub``) counts unless it looks like an address.

    Args:
        claims: As ``st.user`` holds them.
    """
    if claims.get("is_logged_in") is not True:
        return services.VISITOR
    address, mark = claims.get("email"), claims.get("sub")
    identities = set()
    if isinstance(address, str) and claims.get("email_verified") is True:
        identities.add(address.strip().lower())
    if isinstance(mark, str) and "@" not in mark:
        identities.add(mark)
    names = (claims.get("name"), address, mark)
    name = next((name for name in names if isinstance(name, str) and name.strip()), "Somebody")
    return services.Person(name.strip(), frozenset(identities - {""}))


def can_sign_in() -> bool:
    """Says whether Streamlit's secrets configure a sign-in service."""
    return "is_logged_in" in st.user.to_dict()
