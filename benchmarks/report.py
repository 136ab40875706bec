"""The results as tables, in the terminal and in docs/performance.md.

``python -m benchmarks.report`` writes them between the two markers of that page.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.compared import COMPARED
from benchmarks.documents import fill, table
from benchmarks.figures import Target
from cifar_core.settings import PROJECT_DIR

PAGE_PATH = PROJECT_DIR / "docs" / "performance.md"
BY = "python -m benchmarks.report"

RUNNERS = {"T": "the tutorial's code", "K": "ours", "P": "PyTorch"}


def render(measured: Mapping[str, Any]) -> str:
    """Returns the results as Markdown: ratios, raw rates, and what was measured on."""
    parts = measured["parts"]
    if not parts:
        return "Nothing has been measured yet: `make bench`."
    blocks = [
        table(
            ["", *(f"{network.title} | aim" for network in COMPARED.values())],
            _ratio_rows(parts),
        ),
        table(["", "measured | aim"], _web_rows(parts)),
    ]
    if "train" in parts:
        blocks.append(
            table(
                ["Rates, median (± half the quartiles' distance)", *_titles()],
                _rate_rows(parts["train"]["networks"]),
            )
        )
    if "serve" in parts:
        blocks.append(table(["Serving", *_titles()], _serving_rows(parts["serve"]["networks"])))
    blocks.append(_origin(measured))
    return "\n\n".join(blocks)


def _ratio_rows(parts: Mapping[str, Any]) -> list[list[str]]:
    ratios = results.ratios(parts)
    rows = []
    for name, targets in results.RATIO_TARGETS.items():
        words = next(iter(targets.values())).words
        cells = [_against(targets[network], ratios[network][name]) for network in COMPARED]
        rows.append([words, *cells])
    return rows


def _web_rows(parts: Mapping[str, Any]) -> list[list[str]]:
    figures = results.web_figures(parts)
    return [
        [target.words, _against(target, figures[name])]
        for name, target in results.WEB_TARGETS.items()
    ]


def _rate_rows(networks: Mapping[str, Any]) -> list[list[str]]:
    first = networks[next(iter(networks))]
    rows = [
        [f"{words[0].upper()}{words[1:]}, images/s"]
        + [_summary(networks[name]["images_per_second"][runner]) for name in networks]
        for runner, words in RUNNERS.items()
        if runner in first["images_per_second"]
    ]
    rows += [
        [f"4096 × 4096 matrices in {kind}, GFLOP/s"]
        + [_summary(networks[name]["gemm_flops"][kind], 1e-9) for name in networks]
        for kind in ("float32", "bfloat16")
    ]
    return rows


def _serving_rows(networks: Mapping[str, Any]) -> list[list[str]]:
    rows = []
    for who, words in (("keras", "`model.predict`"), ("ours", "Ours")):
        single = [networks[name][who]["single_seconds"] for name in networks]
        rows.append(
            [f"{words}, one picture: median, 95th percentile"]
            + [f"{one['median'] * 1e3:.2f} ms, {one['p95'] * 1e3:.2f} ms" for one in single]
        )
    many = [networks[name]["keras"]["many_images_per_second"] for name in networks]
    rows.append(["`model.predict`, 1,000 pictures, images/s", *map(_summary, many)])
    batches = [networks[name]["ours"]["batch_images_per_second"] for name in networks]
    rows.append(["Ours, batches of 32 on one thread, images/s", *map(_summary, batches)])
    splits = [networks[name]["ours"]["split_seconds"]["median"] for name in networks]
    rows.append(["Ours, whole test split on every core", *(f"{took:.2f} s" for took in splits)])
    return rows


def _against(target: Target, value: float | None) -> str:
    """Returns two cells: the value, bold where it reaches the aim, and the aim."""
    bound = target.show_bound()
    if value is None:
        return f"– | {bound}"
    shown = target.show(value)
    return f"**{shown}** | {bound}" if target.is_met(value) else f"{shown} | {bound}"


def _summary(values: Mapping[str, float], scale: float = 1.0) -> str:
    return f"{values['median'] * scale:,.0f} ± {values['spread']:.0%}"


def _titles() -> list[str]:
    return [network.title for network in COMPARED.values()]


def _origin(measured: Mapping[str, Any]) -> str:
    machine, parts = measured["machine"], measured["parts"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    torch = parts.get("train", {}).get("contenders", {}).get("P")
    if torch:
        chosen = ", ".join(f"{COMPARED[name].title} {torch[name]['chosen']}" for name in COMPARED)
        versions += f", torch {torch['torch']} (faster way: {chosen})"
    dates = sorted({part["date"] for part in parts.values()})
    turns = ", ".join(f"{name} {part['turns']}" for name, part in parts.items())
    return (
        f"Measured {' and '.join(dates)} on {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, Python {machine['python']}; {versions}. "
        f"Turns: {turns}. Bold: the aim is reached."
    )


def main(page_path: Path = PAGE_PATH) -> None:
    """Writes the committed results into the page."""
    page = page_path.read_text(encoding="utf-8")
    page = fill(page, "results", render(results.read()), by=BY)
    page_path.write_text(page, encoding="utf-8")
    print(f"wrote the tables of {page_path.name}")


if __name__ == "__main__":
    main()
