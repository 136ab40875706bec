from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from cifar_core.ui.tables import csv_bytes, file_name, plain


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1+1", '=cmd|" /C calc"!A0']
)
def test_a_text_that_a_spreadsheet_would_calculate_is_quoted(text: str) -> None:
    ((head,), (cell,)) = rows_of(csv_bytes(pd.DataFrame({"name": [text]})))
    assert head == "name"
    assert cell == f"'{text}"


def test_negative_numbers_stay_numbers() -> None:
    assert rows_of(csv_bytes(pd.DataFrame({"loss": [-0.5]}))) == [["loss"], ["-0.5"]]


@pytest.mark.parametrize("text", ['a,b "c"', "two\nlines", "日本", ""])
def test_other_texts_come_back_as_they_were(text: str) -> None:
    table = pd.DataFrame({"name": [text], "n": [1]})
    assert rows_of(csv_bytes(table))[1] == [text, "1"]


def test_a_column_named_like_a_formula_is_quoted() -> None:
    assert rows_of(csv_bytes(pd.DataFrame({"=1+1": [1]}))) == [["'=1+1"], ["1"]]


@pytest.mark.parametrize("text", ["../../etc/passwd", "a/b\\c", "<script>", "", "...", "x" * 500])
def test_a_file_name_holds_nothing_a_system_minds(text: str) -> None:
    name = file_name(text)
    assert name
    assert len(name) <= 80
    assert not set(name) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")
    assert not name.startswith(".")


def test_markdown_signs_are_escaped_and_lines_joined() -> None:
    assert plain("[a](b)\n# x") == r"\[a\]\(b\) \# x"
