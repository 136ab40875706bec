"""The environment of the report's templates: each value is escaped, a missing one is an error."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cifar_core import formats

if TYPE_CHECKING:
    from jinja2 import Environment

_TEMPLATES: Final = Path(__file__).resolve().parent / "templates"

_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+!|~$&^=])")


def render(template: str, **values: Any) -> str:
    """Returns a template filled in.

    Args:
        template: Name of a file in ``templates``; all but Markdown (``.md.j2``) is autoescaped.
        **values: What it draws.
    """
    return _environment().get_template(template).render(values)


@functools.cache
def _environment() -> Environment:
    """Returns the environment; Jinja is loaded here, with the first report."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(disabled_extensions=("md.j2",), default=True),
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters |= {
        "thousands": formats.count,
        "duration": formats.duration,
        "markdown": _markdown,
        "percent": formats.percent,
    }
    return environment


def _printable(value: object) -> object:
    """Returns a value as text without control signs and halves of signs; markup as it is."""
    if hasattr(value, "__html__"):
        return value
    text = str(value).encode("utf-8", "replace").decode("utf-8")
    return "".join(
        sign if sign.isprintable() or sign in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for sign in text
    )


def _markdown(text: str) -> str:
    """Returns a text that Markdown shows as it is: what a device calls itself is not ours."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
