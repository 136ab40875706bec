from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cifar_core.runs.conditions import caveat, unlike_conditions
from cifar_core.runs.reading import Run, read
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
