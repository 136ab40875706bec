"""How long a run takes, from runs that were measured here."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from cifar_core import files
from cifar_core.recipes import recipe
from cifar_core.runs import forecast
from cifar_core.runs.folder import MetricRow, RunFolder, State, Status

WANTED = recipe("standard", "cnn4", epochs=10)
HERE = Status(state=State.RUNNING, device="cpu", device_name="A CPU", cores=4)


def epoch(number: int, seconds: float) -> MetricRow:
    return MetricRow(
        kind="epoch",
        epoch=number,
        loss=1.0,
        accuracy=0.5,
        learning_rate=0.1,
        images_per_second=1.0,
        seconds=seconds,
        epoch_seconds=seconds,
    )


def recorded(runs_dir: Path, name: str, *, age: float, seconds: float, **changes: Any) -> None:
    """Writes a finished run of the same kind, but for the changes."""
    folder = RunFolder(runs_dir / name)
    folder.path.mkdir(parents=True)
    files.write_json(folder.recipe_path, WANTED.to_json())
    known = dataclasses.replace(HERE, state=State.FINISHED, closing_seconds=seconds)
    folder.write_status(dataclasses.replace(known, **changes))
    os.utime(folder.status_path, (1e9 - age, 1e9 - age))


def test_an_epoch_of_fewer_images_is_expected_to_take_less() -> None:
    rows = [epoch(1, 99.0), epoch(2, 30.0), epoch(3, 30.0)]
    few = dataclasses.replace(WANTED, training_pictures=4500)
    whole = forecast.expected_seconds(rows, WANTED, HERE, WANTED)
    part = forecast.expected_seconds(rows, WANTED, HERE, few)
    assert whole == pytest.approx(300)
    # 45,000 and 4,500 images that are learnt, three passes each, and 5,000 that are measured
    assert part == pytest.approx(300 * (13_500 + 5_000) / (135_000 + 5_000))


def test_setup_and_closing_count_in_the_expected_time() -> None:
    status = dataclasses.replace(HERE, setup_seconds=8.0, closing_seconds=40.0)
    expected = forecast.expected_seconds([epoch(1, 30.0)], WANTED, status, WANTED)
    assert expected == pytest.approx(300 + 8 + 40)


def test_the_first_epoch_compiles_and_counts_only_where_it_is_the_only_one() -> None:
    assert forecast.epoch_seconds([epoch(1, 99.0)]) == 99
    assert forecast.epoch_seconds([epoch(1, 99.0), epoch(2, 30.0), epoch(3, 31.0)]) == 30.5
    assert forecast.epoch_seconds([]) is None


def test_a_run_that_monitors_the_test_split_fits_nothing_at_its_end() -> None:
    printed = recipe("tutorial", "cnn4")
    assert printed.monitored_split == "test"
    assert forecast.closing_images(printed) == 35_000
    assert forecast.closing_images(WANTED) == 35_000 + 5_000 + 2 * (12_000 + 5_000 + 10_000)


def test_the_newest_run_of_the_same_kind_tells_the_rate_of_the_closing_phase(
    runs_dir: Path,
) -> None:
    assert forecast.recorded_closing_rate(runs_dir, WANTED, HERE) is None
    recorded(runs_dir, "cnn4-standard-old", age=300, seconds=10.0)
    recorded(runs_dir, "cnn4-standard-new", age=200, seconds=20.0)
    unlike: list[dict[str, Any]] = [
        {"device_name": "Another CPU"},
        {"device": "gpu:0"},
        {"cores": 2},
        {"state": State.STOPPED},
        {"closing_seconds": 0.0},  # of a lab that did not record it yet
    ]
    for number, changes in enumerate(unlike):
        recorded(runs_dir, f"cnn4-standard-{number}", age=100, seconds=99.0, **changes)
    recorded(runs_dir, "cnn6-standard-1", age=100, seconds=99.0)
    rate = forecast.recorded_closing_rate(runs_dir, WANTED, HERE)
    assert rate == pytest.approx(20.0 / forecast.closing_images(WANTED))


def test_a_run_with_a_broken_recipe_is_passed_over(runs_dir: Path) -> None:
    recorded(runs_dir, "cnn4-standard-old", age=300, seconds=10.0)
    recorded(runs_dir, "cnn4-standard-new", age=200, seconds=20.0)
    (runs_dir / "cnn4-standard-new" / "recipe.json").write_text("{")
    rate = forecast.recorded_closing_rate(runs_dir, WANTED, HERE)
    assert rate == pytest.approx(10.0 / forecast.closing_images(WANTED))
