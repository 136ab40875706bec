"""Who may do what: every service that changes something asks here first.

The core knows no screen, so whoever calls it says in whose name: the pages in that of their
visitor, the command line in that of the owner of the machine. The name lies in a context
variable, which every thread has for itself and which ends with the ``with`` that set it.

Where operators are named (``CIFAR_LAB_OPERATORS``), a change in nobody's name is refused; so a
page that forgets to say who asks refuses everybody and lets nobody through.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from cifar_core import settings
from cifar_core.errors import LabError


class NotAllowedError(LabError):
    """The lab is read-only here, or the person may only look."""


@dataclass(frozen=True)
class Person:
    """Somebody who asks for something.

    Attributes:
        name: What the pages call them; empty for somebody who has not signed in.
        identities: What ``CIFAR_LAB_OPERATORS`` may name them by: an address that the sign-in
            service has verified, and the service's own mark of the account.
        is_owner: Who has the machine itself, and with it the runs' folder.
    """

    name: str = ""
    identities: frozenset[str] = frozenset()
    is_owner: bool = False


VISITOR = Person()
"""Somebody who has not signed in."""

OWNER = Person("owner of this machine", is_owner=True)
"""Who uses the command line: can write into the runs' folder with any other tool as well."""

_ASKING: ContextVar[Person | None] = ContextVar("cifar_lab_asking", default=None)


@contextmanager
def acting_for(person: Person) -> Iterator[None]:
    """Says in whose name services are called inside, in this thread and until the end of it."""
    token = _ASKING.set(person)
    try:
        yield
    finally:
        _ASKING.reset(token)


def may_change() -> bool:
    """Says whether who asks may start, stop, rename, delete and download here."""
    return find_refusal() is None


def find_refusal() -> NotAllowedError | None:
    """Returns why who asks may not change anything here, or None if they may."""
    lab = settings.current()
    if lab.read_only:
        return _read_only()
    if not lab.operators:
        return None
    person = _ASKING.get() or VISITOR
    if person.is_owner or person.identities & lab.operators:
        return None
    return NotAllowedError(
        f"{person.name} may look and classify here only."
        if person.name
        else "You may look and classify here only: you have not signed in.",
        expected="Training and changes are made by the operators of this lab.",
        remedy="Ask whoever runs it to name you as an operator."
        if person.name
        else "Sign in as an operator to train.",
    )


def check_may_change() -> None:
    """Refuses a change where the lab is shown and not used, or used by others.

    Raises:
        NotAllowedError: The lab is read-only, or who asks is none of its operators.
    """
    refusal = find_refusal()
    if refusal is not None:
        raise refusal


def check_may_say() -> None:
    """Refuses to keep or delete what a visitor says of an answer where nothing is written at all.

    Raises:
        NotAllowedError: The lab is read-only.
    """
    if settings.current().read_only:
        raise _read_only()


def check_owns() -> None:
    """Refuses to hand out or delete what others said to anybody but the owner of the machine.

    Raises:
        NotAllowedError: Who asks is a visitor or an operator, from a page.
    """
    if not (_ASKING.get() or VISITOR).is_owner:
        raise NotAllowedError(
            "What people said of answers is shown to nobody but themselves.",
            expected="The owner of the machine reads it with the command line.",
            remedy="Use your own code to see what you said yourself.",
        )


def _read_only() -> NotAllowedError:
    return NotAllowedError(
        "This lab is open for looking and classifying only.",
        expected="Training and changes are done where the lab is not read-only.",
        remedy="Ask whoever runs it, or start your own: see the README.",
    )
