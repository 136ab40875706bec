"""What the load test counts and how it tells it; `make load` itself takes an hour."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks import load_table
from benchmarks.crowd import Log, spread
from benchmarks.documents import marks
from benchmarks.load import fabricate_many
from benchmarks.load_table import Row
from benchmarks.web import Answer
from cifar_core.runs import reading

BEGIN, END = marks("load", "make load")
HELD = Row("C1", "something", "< 1 s", "0.5 s", is_kept=True)


def test_an_answer_counts_with_its_time_and_an_error_box_as_a_failure() -> None:
    log = Log()
    log.take(log.pages, lambda: Answer(seconds=2.0), "a page")
    log.take(log.pages, lambda: Answer(seconds=3.0, errors=["it broke"]), "a page")
    assert log.pages == [2.0, 3.0]
    assert log.failures == ["a page: it broke"]


def test_a_visitor_who_gets_no_answer_is_a_failure_and_no_time() -> None:
    log = Log()

    def never() -> Answer:
        raise TimeoutError("nobody answers")

    assert log.take(log.pages, never, "a page") is None
    assert (log.pages, log.failures) == ([], ["a page: TimeoutError: nobody answers"])


def test_the_spread_of_times_names_p95_median_and_largest() -> None:
    times = [float(second) for second in range(101)]
    random.Random(1).shuffle(times)
    assert spread(times) == "95.00 s (median 50.00, largest 100.00)"


def test_a_promise_that_did_not_hold_is_marked_in_the_table() -> None:
    broken = Row("C2", "another", "≤ 1 MB", "2 MB", is_kept=False)
    text = load_table.table([broken, HELD], minutes=3)
    assert (
        "| C1 | something | < 1 s | 0.5 s | yes |\n| C2 | another | ≤ 1 MB | 2 MB | **no** |"
        in text
    )


def test_the_table_replaces_the_one_before_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    monkeypatch.setattr(load_table, "DOCUMENT", page)
    load_table.write([HELD], minutes=1)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n\nMeasured on")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text


def test_the_document_has_a_place_for_the_table() -> None:
    text = load_table.DOCUMENT.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1


def test_of_many_old_runs_each_tenth_is_broken_and_all_are_listed(tmp_path: Path) -> None:
    newest = fabricate_many(tmp_path, 20)
    runs = reading.list_runs(tmp_path)
    assert len(runs) == 20
    assert newest in {run.id for run in runs}
    assert reading.read(tmp_path, newest).recipe is not None
