from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cifar_core.inference.names import MAX_NAME_CHARACTERS, UNNAMED, safe_name


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cat.png", "cat.png"),
        ("cats/tabby.png", "cats/tabby.png"),
        ("Ünïcödé 猫 🐈.jpg", "Ünïcödé 猫 🐈.jpg"),
        ("../../../etc/passwd", "etc/passwd"),
        ("/absolute//./name.gif", "absolute/name.gif"),
        ("..\\..\\windows\\cat.bmp", "windows/cat.bmp"),
        ("a\tb\nc\x0bd.png", "a b c d.png"),
        ("zero\u200bwidth\ufeff.png", "zerowidth.png"),
        ("\u202e\u2066gnp.exe", "gnp.exe"),
        ("\x7f\x80\x9f", UNNAMED),
        ("   ", UNNAMED),
        ("../..", UNNAMED),
    ],
)
def test_a_name_becomes_a_visible_label(name: str, label: str) -> None:
    assert safe_name(name) == label


def test_a_long_name_keeps_its_beginning_and_its_ending() -> None:
    label = safe_name("holiday" * 200_000 + ".jpeg")
    assert len(label) == MAX_NAME_CHARACTERS
    assert label.startswith("holiday")
    assert label.endswith(".jpeg")


@given(st.text(st.characters(), max_size=300))
def test_any_name_becomes_one_short_printable_line_without_a_way_up(name: str) -> None:
    label = safe_name(name)
    assert 1 <= len(label) <= MAX_NAME_CHARACTERS
    assert label.isprintable()
    assert ".." not in label.split("/")
