from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cifar_core import settings
from cifar_core.errors import LabError


def test_an_empty_environment_gives_the_folders_of_the_project() -> None:
    found = settings.current({})
    assert found == settings.Settings(
        data_dir=settings.PROJECT_DIR / "data",
        runs_dir=settings.PROJECT_DIR / "runs",
        models_dir=settings.PROJECT_DIR / "models",
        feedback_dir=settings.PROJECT_DIR / "feedback",
    )


@pytest.mark.parametrize(
    ("variable", "attribute"),
    [
        ("CIFAR_LAB_DATA", "data_dir"),
        ("CIFAR_LAB_RUNS", "runs_dir"),
        ("CIFAR_LAB_MODELS", "models_dir"),
        ("CIFAR_LAB_FEEDBACK", "feedback_dir"),
    ],
)
def test_each_folder_can_be_named(variable: str, attribute: str, tmp_path: Path) -> None:
    assert getattr(settings.current({variable: f" {tmp_path} "}), attribute) == tmp_path.resolve()


def test_a_blank_folder_is_no_folder() -> None:
    assert settings.current({"CIFAR_LAB_DATA": "  "}) == settings.current({})


def test_a_tilde_is_the_home_of_the_user() -> None:
    assert settings.current({"CIFAR_LAB_DATA": "~/cifar"}).data_dir == (
        Path("~/cifar").expanduser().resolve()
    )


@pytest.mark.parametrize("value", ["", " ", "0", " 0 ", "false", "No", "OFF"])
def test_read_only_is_off_unless_asked_for(value: str) -> None:
    assert not settings.current({"CIFAR_LAB_READONLY": value}).read_only


@pytest.mark.parametrize("value", ["1", "yes", " True ", "on"])
def test_read_only_is_on_where_asked_for(value: str) -> None:
    assert settings.current({"CIFAR_LAB_READONLY": value}).read_only


@pytest.mark.parametrize("value", ["2", "maybe", "ja", "-1", "truе"])
def test_what_is_neither_yes_nor_no_is_refused(value: str) -> None:
    with pytest.raises(LabError) as error:
        settings.current({"CIFAR_LAB_READONLY": value})
    assert "CIFAR_LAB_READONLY" in error.value.remedy


@pytest.mark.parametrize("value", ['"/data"', "'/data'", "“/data”", '"/data', "“/data", "/data'"])
def test_quotes_around_a_folder_are_refused(value: str) -> None:
    with pytest.raises(LabError) as error:
        settings.current({"CIFAR_LAB_RUNS": value})
    assert error.value.remedy.endswith("CIFAR_LAB_RUNS=/data")


def test_the_home_of_nobody_is_refused_with_the_variable() -> None:
    with pytest.raises(LabError) as error:
        settings.current({"CIFAR_LAB_RUNS": "~nobody-of-this-name/runs"})
    assert "CIFAR_LAB_RUNS" in error.value.remedy


def test_the_folders_of_an_account_without_a_home_are_those_of_the_project(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_home(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", no_home)
    assert settings.current({}).runs_dir == settings.PROJECT_DIR / "runs"
    with pytest.raises(LabError):
        settings.current({"CIFAR_LAB_RUNS": "~/runs"})


def test_a_child_looks_for_the_lab_before_what_else_python_is_told(tmp_path: Path) -> None:
    environ = settings.child_environment({"PYTHONPATH": str(tmp_path)})
    assert environ["PYTHONPATH"].split(os.pathsep) == [str(settings.PROJECT_DIR), str(tmp_path)]
    assert settings.child_environment({})["PYTHONPATH"] == str(settings.PROJECT_DIR)


def test_a_child_finds_the_lab_where_python_takes_the_working_folder_off_its_path(
    tmp_path: Path,
) -> None:
    environ = settings.child_environment({**os.environ, "PYTHONSAFEPATH": "1"})
    command = [sys.executable, "-c", "import cifar_core"]
    subprocess.run(command, env=environ, cwd=tmp_path, check=True)


@pytest.mark.parametrize("value", ["", "0", "-2", "1.5", "many", "½", "²", "1e3"])
def test_an_impossible_number_of_threads_means_one(value: str) -> None:
    assert settings.current({"CIFAR_LAB_SERVING_THREADS": value}).serving_threads == 1


def test_a_number_of_threads_is_taken() -> None:
    assert settings.current({"CIFAR_LAB_SERVING_THREADS": "3"}).serving_threads == 3


def test_the_environment_is_read_when_asked_not_at_import() -> None:
    program = (
        "import os; from cifar_core import settings; os.environ['CIFAR_LAB_READONLY'] = '1'; "
        "print(settings.current().read_only)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=settings.PROJECT_DIR,
        env={**os.environ, "CIFAR_LAB_READONLY": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "True"


def test_the_server_refuses_uploads_larger_than_the_lab_does() -> None:
    config = tomllib.loads((settings.PROJECT_DIR / ".streamlit/config.toml").read_text("utf-8"))
    assert config["server"]["maxUploadSize"] * 1024 * 1024 == settings.MAX_UPLOAD_BYTES


def test_the_server_is_closed_to_others_unless_told() -> None:
    config = tomllib.loads((settings.PROJECT_DIR / ".streamlit/config.toml").read_text("utf-8"))
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["enableXsrfProtection"] is True
    assert config["client"]["showErrorDetails"] == "none"
    assert config["browser"]["gatherUsageStats"] is False
