"""The pure parts of the benchmark: medians, ratios of neighbours, tables. Nothing is timed."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import figures, report, results
from benchmarks.compared import COMPARED
from benchmarks.documents import fill
from benchmarks.figures import Target
from cifar_core.settings import PROJECT_DIR

RATES = st.lists(st.floats(0.001, 1e12), min_size=1, max_size=9)


def turns(**rates: list[float]) -> dict[str, list[dict[str, float]]]:
    told = {name: [{"images_per_second": rate} for rate in rates[name]] for name in rates}
    count = len(rates["K"])
    told["G"] = [{"float32_flops": 1e11, "bfloat16_flops": 4e11} for _ in range(count)]
    return told


def train_part() -> dict[str, Any]:
    told = turns(T=[1000.0, 2000.0], K=[3000.0, 8000.0], P=[2000.0, 4000.0])
    networks = {name: figures.training_ratios(told, 100_000_000) for name in COMPARED}
    chosen = {name: {"chosen": "eager"} for name in COMPARED}
    return {
        "networks": networks,
        "contenders": {"P": {"torch": "2.13.0", **chosen}},
        "date": "2026-01-02",
        "turns": 2,
    }


def serve_part() -> dict[str, Any]:
    flat = figures.summarise([2000.0])
    single = {"single_seconds": {"median": 0.0001, "p95": 0.0002}}
    network = {
        "predict/ours": figures.summarise([250.0]),
        "keras": {**single, "many_images_per_second": flat},
        "ours": {
            **single,
            "batch_images_per_second": flat,
            "split_seconds": figures.summarise([1.25]),
        },
    }
    return {"networks": dict.fromkeys(COMPARED, network), "date": "2026-01-03", "turns": 5}


def measured(**parts: Any) -> dict[str, Any]:
    machine = {
        "processor": "A processor",
        "cores": 2,
        "memory_gib": 8,
        "python": "3.11.1",
        "versions": {"keras": "3.15.1"},
    }
    return {"machine": machine, "parts": parts}


def test_a_ratio_is_the_median_over_rounds_not_the_ratio_of_medians() -> None:
    # The machine was ten times as fast in the second round: both sides were.
    assert figures.ratio([30, 300, 30], [10, 100, 15])["median"] == 3


def test_rounds_of_different_number_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        figures.ratio([1, 2], [1])


@pytest.mark.parametrize("values", [[], [float("nan")], [float("inf")], [-1.0], [1.0, -0.5]])
def test_what_is_no_figure_is_not_summarised(values: list[float]) -> None:
    with pytest.raises(ValueError, match="no figures"):
        figures.summarise(values)


@given(RATES)
def test_a_median_lies_between_the_smallest_and_the_largest(values: list[float]) -> None:
    found = figures.summarise(values)
    assert found["min"] <= found["median"] <= found["max"]
    assert found["spread"] >= 0


@given(RATES, st.floats(0.01, 100))
def test_the_spread_does_not_depend_on_the_unit(values: list[float], unit: float) -> None:
    other = figures.summarise([value * unit for value in values])
    assert other["spread"] == pytest.approx(figures.summarise(values)["spread"], rel=1e-9, abs=1e-9)


def test_equal_values_have_no_spread_and_zeros_have_one_of_zero() -> None:
    assert figures.summarise([5.0, 5.0, 5.0])["spread"] == 0
    assert figures.summarise([0.0, 0.0])["spread"] == 0


def test_a_percentile_is_interpolated_as_numpy_does() -> None:
    import numpy as np

    values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0]
    for share in (0.0, 0.25, 0.5, 0.95, 1.0):
        assert figures.percentile(values, share) == pytest.approx(np.quantile(values, share))


def test_training_ratios_follow_from_rates_and_arithmetic() -> None:
    found = figures.training_ratios(turns(T=[1000.0], K=[3000.0], P=[2000.0]), 100_000_000)
    assert found["K/T"]["median"] == 3
    assert found["K/P"]["median"] == 1.5
    assert found["gemm_share"]["median"] == pytest.approx(3000 * 1e8 / 4e11)


def test_without_pytorch_its_ratio_is_missing_and_the_others_stand() -> None:
    found = figures.training_ratios(turns(T=[1000.0], K=[3000.0]), 100_000_000)
    assert found["K/P"] is None
    assert found["K/T"]["median"] == 3
    part = {"networks": dict.fromkeys(COMPARED, found), "contenders": {}}
    assert results.ratios({"train": part})["cnn4"]["K/P"] is None
    assert "–" in report.render(measured(train={**part, "date": "2026-01-02", "turns": 1}))


def test_the_first_epoch_at_an_accuracy_is_an_end_of_an_epoch() -> None:
    rows = [
        SimpleNamespace(kind="step", seen=0.9),
        SimpleNamespace(kind="epoch", seen=None),
        SimpleNamespace(kind="epoch", seen=0.5),
        SimpleNamespace(kind="epoch", seen=0.7),
        SimpleNamespace(kind="epoch", seen=0.8),
    ]
    assert figures.first_epoch_at(rows, 0.7, of=lambda row: row.seen) is rows[3]
    assert figures.first_epoch_at(rows, 0.95, of=lambda row: row.seen) is None


@pytest.mark.parametrize(
    ("target", "value", "met"),
    [
        (Target("x", at_least=3.0), 3.0, True),
        (Target("x", at_least=3.0), 2.99, False),
        (Target("x", at_most=1.0), 1.0, True),
        (Target("x", at_most=1.0), 1.01, False),
    ],
)
def test_a_target_is_met_at_its_bound_and_not_beyond(
    target: Target, value: float, met: bool
) -> None:
    assert target.is_met(value) is met


def test_a_reached_aim_is_bold_and_a_missed_one_is_not() -> None:
    text = report.render(measured(train=train_part()))
    line = next(line for line in text.splitlines() if "tutorial's code |" in line)
    assert "**3.50 ×** | ≥ 3.00 ×" in line  # the median of 3 and 4
    line = next(line for line in text.splitlines() if "tuned by hand" in line)
    assert "**1.75 ×** | ≥ 1.25 × | 1.75 × | ≥ 2.00 ×" in line


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    text = report.render(measured(train=train_part(), serve=serve_part()))
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1, block


def test_what_was_not_measured_is_a_dash_and_the_page_says_when_nothing_was() -> None:
    assert "– | ≥ 200 ×" in report.render(measured(train=train_part()))
    assert "Nothing has been measured yet" in report.render({"machine": None, "parts": {}})


def test_serving_stands_in_the_table_with_its_units() -> None:
    text = report.render(measured(serve=serve_part()))
    assert "**250 ×** | ≥ 200 ×" in text
    assert "**1.25 s** | ≤ 2.50 s" in text
    assert "0.10 ms, 0.20 ms" in text


def test_the_table_names_machine_date_and_versions() -> None:
    text = report.render(measured(train=train_part()))
    for word in ("A processor", "2 cores", "2026-01-02", "keras 3.15.1", "torch 2.13.0", "eager"):
        assert word in text


def test_the_committed_page_shows_the_committed_results() -> None:
    page = (PROJECT_DIR / "docs" / "performance.md").read_text(encoding="utf-8")
    assert fill(page, "results", report.render(results.read()), by=report.BY) == page


def test_results_survive_a_file_and_carry_their_ratios(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    assert results.read(path)["parts"] == {}
    results.write(measured(train=train_part()), path)
    again = results.read(path)
    assert again["ratios"]["cnn4"]["K/T"] == 3.5
    assert json.loads(path.read_text()) == again
    assert report.render(again) == report.render(measured(train=train_part()))
