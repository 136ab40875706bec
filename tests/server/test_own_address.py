"""The address the server prints can be copied into a browser."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from cifar_core.settings import PROJECT_DIR
from tests.browser.conftest import free_port
from tests.waiting import start_mortal, wait_until


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_an_ipv6_address_is_printed_as_a_browser_opens_it(tmp_path: Path) -> None:
    port, log_path = free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    with log_path.open("wb") as log:
        process = start_mortal(
            [*command, "--server.address=::1", f"--server.port={port}"],
            cwd=PROJECT_DIR,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: "Lab: " in log_path.read_text(), seconds=60)
        (line,) = [line for line in log_path.read_text().splitlines() if "Lab: " in line]
        url = line.split("Lab: ")[1].strip()
        assert url == f"http://[::1]:{port}"
        with urllib.request.urlopen(f"{url}/_stcore/health") as answer:
            assert answer.read() == b"ok"
    finally:
        process.kill()
        process.wait()
