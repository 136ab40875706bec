"""The container's files: what tools/prove_container.sh proves by building, held here by reading."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from cifar_core import container
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


def is_in_the_image(path: str) -> bool:
    """Follows .dockerignore as its description says: of the lines that match, the last decides."""
    names = [str(part) for part in [*Path(path).parents][-2::-1]] + [path]
    is_in = True
    for line in IGNORED:
        pattern = line.removeprefix("!").removeprefix("**/")
        places = Path(path).parts if "**" in line else names
        if any(fnmatch(place, pattern) for place in places):
            is_in = line.startswith("!")
    return is_in


@pytest.mark.parametrize(
    "path",
    [
        *(".streamlit/secrets.toml", ".git/config", ".venv/bin/python", "data/cifar10/x.npy"),
        *("runs/a/checkpoint", "feedback/x", "tests/conftest.py", "secrets.env", "id_rsa"),
        *("cifar_core/__pycache__/x.pyc", "compose.override.yaml", "whatever comes"),
    ],
)
def test_the_image_gets_neither_secrets_nor_history_nor_data(path: str) -> None:
    assert not is_in_the_image(path)


@pytest.mark.parametrize(
    "path",
    [
        *("app.py", "pages/train.py", "cifar_core/dataset/sample/test.webp", "requirements.lock"),
        *("models/cnn4/model.tflite", ".streamlit/config.toml", "requirements-gpu.lock"),
        *("cifar_core/report/templates/report.html.j2", "cifar_core/ui/kit/lab.css"),
    ],
)
def test_the_image_gets_what_the_lab_runs_on(path: str) -> None:
    assert is_in_the_image(path)


def test_the_first_process_stops_trainings_and_has_the_time_for_it() -> None:
    (words,) = re.findall(r"^ENTRYPOINT (.*)$", LAST_STAGE, re.MULTILINE)
    assert json.loads(words) == ["python", "-m", "cifar_core.container"]
    (granted,) = re.findall(r"^  stop_grace_period: (\d+)s$", COMPOSE, re.MULTILINE)
    assert int(granted) > container.GRACE_SECONDS


def default_of(setting: str) -> str:
    """Returns what compose.yaml says, or what it says where no variable is set."""
    (said,) = re.findall(rf"^ +{setting}: (\S+)$", COMPOSE, re.MULTILINE)
    return re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", said)


def test_compose_bounds_memory_processes_and_open_files() -> None:
    memory = re.fullmatch(r"([1-9]\d*)g", default_of("mem_limit"))
    assert memory is not None
    assert 3 <= int(memory[1]) <= 16  # a training and a page, and no more than a small machine has
    assert 256 <= int(default_of("pids_limit")) <= 4096
    assert int(default_of("nofile")) >= 500 * 4  # of 500 visitors


def test_every_service_of_compose_has_the_bounds() -> None:
    services = COMPOSE[COMPOSE.index("\nservices:\n") : COMPOSE.index("\nvolumes:\n")]
    bodies = re.split(r"^  [\w-]+:\n", services, flags=re.MULTILINE)[1:]
    assert len(bodies) == 2
    assert all("    <<: *lab\n" in body for body in bodies)
    assert not re.search(r"^    (mem_limit|pids_limit|ulimits):", services, re.MULTILINE)


def test_the_container_installs_by_digest_only() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert DOCKERFILE.count("pip install") == 1
