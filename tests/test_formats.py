from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from cifar_core import formats

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("share", "interval", "text"),
    [
        (0.832, None, "83.2%"),
        (0.832, 0.0073, "83.2% ± 0.7"),
        (0.832, (0.8246, 0.8392), "83.2% ± 0.7"),
        (0.0, None, "0.0%"),
        (1.0, 0.0, "100.0% ± 0.0"),
        (0.5, float("nan"), "50.0%"),
        (None, None, "–"),
        (float("nan"), 0.01, "–"),
        (float("inf"), None, "–"),
    ],
)
def test_a_share_is_told_in_percent_with_one_decimal(
    share: float | None, interval: float | tuple[float, float] | None, text: str
) -> None:
    assert formats.percent(share, interval) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0068, "7 ms"),
        (0.9996, "1.0 s"),
        (3.24, "3.2 s"),
        (9.96, "10 s"),
        (42.4, "42 s"),
        (59.6, "1 min"),
        (60, "1 min"),
        (61, "1 min 01 s"),
        (740, "12 min 20 s"),
        (1080, "18 min"),
        (1079.6, "18 min"),
        (3599, "59 min 59 s"),
        (3599.6, "1 h"),
        (3900, "1 h 05 min"),
        (86_399, "1 d"),
        (100_000, "1 d 4 h"),
        (None, "–"),
        (-1, "–"),
        (float("nan"), "–"),
        (float("inf"), "–"),
    ],
)
def test_a_length_of_time_is_told_in_words_people_use(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (45_000, "45,000"), (None, "–")])
def test_a_count_has_separators(number: int | None, text: str) -> None:
    assert formats.count(number) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_960, "1.0 MB"),
        (4_613_000, "4.6 MB"),
        (2_500_000_000_000, "2.5 TB"),
        (None, "–"),
    ],
)
def test_a_size_has_a_unit_that_keeps_it_short(size_bytes: int | None, text: str) -> None:
    assert formats.data_size(size_bytes) == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "today 12:00"),
        (NOON.timestamp(), "today 12:00"),
        (NOON - timedelta(hours=12, minutes=1), "yesterday 23:59"),
        (NOON - timedelta(days=19), "3 Nov 12:00"),
        (NOON - timedelta(days=365), "22 Nov 2025 12:00"),
        (None, "–"),
    ],
)
def test_a_moment_is_told_by_its_distance(moment: float | datetime | None, text: str) -> None:
    assert formats.when(moment, now=NOON, zone=UTC) == text


def test_a_moment_is_told_in_the_readers_time_zone() -> None:
    tokyo = timezone(timedelta(hours=9))
    late = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
    assert formats.when(late, now=late, zone=tokyo) == "today 05:00"


def test_a_moment_without_a_readers_zone_names_the_machines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert formats.when(NOON, now=NOON) == f"today {NOON + timedelta(hours=5.5):%H:%M} IST"
    finally:
        monkeypatch.undo()
        time.tzset()
