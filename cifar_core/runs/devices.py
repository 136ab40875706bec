"""The devices of this machine, found without TensorFlow."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Device:
    """A processor that can train.

    Attributes:
        id: ``cpu``, ``gpu:0`` …: what a run is started with.
        name: The maker's name.
        memory_bytes: Its memory, where known.
        used_bytes: How much of it is taken, where known.
        load: Share of it that is busy, from 0 to 1, where known.
        cores: Processor cores this process may use; None for a GPU.
        capability: Compute capability of an NVIDIA GPU, where known.
    """

    id: str
    name: str
    memory_bytes: int | None = None
    used_bytes: int | None = None
    load: float | None = None
    cores: int | None = None
    capability: float | None = None


def list_devices() -> list[Device]:
    """Returns the CPU and every NVIDIA GPU of this machine, the CPU first."""
    return [_read_cpu(), *_read_gpus()]


def computes_bfloat16(device: str) -> bool:
    """Says whether a device computes bfloat16 natively, and so faster than float32.

    A CPU says so itself (AVX512_BF16 or AMX_BF16 among its flags); a GPU of NVIDIA does from
    Ampere on (2020, compute capability 8.0).
    """
    if device != "cpu":
        return any((gpu.capability or 0) >= 8 for gpu in _read_gpus() if gpu.id == device)
    flags = _cpu_field("flags").split()
    return "avx512_bf16" in flags or "amx_bf16" in flags


def usable_cores() -> int:
    """Returns how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_average() -> float | None:
    """Returns how many processes wanted a core in the last minute, where the system tells."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def _read_cpu() -> Device:
    name = _cpu_field("model name") or platform.processor() or platform.machine() or "CPU"
    cores = usable_cores()
    total = used = None
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        memory = {key: int(rest.split()[0]) * 1024 for key, rest in (x.split(":") for x in lines)}
        total, used = memory["MemTotal"], memory["MemTotal"] - memory["MemAvailable"]
    except (OSError, ValueError, KeyError, IndexError):
        pass  # not Linux: the page shows the device without its memory
    load = min(1.0, os.getloadavg()[0] / cores) if hasattr(os, "getloadavg") else None
    return Device("cpu", name, total, used, load, cores)


def _read_gpus() -> list[Device]:
    query = "index,name,memory.total,memory.used,utilization.gpu,compute_cap"
    command = ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return []  # no driver: no GPU that could train
    return [gpu for line in answer.stdout.splitlines() if (gpu := _parse_gpu(line))]


def _parse_gpu(line: str) -> Device | None:
    """Reads one line of nvidia-smi; a field it does not know is ``[N/A]``."""
    parts = [part.strip() for part in line.split(",")]
    if len(parts) != 6 or not re.fullmatch(r"[0-9]+", parts[0]):
        return None

    def number(text: str) -> int | None:
        return int(text) if re.fullmatch(r"[0-9]+", text) else None

    total, used, load = (number(part) for part in parts[2:5])
    return Device(
        f"gpu:{parts[0]}",
        parts[1],
        total * 2**20 if total is not None else None,
        used * 2**20 if used is not None else None,
        load / 100 if load is not None else None,
        capability=float(parts[5]) if re.fullmatch(r"[0-9]+\.[0-9]+", parts[5]) else None,
    )


def _cpu_field(field: str) -> str:
    """Returns a field of /proc/cpuinfo, empty where there is none."""
    try:
        with Path("/proc/cpuinfo").open() as lines:
            for line in lines:
                if line.startswith(field):
                    return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return ""
