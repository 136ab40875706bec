"""The one place that declares what a browser session keeps, and how the address restores a view.

What should survive a reload or travel in a link belongs into the address, not into the session.
Two pages never share the key of a field: what is chosen on one would be chosen on the other.
A field filled by :func:`keep_in_address` adds an entry to the history with each choice, so
that Back undoes it. One with ``bind="query-params"`` replaces the entry: for paging and the like.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo
from typing import Generic, TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cifar_core.services import BatchPrediction, new_code

T = TypeVar("T")


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A value the session keeps until the browser tab closes.

    Attributes:
        key: Its name in ``st.session_state``.
        default: What it is before it was set.
    """

    key: str
    default: T

    def get(self) -> T:
        """Returns the value."""
        return cast("T", st.session_state.get(self.key, self.default))

    def set(self, value: T) -> None:
        """Keeps the value."""
        st.session_state[self.key] = value


STARTED_RUN = Kept[str | None]("kept_started_run", None)
"""The run this session started last: the Train page follows it."""

GLANCES = Kept[tuple[str, Mapping[str, BatchPrediction]]]("kept_glances", ("", {}))
"""What the models said of the many pictures on Classify: what was asked, and an answer for each
picture. A picture of three kilobytes each stays with it."""

STOPPED_AT = Kept[str]("kept_stopped_at", "")
"""What was asked of many pictures when the person pressed Stop."""

UPLOADS = Kept[tuple[str, ...]]("kept_uploads", ())
"""The files in Classify's field, by their ids."""

EARLIER_UPLOADS = Kept[tuple[str, ...]]("kept_earlier_uploads", ())
"""Those of earlier visits to the page, which its field forgot."""

FEEDBACK_CODE = Kept[str]("kept_feedback_code", "")
"""What finds what this person had kept; empty until they agree for the first time."""

KEPT_FEEDBACK = Kept[Mapping[str, str]]("kept_feedback", {})
"""By picture: the name of what this session said of it and had kept."""


LABELS = Kept[Mapping[str, Mapping[str, str]]]("kept_labels", {})
"""By key of a field: what its options were called when it was drawn last."""


def hold_choice(key: str, labels: Mapping[str, str]) -> None:
    """Keeps what is chosen in a field although the labels of its options change.

    Streamlit remembers a choice by its label: a run that is renamed, ends or gets a namesake would
    fall out of the field. To be called before the field is drawn.

    Args:
        key: Of the field; its options are the keys of ``labels``.
        labels: What the options are called now.
    """
    known = LABELS.get()
    if key in st.session_state and known.get(key) != labels:
        chosen = st.session_state[key]  # read by the labels of before, set by those of now
        if isinstance(chosen, list):
            st.session_state[key] = [option for option in chosen if option in labels]
        elif chosen in labels:
            st.session_state[key] = chosen
        else:
            del st.session_state[key]
    LABELS.set({**known, key: dict(labels)})


def feedback_code() -> str:
    """Returns this person's code, drawn when it is first needed."""
    if not FEEDBACK_CODE.get():
        FEEDBACK_CODE.set(new_code())
    return FEEDBACK_CODE.get()


def visitor_zone() -> tzinfo | None:
    """Returns the visitor's time zone as the browser tells it; None where it tells none.

    A zone this machine does not know (or that none is called) is told by its distance from UTC.
    """
    name, minutes = st.context.timezone, st.context.timezone_offset
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if minutes is None or abs(minutes) >= 24 * 60:
            return None
        return timezone(timedelta(minutes=-minutes))


def keep_in_address(
    key: str, options: Collection[T], start: T | list[T], *, name: str = "", most: int | None = None
) -> Callable[[], None]:
    """Fills a field from the address where it is new, and when the browser goes back or forth.

    To be called before the field is drawn, which has no default of its own. The address is written
    by choices alone: what a page fills in by itself would be an entry more in the history.

    Args:
        key: Of the field.
        options: What may be chosen; with what it is called where that changes, as
            :func:`hold_choice` takes it.
        start: What is chosen where the address says nothing that fits; a list where several are.
        name: Of the value in the address; the key when left out.
        most: How many may be chosen.

    Returns:
        The field's ``on_change``: puts the choice into the address.
    """
    name = name or key
    if isinstance(options, Mapping):
        hold_choice(key, options)
    now = st.session_state.get(key)
    is_filled = all(value in list(options) for value in (now if isinstance(now, list) else [now]))
    if not is_filled or _went_through_history():
        by_text = {_text(option): option for option in options}
        given = st.query_params.get(name, "")
        if isinstance(start, list):
            several = [by_text[part] for part in dict.fromkeys(given.split(",")) if part in by_text]
            st.session_state[key] = several[:most] or start
        else:
            st.session_state[key] = by_text.get(given, start)
    return lambda: set_address(name, _text(st.session_state[key]) or None)


def choose(key: str, value: object, *, name: str = "") -> None:
    """Chooses in a field of :func:`keep_in_address` before it is drawn, in a person's place.

    Args:
        key: Of the field.
        value: What is chosen there.
        name: Of the value in the address; the key when left out.
    """
    st.session_state[key] = value
    set_address(name or key, _text(value) or None)


def _text(value: object) -> str:
    """Returns a value as it stands in the address; empty where nothing is chosen."""
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _went_through_history() -> bool:
    """Returns whether the page is drawn because the browser went back or forth."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def set_address(name: str, value: str | int | None) -> None:
    """Puts a value into the address, or takes it out with None."""
    if value is None:
        if name in st.query_params:
            del st.query_params[name]
    elif st.query_params.get(name) != str(value):
        st.query_params[name] = str(value)
