from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.shell import malloc_arenas

PROGRAM = """
import ctypes, sys, threading
from cifar_core.ui.shell import malloc_arenas
if sys.argv[1] == "few":
    malloc_arenas.keep_few()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = threading.Barrier(12)
def work():
    together.wait()
    kept = [libc.malloc(1000) for _ in range(100)]
    together.wait()
threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
"""


def count_heaps(how: str) -> int:
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM, how],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT_DIR,
    )
    return answer.stdout.count("<heap nr=")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="another C library")
def test_many_threads_share_few_heaps() -> None:
    assert count_heaps("few") <= malloc_arenas.MOST_HEAPS < count_heaps("as they come")


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    malloc_arenas.keep_few()
