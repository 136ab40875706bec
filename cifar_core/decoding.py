"""Stored JSON into typed values: a class and its annotations say what a file may hold.

A bool is no number, a number no text, and NaN and infinity are none of JSON. Keys that a class
does not know are left out, so what a later version wrote stays readable.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec

from cifar_core.errors import LabError, reason

T = TypeVar("T")

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]
Time = Annotated[float, msgspec.Meta(ge=0, lt=10**12)]
"""A duration, or a moment in seconds since 1970."""


class DecodeError(LabError, ValueError):
    """Stored JSON is damaged, or not of the form it must have."""

    key = ""
    """The first key that is wrong; empty where the whole is."""


def _refusal(name: str, error: Exception) -> DecodeError:
    """Returns what the decoder says of a file, in three answers."""
    problem, _, place = str(error).rpartition(" - at `$")
    inside = place.strip(".`")
    where = f" at {inside}" if problem else ""
    refusal = DecodeError(
        f"{reason(f'{name}{where}: {problem or error}')}.",
        expected="JSON of the form that the lab writes.",
        remedy="Put the file back from a copy.",
    )
    refusal.key = re.split(r"[.\[]", inside)[0] if problem else ""
    return refusal


def decode(data: bytes, kind: type[T], name: str) -> T:
    """Returns the value in the bytes of JSON.

    Args:
        data: UTF-8, with or without a byte order mark.
        kind: What it must be.
        name: Of the file, for who reads the refusal.

    Raises:
        DecodeError: It is no JSON, or not of that kind.
    """
    try:
        return msgspec.json.decode(data.removeprefix(codecs.BOM_UTF8), type=kind)
    except (ValueError, RecursionError) as error:
        raise _refusal(name, error) from error


def convert(values: Mapping[str, Any], kind: type[T], name: str) -> T:
    """Returns plain values as a value of a kind; arguments and refusal are those of decode."""
    try:
        return msgspec.convert(values, kind)
    except ValueError as error:
        raise _refusal(name, error) from error
