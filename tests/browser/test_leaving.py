"""A test that ends badly leaves no server behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.source import ROOT
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

TEST = """
import os, signal
from pathlib import Path

def test_that_ends_badly(serve):
    Path({told!r}).write_text(str(serve().process.pid))
    {end}
"""
ENDS = {"fails": "assert False", "is killed": "os.kill(os.getpid(), signal.SIGKILL)"}


def is_gone(pid: int) -> bool:
    """Returns whether a process has ended, reaped or not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


@pytest.mark.parametrize("end", ENDS)
def test_a_server_goes_with_the_test_that(end: str, tmp_path: Path) -> None:
    told, test = tmp_path / "pid", tmp_path / "test_it.py"
    test.write_text(TEST.format(told=str(told), end=ENDS[end]))
    plugins = ("-p", "no:cacheprovider", "-p", "tests.conftest", "-p", "tests.browser.conftest")
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "--rootdir", str(ROOT), str(test)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode not in (0, 2, 3, 4, 5), answer.stdout
    pid = int(told.read_text())
    wait_until(lambda: is_gone(pid))
