"""One process at a time works in a slot; it can be followed and stopped from its first moment."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cifar_core.jobs.slot import Slot
from tests.waiting import wait_until

SLEEPER = """
import sys, time
from pathlib import Path
from cifar_core.jobs.slot import Slot

slot = Slot(Path(sys.argv[1]), "work")
time.sleep(float(sys.argv[2]))
lock = slot.adopt(sys.argv[3:])
print(slot.carry_out(lambda: (Path(sys.argv[1], "begun").touch(), time.sleep(600))).state)
"""
"""Hears nothing for a while, then begins."""


@pytest.fixture
def slot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slot]:
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    made = Slot(tmp_path, "work")
    yield made
    made.stop()
    wait_until(lambda: not made.is_taken())


def processes_of(slot: Slot) -> list[int]:
    """Returns the numbers of the processes that work in a slot."""
    words, found = {str(slot.folder).encode(), b"sleeper"}, []
    for path in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if words <= set((path / "cmdline").read_bytes().split(b"\0")):
                found.append(int(path.name))
    return found


def test_a_module_is_started_with_whole_paths_and_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "show.py").write_text("import sys; print(sys.argv[1:-1])")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)  # the process works elsewhere
    slot = Slot(Path("folder"), "work")
    slot.start("show", [Path("in.json"), "--compact"])
    wait_until(lambda: not slot.is_taken())
    assert slot.path("log").read_text() == f"{[str(tmp_path / 'in.json'), '--compact']}\n"


def test_a_second_start_changes_nothing(slot: Slot) -> None:
    slot.start("sleeper", [slot.folder, "0"])
    slot.start("sleeper", [slot.folder, "0"], prepare=lambda: pytest.fail("a second process"))
    wait_until(lambda: processes_of(slot))
    assert len(processes_of(slot)) == 1


def test_a_stop_that_comes_at_work_ends_it(slot: Slot) -> None:
    slot.start("sleeper", [slot.folder, "0"])
    wait_until((slot.folder / "begun").exists)
    slot.stop()
    wait_until(lambda: not slot.is_taken())
    assert slot.path("log").read_text() == "interrupted\n"
    assert not slot.path("stop").exists()


def test_a_signal_that_comes_before_it_can_be_heard_is_heard_later(slot: Slot) -> None:
    slot.start("sleeper", [slot.folder, "1"])
    wait_until(lambda: processes_of(slot))
    os.kill(processes_of(slot)[0], signal.SIGTERM)
    wait_until(lambda: not slot.is_taken())
    assert "StopAskedError" in slot.path("log").read_text()


def test_a_request_of_yesterday_stops_nobody_today(slot: Slot) -> None:
    requests = []
    slot.path("stop").touch()
    slot.start(
        "sleeper", [slot.folder, "0"], prepare=lambda: requests.append(slot.path("stop").exists())
    )
    assert requests == [False]


def test_one_run_by_hand_respects_the_lock(tmp_path: Path) -> None:
    slot = Slot(tmp_path, "work")
    lock = slot.take()
    assert lock is not None
    with lock, pytest.raises(SystemExit, match="Another process"):
        slot.adopt([])
