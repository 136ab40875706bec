"""The command line: data, trainings, their figures and classifying, with the pages' services.

``python -m cifar_core --help`` lists the commands. With ``--json`` a command prints JSON on
standard output and nothing else there; what happens meanwhile goes to standard error. Failures
end with status 1, foreseen ones in three answers, unforeseen ones in a sentence (and with their
traceback where the variable CIFAR_LAB_DEBUG is set); bad usage ends with 2, Ctrl-C with 130.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence

from cifar_core import __version__, console, services
from cifar_core.commands import dataset, models, runs
from cifar_core.commands.answers import INTERRUPTED, Command
from cifar_core.console import OutputError, show, show_json, tell
from cifar_core.errors import LabError, plain_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Carries out one command and returns its exit status."""
    console.prepare()
    try:
        return _carry_out(_parse(arguments))
    except OutputError as error:
        if not isinstance(error.__cause__, BrokenPipeError):
            tell(f"The output cannot be written: {error}.")
        console.drop_output()
        return 1
    except KeyboardInterrupt:
        tell("Interrupted; a run that was started goes on: see python -m cifar_core runs")
        return INTERRUPTED


def _carry_out(options: argparse.Namespace) -> int:
    """Carries out a command and says what went wrong, foreseen or not."""
    try:
        with services.acting_for(services.OWNER):
            return int(options.command(options))
    except OutputError:
        raise
    except LabError as error:
        answers = console.answers(error)
    except Exception as error:  # noqa: BLE001 - a person never meets a traceback
        if os.environ.get("CIFAR_LAB_DEBUG"):
            traceback.print_exc()
        answers = {
            "what": f"Something unforeseen happened: {type(error).__name__}: {plain_text(error)}",
            "remedy": "Set CIFAR_LAB_DEBUG=1 and try again to see where, and report it.",
        }
    if options.json:
        show_json({"error": answers})
    else:
        tell("\n".join(answers.values()))
    return 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    try:
        return _parser().parse_args(arguments)
    except SystemExit:
        show("", end="")  # what --help has printed may not fit on the disk either
        raise


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cifar_core", description="CIFAR-10 Lab")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(command: Command, name: str, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.add_argument("--json", action="store_true", help="print JSON")
        made.set_defaults(command=command, parser=made)
        return made

    dataset.add_to(add)
    runs.add_to(add)
    models.add_to(add)
    return parser


if __name__ == "__main__":
    sys.exit(main())
