from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutants import trial
from tests.mutants.planting import Mutant
from tests.mutants.trial import Court

SOURCE = "LIMIT = 6\nSPARE = 1\n"
FILES = {
    "a.py": SOURCE,
    "test_a.py": "import a\n\n\ndef test_limit():\n    assert a.LIMIT == 6\n",
    "pytest.ini": "[pytest]\npythonpath = .\n",
}


@pytest.fixture
def court(tmp_path: Path) -> Court:
    project = tmp_path / "project"
    project.mkdir()
    for name, text in FILES.items():
        (project / name).write_text(text)
    return Court(project, FILES, tmp_path)


def mutant(old: str, new: str) -> Mutant:
    start = SOURCE.index(old)
    return Mutant("a.py", (1, 1), (1, 1), "constant", (start, start + len(old)), new, "")


def test_a_mutant_is_killed_by_a_test_that_fails_and_is_taken_out_again(court: Court) -> None:
    verdict = court.try_out(mutant("6", "7"), ["test_a.py::test_limit"], 1.0)
    assert (verdict.is_killed, verdict.by) == (True, "test_a.py::test_limit")
    assert (court.tree / "a.py").read_text() == SOURCE
    assert court.is_green(["test_a.py::test_limit"])


def test_a_mutant_that_no_test_sees_survives_also_after_one_of_the_same_size(court: Court) -> None:
    assert court.try_out(mutant("6", "7"), ["test_a.py::test_limit"], 1.0).is_killed
    verdict = court.try_out(mutant("1", "2"), ["test_a.py::test_limit"], 1.0)
    assert (verdict.is_killed, verdict.tests) == (False, 1)


def test_a_mutant_that_cannot_be_imported_is_killed(court: Court) -> None:
    assert court.try_out(mutant("6", "1 / 0"), ["test_a.py::test_limit"], 1.0).is_killed


def test_a_mutant_that_hangs_is_killed(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "LEAST_PATIENCE_SECONDS", 3.0)
    looping = mutant("6", "6\nwhile LIMIT: pass")
    verdict = court.try_out(looping, ["test_a.py::test_limit"], 0.1)
    assert (verdict.is_killed, verdict.by) == (True, "it hangs")


def test_a_mutant_that_no_test_runs_survives(court: Court) -> None:
    verdict = court.try_out(mutant("6", "7"), [], 0.0)
    assert (verdict.is_killed, verdict.tests) == (False, 0)
