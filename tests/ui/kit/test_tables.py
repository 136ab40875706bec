from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest

from cifar_core.ui.kit.tables import csv_bytes, file_name, plain


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


def test_a_csv_carries_the_mark_by_which_excel_knows_utf_8() -> None:
    data = csv_bytes(pd.DataFrame({"name": ["Käfer"]}))
    assert data.startswith(b"\xef\xbb\xbf")
    assert "Käfer" in data.decode()


def test_a_number_loses_the_noise_of_float32() -> None:
    table = pd.DataFrame({"share": np.array([0.1, 2 / 3], np.float32), "count": [3, 1_234_567]})
    assert rows_of(csv_bytes(table))[1:] == [["0.1", "3"], ["0.666667", "1234567"]]


@pytest.mark.parametrize(
    ("parts", "name"),
    [(("run", None, 3), "run-3"), (("run", "", "epoch", 0), "run-epoch-0"), ((None,), "table")],
)
def test_a_file_name_leaves_out_what_is_not_known(parts: tuple[object, ...], name: str) -> None:
    assert file_name(*parts) == name


def test_a_long_name_does_not_swallow_what_follows_it() -> None:
    assert file_name("x" * 500, "epoch", 3).endswith("-epoch-3")
