from __future__ import annotations

import ast
import difflib
import random

from cifar_core.settings import PROJECT_DIR
from tests.mutants import planting, project
from tests.mutants.planting import Mutant

FIGURES = b'''
"""The prose of a module is long and is left alone."""
from dataclasses import dataclass

LIMIT = 6
HEIGHT_PIXELS = 400


@dataclass(frozen=True)
class Figures:
    """Some figures."""

    top5: float
    accuracy: float
    pictures: int


def draw(figures: Figures, train: list[int], test: list[int], *, mirror: bool = False) -> list[int]:
    """Draws figures."""
    if len(train) >= LIMIT:
        raise ValueError("Too many of them.")
    show("A sentence for people.", help="More of them.", width=300)
    show(f"{figures.top5:.1%} of {figures.pictures:,} were seen.", key="seen")
    rows = sorted(train[1:], key=abs)
    chart = plot(x=[100 * row for row in rows], y=test, split="train", font={"size": 12})
    chart.update(hovertemplate="%{x} by %{y}")
    return [*rows, figures.pictures] if mirror else rows
'''
KNOWN = project.read([FIGURES])


def planted() -> list[Mutant]:
    """Every mutant of the module."""
    chance = random.Random(1)
    return [
        mutant
        for spots in planting.statements(FIGURES)
        for mutant in planting.plant("a.py", FIGURES, spots, KNOWN, chance)
    ]


EVERY = planted()


def test_the_same_seed_plants_the_same_and_another_seed_others() -> None:
    sources = {"a.py": FIGURES, "b.py": FIGURES.replace(b"draw", b"plan")}
    first, again, other = (planting.draw(sources, KNOWN, 8, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len(first) == 8


def test_a_draw_plants_once_in_a_statement() -> None:
    drawn = planting.draw({"a.py": FIGURES}, KNOWN, 100, 1)
    assert len({mutant.statement for mutant in drawn}) == len(drawn) >= 7


def test_each_mutant_compiles_and_differs_in_one_statement() -> None:
    for mutant in EVERY:
        changed = mutant.apply(FIGURES)
        compile(changed, "a.py", "exec")
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(FIGURES)), mutant.title
        matcher = difflib.SequenceMatcher(None, FIGURES.split(b"\n"), changed.split(b"\n"))
        hunks = [code for code in matcher.get_opcodes() if code[0] != "equal"]
        assert [(code[1] + 1, code[2]) for code in hunks] == [mutant.lines], mutant.title
        lines = (*mutant.statement[:1], *mutant.lines, *mutant.statement[1:])
        assert list(lines) == sorted(lines), mutant.title


def test_each_kind_of_defect_is_planted() -> None:
    wanted = {
        "len(train) >= LIMIT → len(train) > LIMIT",
        "100 → 101",
        "100 * row → 100 / row",
        "mirror → not",
        "plot: x and y swapped",
        "plot without split='train'",
        "figures.top5 → accuracy",
        "train → test",
        "'train' → 'test'",
        "[1:] → [:]",
        ".1% → .0%",
        "sorted(train[1:], key=abs) in the other order",
        "without figures.pictures",
        "return []",
        "without chart.update(hovertemplate='%{x} by %{y}')",
        "'%{x} by %{y}' → '%{y} by %{x}'",
        "False → True",
    }
    assert wanted - {mutant.words for mutant in EVERY} == set()


def test_prose_types_and_looks_are_left_alone() -> None:
    left_alone = [
        b"The prose of a module is long",
        b"Draws figures.",
        b"Some figures.",
        b"Too many of them.",
        b"A sentence for people.",
        b"More of them.",
        b"were seen.",
        b"width=300",
        b'key="seen"',
        b'font={"size": 12}',
        b"HEIGHT_PIXELS = 400",
        b"-> list[int]",
        b"top5: float",
    ]
    for mutant in EVERY:
        if mutant.kind == "statement":  # what leaves out a call leaves out its words
            continue
        changed = mutant.apply(FIGURES).replace(b"'", b'"')
        assert [kept for kept in left_alone if kept not in changed] == [], mutant.title


def test_what_must_be_given_is_not_left_out() -> None:
    source = b"def draw(*, split, mirror=False): ...\ndraw(split=1, mirror=True)\n"
    known = project.read([source])
    call = planting.statements(source)[-1]
    words = {
        mutant.words for mutant in planting.plant("a.py", source, call, known, random.Random(1))
    }
    assert "draw without mirror=True" in words
    assert "draw without split=1" not in words


def test_every_page_can_be_planted_in() -> None:
    known = project.read([])
    pages = {path.name: path.read_bytes() for path in PROJECT_DIR.glob("pages/*.py")}
    drawn = {name: len(planting.draw({name: pages[name]}, known, 5, 1)) for name in pages}
    assert min(drawn.values()) > 0


def words_of(source: bytes, path: str = "a.py") -> set[str]:
    """Returns everything that is planted in a module, in words."""
    chance = random.Random(1)
    return {
        mutant.words
        for spots in planting.statements(source)
        for mutant in planting.plant(path, source, spots, project.read([]), chance)
    }


def test_a_number_with_a_name_is_left_alone_but_not_what_is_made_of_it() -> None:
    source = b"LIMIT: Final = 64\nBOUNDS = (2, 9)\nHALF = LIMIT // 2\ndef f():\n    return 5\n"
    words = words_of(source)
    assert {"64 → 65", "64 → 63"} & words == set()
    assert {"2 → 3", "9 → 8", "LIMIT // 2 → LIMIT * 2", "5 → 6"} <= words
    assert "64 → 65" in words_of(source, "cifar_core/evaluation/a.py")


def test_what_only_dresses_a_chart_is_left_alone_until_it_says_something() -> None:
    assert words_of(b"chart.update_layout(bargap=0.3, dragmode=False)\n") == set()
    assert words_of(b"chart.update_xaxes(range=[0, 9], fixedrange=True)\n") >= {
        "without chart.update_xaxes(range=[0, 9], fixedrange=True)",
        "update_xaxes without range=[0, 9]",
    }


def test_that_two_rows_are_as_long_as_each_other_is_left_alone() -> None:
    assert words_of(b"pairs = zip(a, b, strict=True)\n") == {"zip(a, b swapped)"}


def test_arguments_are_swapped_only_where_their_order_matters() -> None:
    assert "accuracy(a, b swapped)" not in words_of(b"share = accuracy(a, b)\n")
    assert "confusion(a, b swapped)" in words_of(b"counts = confusion(a, b)\n")
