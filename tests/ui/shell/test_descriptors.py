from __future__ import annotations

import resource
import subprocess
import sys

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
