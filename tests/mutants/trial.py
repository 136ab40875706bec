"""One mutant on trial: planted in a copy of the project, where the tests that cover it run."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.planting import Mutant

LEAST_PATIENCE_SECONDS = 600.0
"""A test that hangs is ended by pytest long before; this is for a process that hangs."""
_SEEN = re.compile(r"^(?:FAILED|ERROR) (\S.*?)(?: - .*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Attributes:
        is_killed: Whether a test saw it.
        by: The test that did, or how it ended else.
        tests: How many cover it.
        seconds: That the trial took.
    """

    is_killed: bool
    by: str
    tests: int
    seconds: float


class Court:
    """A copy of the project in which one mutant after another is tried."""

    def __init__(self, project: Path, names: Iterable[str], place: Path) -> None:
        self.tree, self._place = place / "tree", place
        self._process: subprocess.Popen[bytes] | None = None
        self._planted = 0
        for name in names:
            target = self.tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(project / name, target)
        if (project / "data").exists():
            (self.tree / "data").symlink_to((project / "data").resolve())

    def try_out(self, mutant: Mutant, tests: Sequence[str], expected_seconds: float) -> Verdict:
        """Plants a mutant, runs its tests until one fails, and takes it out again."""
        if not tests:
            return Verdict(is_killed=False, by="no test runs it", tests=0, seconds=0.0)
        path, began = self.tree / mutant.path, time.monotonic()
        source, state = path.read_bytes(), path.stat()
        self._planted += 1
        try:
            path.write_bytes(mutant.apply(source))
            # Compiled files are told apart by seconds and size: no two mutants share a time.
            os.utime(path, (state.st_atime, state.st_mtime - self._planted))
            status, by = self._run(tests, max(LEAST_PATIENCE_SECONDS, 10 * expected_seconds))
        finally:
            path.write_bytes(source)
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        took = time.monotonic() - began
        return Verdict(is_killed=status != 0, by=by, tests=len(tests), seconds=round(took, 1))

    def is_green(self, tests: Sequence[str]) -> bool:
        """Whether tests pass in the copy as it is."""
        return self._run(tests, 600.0)[0] == 0

    def stop(self) -> None:
        """Ends the tests that are running."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _run(self, tests: Sequence[str], patience_seconds: float) -> tuple[int, str]:
        """Runs tests in their order and returns the exit status and who failed."""
        asked = self._place / "tests.txt"
        asked.write_text("\n".join(tests))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        command += [f"--basetemp={self._place / 'temp'}", f"@{asked}"]
        # A file and no pipe: a training that a killed test leaves behind would keep a pipe open.
        said = self._place / "said.txt"
        with said.open("w", encoding="utf-8") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self.tree,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            status = self._process.wait(timeout=patience_seconds)
        except subprocess.TimeoutExpired:
            return -1, "it hangs"
        finally:
            self.stop()
        text = said.read_text(encoding="utf-8", errors="replace")
        seen = _SEEN.search(text)
        return status, seen[1] if seen else text.strip().rpartition("\n")[2]
