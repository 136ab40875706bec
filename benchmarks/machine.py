"""What was measured on: the processor and the versions, for the record."""

from __future__ import annotations

import importlib.metadata
import platform
from typing import Any

from cifar_core.runs.devices import computes_bfloat16, list_devices

PACKAGES = ("tensorflow", "keras", "numpy", "ai-edge-litert", "streamlit")


def describe() -> dict[str, Any]:
    """Returns processor, cores, memory, system and versions."""
    cpu = list_devices()[0]
    return {
        "processor": cpu.name,
        "cores": cpu.cores,
        "memory_gib": round(cpu.memory_bytes / 2**30) if cpu.memory_bytes else None,
        "bfloat16": computes_bfloat16("cpu"),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }
