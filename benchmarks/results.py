"""results.json: what the parts measured, and the ratios that follow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.compared import COMPARED
from benchmarks.figures import Target

RESULTS_PATH = Path(__file__).resolve().parent / "results.json"

RATIO_TARGETS: Mapping[str, Mapping[str, Target]] = {
    "K/T": {
        "cnn4": Target("Training: ours / the tutorial's code", at_least=3.0, form="{:.2f} ×"),
        "cnn6": Target("Training: ours / the tutorial's code", at_least=2.5, form="{:.2f} ×"),
    },
    "K/P": {
        "cnn4": Target("Training: ours / PyTorch tuned by hand", at_least=1.25, form="{:.2f} ×"),
        "cnn6": Target("Training: ours / PyTorch tuned by hand", at_least=2.0, form="{:.2f} ×"),
    },
    "gemm_share": {
        name: Target(
            "Share of the machine's bfloat16 multiplication rate",
            at_least=0.6,
            scale=100,
            form="{:.0f} %",
        )
        for name in COMPARED
    },
    "time_to_tutorial": {
        name: Target("The tutorial's accuracy: its 100 epochs / our time", 60, form="{:.0f} ×")
        for name in COMPARED
    },
    "predict/ours": {
        name: Target("One picture: `model.predict` / ours", 200, form="{:.0f} ×")
        for name in COMPARED
    },
}

WEB_TARGETS: Mapping[str, Target] = {
    "start_to_content": Target("Server start to first content", at_most=1.0, form="{:.2f} s"),
    "worst_p95": Target(
        "Rerun of the slowest page, 95th percentile, 100 runs", at_most=0.3, form="{:.2f} s"
    ),
    "resident": Target("Memory of the web process", at_most=350e6, scale=1e-6, form="{:.0f} MB"),
    "split": Target(
        "Whole test split through the serving path (slower network)",
        at_most=2.5,
        form="{:.2f} s",
    ),
    "watching": Target(
        "Processor time of watching a run live, of all cores",
        at_most=0.005,
        scale=100,
        form="{:.2f} %",
    ),
    "overhead": Target(
        "Checkpoints, metrics and heartbeat, of an epoch (worst network)",
        at_most=0.01,
        scale=100,
        form="{:.2f} %",
    ),
}


def read(path: Path = RESULTS_PATH) -> dict[str, Any]:
    """Returns the results so far; none when nothing was measured yet."""
    try:
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"machine": None, "parts": {}}
    return results


def write(results: Mapping[str, Any], path: Path) -> None:
    """Writes the results, with the ratios computed anew."""
    whole = {**results, "ratios": ratios(results["parts"]), "web": web_figures(results["parts"])}
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def ratios(parts: Mapping[str, Any]) -> dict[str, dict[str, float | None]]:
    """Returns for each network the median of each ratio, None where it was not measured."""
    return {
        network: {name: _ratio(parts, name, network) for name in RATIO_TARGETS}
        for network in COMPARED
    }


def web_figures(parts: Mapping[str, Any]) -> dict[str, float | None]:
    """Returns the figures of page and process, None where they were not measured."""
    pages, live = parts.get("pages", {}), parts.get("live", {})
    splits = _each(parts, "serve", "ours", "split_seconds", "median")
    shares = _each(parts, "overhead", "share", "median")
    return {
        "start_to_content": _dig(pages, "start_to_content_seconds", "median"),
        "worst_p95": _dig(pages, "worst_p95_seconds"),
        "resident": _dig(pages, "resident_bytes"),
        "split": max(splits, default=None),
        "watching": _watching(live),
        "overhead": max(shares, default=None),
    }


def _ratio(parts: Mapping[str, Any], name: str, network: str) -> float | None:
    if name == "time_to_tutorial":
        runs = parts.get("accuracy", {}).get("runs", [])
        found = [run["ratio"] for run in runs if run["network"] == network and run["ratio"]]
        return max(found, default=None)
    part = "serve" if name == "predict/ours" else "train"
    return _dig(parts, part, "networks", network, name, "median")


def _watching(live: Mapping[str, Any]) -> float | None:
    watched = _dig(live, "processor_share", "watched", "median")
    alone = _dig(live, "processor_share", "alone", "median")
    return None if watched is None or alone is None else max(0.0, watched - alone)


def _each(parts: Mapping[str, Any], part: str, *keys: str) -> list[float]:
    networks = parts.get(part, {}).get("networks", {})
    found = [_dig(networks, name, *keys) for name in networks]
    return [value for value in found if value is not None]


def _dig(values: Mapping[str, Any], *keys: str) -> float | None:
    found: Any = values
    for key in keys:
        if not isinstance(found, Mapping) or found.get(key) is None:
            return None
        found = found[key]
    return float(found)
