"""What commands have in common: how they answer, and how they are added to the line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Protocol

from cifar_core import console
from cifar_core.console import show, show_json, tell
from cifar_core.errors import LabError

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells give it: 128 and the number of the signal."""

Command = Callable[[argparse.Namespace], int]
"""Carries out what was asked for and returns the exit status."""


class Add(Protocol):
    """Adds a command to the line and returns the parser of its own arguments."""

    def __call__(self, command: Command, name: str, text: str) -> argparse.ArgumentParser:
        """Adds a command under a name, with one line of help."""
        ...


def answer(options: argparse.Namespace, facts: object, text: str) -> int:
    """Shows the result of a command that succeeded, as JSON or as text, if there is any."""
    if options.json:
        show_json(facts)
    elif text:
        show(text)
    return 0


def for_each(options: argparse.Namespace, action: Callable[[str], None]) -> int:
    """Does something with each named run; one that fails does not keep the others from it."""
    failures = {}
    for run_id in options.runs:
        try:
            action(run_id)
        except LabError as error:
            failures[run_id] = console.answers(error)
            tell(console.sentence(error))
    if options.json:
        show_json({run_id: failures.get(run_id, "done") for run_id in options.runs})
    return 1 if failures else 0
