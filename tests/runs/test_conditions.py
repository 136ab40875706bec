from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cifar_core.runs.conditions import caveat, time_caveat, unlike_conditions
from cifar_core.runs.reading import Run, read
from cifar_core.settings import PROJECT_DIR
from tools.fabricate import Fake, fabricate


def two(runs_dir: Path, first: dict[str, Any], second: dict[str, Any]) -> tuple[Run, Run]:
    for name, values in (("one", first), ("two", second)):
        fabricate(runs_dir, Fake(run_id=name, **values))
    return read(runs_dir, "one"), read(runs_dir, "two")


def test_networks_trained_alike_differ_in_nothing_else(runs_dir: Path) -> None:
    pair = two(runs_dir, {"network": "cnn4"}, {"network": "cnn6", "seed": 2})
    assert unlike_conditions(*pair) == []
    assert caveat(*pair) == ""


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"epochs": 2}, "3 against 2 epochs"),
        ({"changes": {"training_pictures": 900}}, "45,000 against 900 training images"),
        ({"changes": {"batch_size": 16}}, "batch size"),
        ({"changes": {"batch_size": 16, "momentum": 0.5}}, "batch size and momentum"),
        (
            {"changes": {"batch_size": 16, "momentum": 0.5, "learning_rate": 0.5}},
            "3 other settings",
        ),
    ],
)
def test_a_condition_that_differs_is_named(
    runs_dir: Path, values: dict[str, Any], wanted: str
) -> None:
    pair = two(runs_dir, {}, {"network": "cnn6", **values})
    assert unlike_conditions(*pair) == [wanted]
    assert wanted in caveat(*pair)


def test_another_recipe_is_named_before_what_it_sets(runs_dir: Path) -> None:
    found = unlike_conditions(*two(runs_dir, {"recipe": "quick"}, {"recipe": "tutorial"}))
    assert found[0] == "recipe “Quick” against “Tutorial, as printed”"
    assert "45,000 against 50,000 training images" in found


def test_two_runs_of_one_network_are_said_to_be_so(runs_dir: Path) -> None:
    one = caveat(*two(runs_dir / "a", {}, {"epochs": 2}))
    other = caveat(*two(runs_dir / "b", {}, {"epochs": 2, "network": "cnn6"}))
    assert "CNN-4" in one
    assert "CNN-4" not in other


def timed(runs_dir: Path, *machines: tuple[str, int]) -> list[Run]:
    runs = []
    for place, (device, cores) in enumerate(machines):
        folder = fabricate(runs_dir, Fake(run_id=f"run{place}", device_name=device))
        status = folder.read_status()
        assert status is not None
        folder.write_status(replace(status, cores=cores))
        runs.append(read(runs_dir, f"run{place}"))
    return runs


@pytest.mark.parametrize(
    ("machines", "named"),
    [
        ([("EPYC", 2), ("EPYC", 2)], []),
        ([("EPYC", 2)], []),
        ([("EPYC", 1), ("EPYC", 2)], ["EPYC, 1 core", "EPYC, 2 cores"]),
        ([("EPYC", 2), ("Xeon", 2)], ["EPYC, 2 cores", "Xeon, 2 cores"]),
        ([("EPYC", 0), ("EPYC", 0)], []),
        ([("EPYC", 0), ("EPYC", 2)], ["EPYC, cores not recorded"]),
    ],
)
def test_times_of_unlike_machines_are_marked_and_the_machines_named(
    runs_dir: Path, machines: list[tuple[str, int]], named: list[str]
) -> None:
    sentence = time_caveat(timed(runs_dir, *machines))
    assert bool(sentence) == bool(named)
    assert all(name in sentence for name in named)


def test_the_included_models_do_not_hide_that_they_had_unlike_cores() -> None:
    runs = [read(PROJECT_DIR / "models", name) for name in ("cnn4", "cnn6", "cnn7")]
    assert "1 core;" in time_caveat(runs)
    assert "2 cores" in time_caveat(runs)
