"""Tables in documents: a command replaces its own and nothing else."""

from __future__ import annotations

import json

import pytest

from benchmarks import photograph_tables, photographs
from benchmarks.documents import fill, marks

BEGIN, END = marks("results", "a command")


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = fill(page, "results", "new\n", by="a command")
    assert once == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert fill(once, "results", "new", by="a command") == once


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END}{BEGIN}"])
def test_a_page_without_its_marks_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        fill(page, "results", "new", by="a command")


def test_the_page_on_photographs_shows_the_committed_figures() -> None:
    found = json.loads(photographs.OUTPUT.read_text(encoding="utf-8"))
    page = photograph_tables.PAGE_PATH.read_text(encoding="utf-8")
    for name, table in photograph_tables.tables(found).items():
        page_again = fill(page, name, table, by=photograph_tables.BY)
        assert page_again == page, name
