from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from cifar_core.ui.shell import descriptors

CODE = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 512))
from cifar_core.ui.shell import descriptors
descriptors.allow_many()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_server_may_hold_as_many_files_as_the_system_lets_it() -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 512
    said = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True, timeout=240
    )
    assert said.stdout.split() == ["512", "512"]


@pytest.mark.parametrize("error", [ValueError("as macOS does"), OSError("as a sandbox does")])
def test_a_limit_that_cannot_be_raised_keeps_no_server_from_starting(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(_kind: int, _limits: tuple[int, int]) -> None:
        raise error

    monkeypatch.setattr(resource, "setrlimit", refuse)
    descriptors.allow_many()
