"""The settings of compared runs: in words, the identical ones apart, the unreadable ones named."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.runs import reading
from cifar_core.runs.reading import Run
from cifar_core.ui.compare.settings import differing_settings
from tests.pages.shown import PATIENCE_SECONDS
from tools.fabricate import Fake, fabricate

NAMES = {"a": "Alpha", "b": "Beta", "c": "Gamma"}


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    """Three runs that differ in kinds of settings: a switch, numbers, words, a zero."""
    changes: dict[str, dict[str, Any]] = {
        "a": {"nesterov": True, "crop_padding": 3, "flips": "alternating", "warmup": 0.25},
        "b": {"nesterov": False, "crop_padding": 0, "flips": "none", "batch_size": 2_000},
        "c": {"nesterov": True, "crop_padding": 2, "flips": "random", "learning_rate": 0.00001},
    }
    folders = [
        fabricate(tmp_path, Fake(run_id=run_id, epochs=1, changes=changed))
        for run_id, changed in changes.items()
    ]
    return [reading.observe(folder) for folder in folders]


def page(runs: "Sequence[Run]", names: dict[str, str]) -> None:  # noqa: UP037 - run elsewhere
    from cifar_core.ui.compare.settings import settings_panel

    settings_panel(runs, names)


def texts(runs: Sequence[Run]) -> list[str]:
    """Returns the sentences of the panel outside its tables."""
    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS, args=(runs, NAMES)).run()
    assert not app.exception
    return [item.value for item in app.text]


def test_every_kind_of_setting_is_in_words(runs: list[Run]) -> None:
    table, _ = differing_settings(runs, NAMES)
    assert list(table.columns) == ["Setting", *NAMES.values()]
    shown = {setting: values for setting, *values in table.itertuples(index=False)}
    assert shown["Nesterov"] == ["yes", "no", "yes"]
    assert shown["Shifted by up to"] == ["3 pixels", "no", "2 pixels"]
    assert shown["Mirrored"] == ["every second epoch", "no", "at random"]
    assert shown["Warm-up"][0].startswith("25%")
    assert shown["Batch size"][1] == "2,000"
    assert shown["Learning rate"][2] == "0.00001"


def test_only_runs_without_a_readable_recipe_are_named(runs: list[Run]) -> None:
    first, second, third = runs
    (sentence,) = texts([first, second, dataclasses.replace(third, recipe=None)])
    assert [name for name in NAMES.values() if name in sentence] == ["Gamma"]


def test_nothing_is_said_of_recipes_where_all_can_be_read(runs: list[Run]) -> None:
    assert texts(runs) == []
