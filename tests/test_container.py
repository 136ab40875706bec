"""The container's files: what tools/prove_container.sh proves by building, held here by reading."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from cifar_core.settings import PROJECT_DIR

DOCKERFILE = (PROJECT_DIR / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (PROJECT_DIR / "compose.yaml").read_text(encoding="utf-8")
IGNORED = [
    line
    for line in (PROJECT_DIR / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
LAST_STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


def test_the_server_in_the_container_is_not_root() -> None:
    assert re.search(r"^USER lab$", LAST_STAGE, re.MULTILINE)
    assert LAST_STAGE.index("\nUSER lab") < LAST_STAGE.index("\nCMD ")
    assert "USER root" not in LAST_STAGE


def test_the_container_asks_the_server_how_it_is() -> None:
    assert "HEALTHCHECK" in LAST_STAGE
    assert "/_stcore/health" in LAST_STAGE


def test_data_runs_and_feedback_outlive_the_container() -> None:
    (volumes,) = re.findall(r"^VOLUME (.*)$", LAST_STAGE, re.MULTILINE)
    written = re.findall(r"CIFAR_LAB_(?:DATA|RUNS|FEEDBACK)=(\S+)", LAST_STAGE)
    assert len(written) == 3
    assert volumes.split() == written
    assert all(f":{folder}\n" in COMPOSE for folder in written)


def test_compose_publishes_the_lab_to_this_machine_only() -> None:
    (port,) = re.findall(r'^    - "(.*)"$', COMPOSE[COMPOSE.index("ports:") :], re.MULTILINE)[:1]
    assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize(
    "path", [".streamlit/secrets.toml", ".git", ".venv", "data", "runs", "feedback", "tests"]
)
def test_the_image_gets_neither_secrets_nor_history_nor_data(path: str) -> None:
    assert any(fnmatch(path, pattern) for pattern in IGNORED)


@pytest.mark.parametrize(
    "path",
    ["app.py", "pages", "cifar_core", "models", "requirements.lock", ".streamlit/config.toml"],
)
def test_the_image_gets_what_the_lab_runs_on(path: str) -> None:
    parts = [str(Path(*Path(path).parts[:count])) for count in range(1, len(Path(path).parts) + 1)]
    assert not any(fnmatch(part, pattern) for part in parts for pattern in IGNORED)
