from __future__ import annotations

from pathlib import Path

from tests.mutants.covering import MOST_SHARE, Cover, digest_of
from tests.mutants.planting import Mutant

SOURCES = {"a.py": ["LIMIT = 6", "def f():", "    return LIMIT"], "b.py": ["import a", "a.f()"]}
LINES = {
    "a.py": {3: frozenset({"slow", "swift"})},
    "b.py": {2: frozenset({"other"})},
}
SECONDS = {"slow": 9.0, "swift": 1.0, "other": 2.0, "far": 90.0}
COVER = Cover(LINES, SECONDS, SOURCES)


def mutant(line: int, *names: str) -> Mutant:
    return Mutant("a.py", (line, line), (line, line), "constant", (0, 0), "", "", names)


def test_the_tests_of_a_line_come_the_fastest_first() -> None:
    assert COVER.tests_of(mutant(3)) == ["swift", "slow"]


def test_what_an_import_runs_has_the_tests_that_run_a_line_with_its_name() -> None:
    assert COVER.tests_of(mutant(1, "LIMIT")) == ["swift", "slow"]
    assert COVER.tests_of(mutant(2, "f")) == ["other"]


def test_a_line_that_no_test_runs_has_none() -> None:
    assert COVER.tests_of(mutant(2)) == []


def test_the_slowest_tests_are_left_out_beyond_the_bound_but_never_all() -> None:
    whole = 100.0
    share = {"slow": 0.9 * MOST_SHARE * whole, "swift": 0.2 * MOST_SHARE * whole}
    rest = {"far": whole - sum(share.values())}
    assert Cover(LINES, share | rest, SOURCES).tests_of(mutant(3)) == ["swift"]
    assert Cover(LINES, {"slow": 30.0, "swift": 20.0}, SOURCES).tests_of(mutant(3)) == ["swift"]
    alone = {"a.py": {3: frozenset({"slow"})}}
    assert Cover(alone, {"slow": 9.0}, SOURCES).tests_of(mutant(3)) == ["slow"]


def test_the_digest_changes_with_a_source_or_a_test_and_not_with_a_document(tmp_path: Path) -> None:
    names = ["cifar_core/a.py", "tests/test_a.py", "docs/a.md"]
    seen = {}
    for changed in ["", *names]:
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text("new" if name == changed else "old")
        seen[changed] = digest_of(tmp_path, names)
    assert seen["docs/a.md"] == seen[""]
    assert len(set(seen.values())) == 3


def test_a_table_built_of_others_has_the_tests_that_run_a_line_with_its_name() -> None:
    sources = {"a.py": ["_ONE = (1, 2)", "ALL = {1: _ONE}", "def f():", "    return ALL"]}
    cover = Cover({"a.py": {4: frozenset({"far"})}}, {"far": 1.0}, sources)
    assert cover.tests_of(mutant(1, "_ONE")) == ["far"]
