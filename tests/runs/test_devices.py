"""Finding devices: the CPU always, GPUs as nvidia-smi tells of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cifar_core.runs import devices, launch
from cifar_core.runs.devices import Device


def say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, status: int = 0) -> None:
    """Puts an nvidia-smi on the PATH that says a text."""
    (tmp_path / "answer").write_text(text)
    program = tmp_path / "nvidia-smi"
    program.write_text(f'#!/bin/sh\nwhile read -r line; do echo "$line"; done < "{tmp_path}/answer"'
                       f"\nexit {status}\n")  # fmt: skip
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_a_machine_without_a_driver_has_its_cpu(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (cpu,) = devices.list_devices()
    assert cpu.id == "cpu"
    assert cpu.name
    assert cpu.cores == devices.usable_cores()


def test_every_gpu_is_told_with_memory_and_load(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    say(
        monkeypatch,
        tmp_path,
        "0, NVIDIA H200, 143771, 512, 37, 9.0\n1, Tesla T4, 15360, 0, 0, 7.5\n",
    )
    _, first, second = devices.list_devices()
    memory = 143771 * 2**20
    assert first == Device("gpu:0", "NVIDIA H200", memory, 512 * 2**20, 0.37, capability=9.0)
    assert devices.computes_bfloat16("gpu:0")
    assert not devices.computes_bfloat16("gpu:1")
    assert (second.id, second.load) == ("gpu:1", 0.0)


def test_what_the_driver_does_not_know_is_unknown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    say(monkeypatch, tmp_path, "0, NVIDIA GB10, [N/A], [N/A], [N/A], [N/A]\n")
    assert devices.list_devices()[1] == Device("gpu:0", "NVIDIA GB10")


@pytest.mark.parametrize(
    "text",
    ["", "No devices were found\n", "x, y\n", ",,,,,\n", "²,a,1,1,1,8.0\n", "-1,a,1,1,1,8.0\n"],
)
def test_an_answer_that_names_no_gpu_gives_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    say(monkeypatch, tmp_path, text)
    assert [device.id for device in devices.list_devices()] == ["cpu"]


def test_a_driver_that_fails_gives_no_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    say(monkeypatch, tmp_path, "0, NVIDIA H200, 1, 1, 1\n", status=9)
    assert [device.id for device in devices.list_devices()] == ["cpu"]


def test_a_driver_that_hangs_gives_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **given: float) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", given["timeout"])

    monkeypatch.setattr(subprocess, "run", hang)
    assert [device.id for device in devices.list_devices()] == ["cpu"]


@pytest.mark.parametrize(("device", "visible"), [("cpu", "-1"), ("gpu:0", "0"), ("gpu:12", "12")])
def test_a_worker_sees_only_its_device(device: str, visible: str) -> None:
    env = launch.worker_environment({"CUDA_VISIBLE_DEVICES": "3", "KEPT": "yes"}, device)
    assert env["CUDA_VISIBLE_DEVICES"] == visible
    assert env["KEPT"] == "yes"
    assert env["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
