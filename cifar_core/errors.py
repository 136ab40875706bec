"""Errors that reach a person: what happened, what was expected, what to do.

Every failure the lab foresees is a :class:`LabError`. Pages and the command line show its
three answers; anything else is a defect and goes to the log with its traceback.
"""

from __future__ import annotations

import re

_CODES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[ -/]*[0-~])?")
"""What steers a terminal: colours, titles, the place of the next letter."""


def plain_text(error: object) -> str:
    """Returns the text of a failure from elsewhere on one line, without codes for a terminal."""
    text = " ".join(_CODES.sub("", str(error)).split())
    return "".join(letter for letter in text if letter.isprintable())


def reason(error: object) -> str:
    """Returns why something failed on one line, to stand in a sentence."""
    said = error.what if isinstance(error, LabError) else getattr(error, "strerror", None)
    return plain_text(said or error)[:200]


class LabError(Exception):
    """A foreseen failure, told in three answers.

    Args:
        what: What happened, with the value that caused it.
        expected: What was expected instead.
        remedy: What the person can do about it.
    """

    def __init__(self, what: str, *, expected: str = "", remedy: str = "") -> None:
        self.what = what
        self.expected = expected
        self.remedy = remedy
        super().__init__(" ".join(part for part in (what, expected, remedy) if part))


class DataError(LabError):
    """The dataset is missing, broken or cannot be written."""


class RecipeError(LabError):
    """A setting of a training is impossible."""


class RunError(LabError):
    """A run cannot do what was asked of it."""


class PictureError(LabError):
    """An uploaded file is not a picture the lab can read."""


class ModelError(LabError):
    """A trained network is missing or its file is not the one that was recorded."""
