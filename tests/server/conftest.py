"""The server that the tests of this folder speak to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import free_port, start_server
from tests.server.lab import Lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One server for all tests of this folder; none of them changes it."""
    folder = tmp_path_factory.mktemp("lab")
    server = start_server(folder / "log", free_port(), CIFAR_LAB_RUNS=str(folder / "runs"))
    yield Lab(int(server.url.rpartition(":")[2]))
    server.kill()
