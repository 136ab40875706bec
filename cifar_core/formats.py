"""Numbers in the words people use, the same on pages, in reports and on the command line."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, tzinfo

UNKNOWN = "–"
"""What stands where there is no number."""


def percent(share: float | None, interval: float | tuple[float, float] | None = None) -> str:
    """Returns a share in percent with one decimal, such as ``83.2% ± 0.7``.

    Args:
        share: From 0 to 1; None or NaN where nothing was measured.
        interval: Half the width of its interval, or the interval's two ends, as shares.
    """
    if share is None or not math.isfinite(share):
        return UNKNOWN
    text = f"{100 * share:.1f}%"
    if interval is None:
        return text
    half = (interval[1] - interval[0]) / 2 if isinstance(interval, tuple) else interval
    return f"{text} ± {100 * half:.1f}" if math.isfinite(half) else text


def duration(seconds: float | None) -> str:
    """Returns a length of time, such as ``12 min 20 s``, never finer than it is felt.

    Args:
        seconds: Zero or more; None, NaN or a negative number where it is not known.
    """
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return UNKNOWN
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms" if round(1000 * seconds) < 1000 else "1.0 s"
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _two(whole // 60, "min", whole % 60, "s")
    minutes = round(seconds / 60)
    if minutes < 24 * 60:
        return _two(minutes // 60, "h", minutes % 60, "min")
    hours = round(seconds / 3600)
    return _two(hours // 24, "d", hours % 24, "h", digits=1)


def _two(large: int, unit: str, small: int, small_unit: str, *, digits: int = 2) -> str:
    """Returns two units of time, or the large one alone where nothing is left over."""
    return f"{large} {unit} {small:0{digits}d} {small_unit}" if small else f"{large} {unit}"


def count(number: int | None) -> str:
    """Returns a whole number with separators, such as ``45,000``."""
    return UNKNOWN if number is None else f"{number:,}"


def data_size(size_bytes: int | None) -> str:
    """Returns a size in decimal units, such as ``4.6 MB``."""
    if size_bytes is None:
        return UNKNOWN
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size = float(size_bytes)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if round(size, 1) < 1000:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} TB"


def when(
    moment: float | datetime | None, *, now: datetime | None = None, zone: tzinfo | None = None
) -> str:
    """Returns a moment as people say it: ``today 14:05``, ``yesterday 09:12``, ``3 Nov 14:05``.

    Args:
        moment: Seconds since 1970 or a time with its zone; None where there is none.
        now: The present, for tests.
        zone: The reader's time zone; without one the moment is this machine's, and says so.
    """
    if moment is None:
        return UNKNOWN
    if not isinstance(moment, datetime):
        moment = datetime.fromtimestamp(moment, tz=zone).astimezone(zone)
    then = moment.astimezone(zone)
    present = (now or datetime.now(tz=zone)).astimezone(zone)
    clock = f"{then:%H:%M}" if zone is not None else f"{then:%H:%M %Z}"
    if then.date() == present.date():
        return f"today {clock}"
    if then.date() == present.date() - timedelta(days=1):
        return f"yesterday {clock}"
    day = f"{then.day} {then:%b}" if then.year == present.year else f"{then.day} {then:%b %Y}"
    return f"{day} {clock}"
