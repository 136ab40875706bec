from __future__ import annotations

import os
import threading
import time

import pytest

from cifar_core.inference.aside import NICENESS, aside


def test_the_result_comes_back() -> None:
    assert aside(lambda: 42) == 42


def test_a_failure_comes_back_as_it_was() -> None:
    def fail() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        aside(fail)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="threads have priorities on Linux")
def test_the_work_lets_others_go_first_and_who_asked_for_it_keeps_its_place() -> None:
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    inside = aside(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    assert inside == max(NICENESS, before)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_the_rest_behind_work_is_a_multiple_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr("cifar_core.inference.aside.time.sleep", rests.append)
    began = time.perf_counter()
    assert aside(lambda: threading.Event().wait(0.05), rest=3.0) is False
    assert 3 * 0.05 <= rests[0] <= 3 * (time.perf_counter() - began)
