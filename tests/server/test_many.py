"""What a server of its own carries: more uploads than it keeps, more visitors than files."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.browser.conftest import Server, free_port, start_server
from tests.server.lab import XSRF, Lab, run_page, upload_of
from tests.waiting import wait_until

USUAL_FILES = 1024
"""The soft limit of open files that most systems give."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that was started with the usual limit of open files."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(USUAL_FILES, hard), hard))
    try:
        started = start_server(tmp_path / "log", free_port(), CIFAR_LAB_RUNS=str(tmp_path / "runs"))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield started
    started.kill()


def lab_of(server: Server) -> Lab:
    return Lab(int(server.url.rpartition(":")[2]))


def resident_mb(server: Server) -> float:
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_the_server_raises_its_own_limit_of_open_files(server: Server) -> None:
    (line,) = [
        line
        for line in Path(f"/proc/{server.process.pid}/limits").read_text().splitlines()
        if line.startswith("Max open files")
    ]
    soft, hard = line.split()[3:5]
    assert soft == hard
    assert hard == "unlimited" or int(hard) > USUAL_FILES, "this machine cannot tell"


@pytest.mark.full
def test_a_hundred_uploads_take_the_room_of_ten_and_go_with_their_visitor(server: Server) -> None:
    """E3: the figures are printed (``pytest -rP``)."""
    lab = lab_of(server)
    with lab.connect(lab.origin) as line:
        session_id = run_page(line)[0].new_session.initialize.session_id
        pair = {"X_Xsrftoken": (token := lab.token()), "Cookie": f"{XSRF}={token}"}
        before, taken = resident_mb(server), 0
        for number in range(100):
            body, kind = upload_of(os.urandom(9_900_000))
            path = f"/_stcore/upload_file/{session_id}/f{number}"
            taken += lab.ask("PUT", path, body, **kind, **pair).status == 204
        most = resident_mb(server) - before
    left = time.monotonic()
    wait_until(lambda: resident_mb(server) - before < 40)
    print(f"{taken} of 100 kept, {most:.0f} MB more, freed after {time.monotonic() - left:.0f} s")
    assert taken == 10
    assert most < 160


@pytest.mark.full
def test_five_hundred_visitors_find_room_within_the_usual_limit_of_files(server: Server) -> None:
    """E11: each is connected and has a page before the first one leaves."""
    lab = lab_of(server)
    with ExitStack() as all_of_them:
        for _ in range(500):
            line = all_of_them.enter_context(lab.connect(lab.origin))
            assert run_page(line)
        held = len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))
        assert lab.ask("GET", "/").status == 200
    print(f"the server held {held:,} files with 500 visitors")
