"""Which tests run which line: the quick tests under coverage once, kept until files change."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import coverage

from tests.mutants.planting import Mutant

SUITES = ("pages", "ui", "services", "charts", "report", "evaluation", "commands")
MOST_SHARE = 0.5
"""What the tests of one mutant may take, of the time of all; of more only the fastest are run."""

_READ = ("app.py", "cifar_core", "models", "pages", "tests", "pyproject.toml", "requirements")
_UNREAD = ("tests/mutants", "tests/browser", "tests/torture", "tests/benchmarks")
_BINDING = re.compile(r"(_?[A-Z][A-Z0-9_]*)\b[^=(]*= ")
_DURATION = re.compile(r"^(\d+\.\d+)s (?:call|setup|teardown) +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Cover:
    """What the tests ran.

    Attributes:
        lines: By file and line, the tests that ran it.
        seconds: By test.
        sources: The files, to look for names in.
    """

    lines: Mapping[str, Mapping[int, frozenset[str]]]
    seconds: Mapping[str, float]
    sources: Mapping[str, list[str]]

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Returns the tests that run what a mutant changes, the fastest first.

        What an import runs no test runs: there, those count that run a line with its name.
        """
        own = self.lines.get(mutant.path, {})
        found = _united(own, range(mutant.lines[0], mutant.lines[1] + 1))
        if not found:
            found = _united(own, range(mutant.statement[0], mutant.statement[1] + 1))
        if mutant.names:
            found |= self._tests_of_names(set(mutant.names))
        ordered = sorted(found, key=lambda test: (self.seconds.get(test, 0.0), test))
        left = MOST_SHARE * sum(self.seconds.values())
        kept: list[str] = []
        for test in ordered:
            left -= self.seconds.get(test, 0.0)
            if left >= 0 or not kept:
                kept.append(test)
        return kept

    def _tests_of_names(self, names: set[str]) -> set[str]:
        """Returns the tests that run a line with one of the names, or with what is made of it.

        A table that is built of others while it is imported is a name made of theirs.
        """
        found: set[str] = set()
        seen: set[str] = set()
        while names:
            seen |= names
            word = re.compile(r"\b(" + "|".join(map(re.escape, sorted(names))) + r")\b")
            names = set()
            for path, rows in self.sources.items():
                places = [place for place, row in enumerate(rows, 1) if word.search(row)]
                found |= _united(self.lines.get(path, {}), places)
                made = (_BINDING.match(rows[place - 1]) for place in places)
                names |= {one[1] for one in made if one is not None} - seen
        return found


def _united(lines: Mapping[int, frozenset[str]], places: Iterable[int]) -> set[str]:
    return {test for place in places for test in lines.get(place, ())}


def digest_of(tree: Path, names: Iterable[str]) -> str:
    """Returns what changes when a source or a test changes."""
    digest = hashlib.sha256(sys.version.encode())
    for name in sorted(names):
        if name.startswith(_READ) and not name.startswith(_UNREAD):
            content = hashlib.sha256((tree / name).read_bytes()).hexdigest()
            digest.update(f"{name} {content}\n".encode())
    return digest.hexdigest()[:16]


def measure(tree: Path, folder: Path) -> None:
    """Runs the quick tests under coverage in a copy of the project and keeps what they ran.

    Pages run in AppTest's threads and each test is a context, which only the C tracer can both.
    """
    settings, kept = folder / "coveragerc", folder / "measured"
    for left in folder.glob("measured*"):  # of a run that was interrupted
        left.unlink()
    settings.write_text(
        "[run]\nsource = pages,cifar_core\nconcurrency = thread\ncore = ctrace\n"
        f"relative_files = true\ndata_file = {kept}\n"
    )
    suites = [f"tests/{name}" for name in SUITES]
    options = ["--cov", f"--cov-config={settings}", "--cov-context=test", "--cov-report="]
    timing = ["-n2", "-q", "-vv", "-p", "no:cacheprovider", "--durations=0", "-m", "not browser"]
    command = [sys.executable, "-m", "pytest", *suites, *options, *timing]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(folder)
        sys.exit(f"{done.stdout[-4000:]}\nThe tests fail without any defect: repair them first.")
    seconds: dict[str, float] = {}
    for took, test in _DURATION.findall(done.stdout):
        seconds[test] = seconds.get(test, 0.0) + float(took)
    (folder / "seconds.json").write_text(json.dumps(seconds))


def read(folder: Path, tree: Path) -> Cover | None:
    """Returns what was kept, or None where nothing was."""
    if not (folder / "seconds.json").is_file():
        return None
    data = coverage.CoverageData(str(folder / "measured"))
    data.read()
    lines = {
        path: {
            line: frozenset(context.rpartition("|")[0] for context in contexts if context)
            for line, contexts in data.contexts_by_lineno(path).items()
        }
        for path in data.measured_files()
    }
    sources = {path: (tree / path).read_text(encoding="utf-8").splitlines() for path in lines}
    return Cover(lines, json.loads((folder / "seconds.json").read_text()), sources)
