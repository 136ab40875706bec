"""Where Dataset puts its two tables of arrays: as loaded on the left, as prepared on the right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.shown import open_page


def test_the_arrays_as_loaded_stand_left_of_those_a_network_takes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "no-data"))
    left, right = open_page("dataset", part="Arrays").columns[:2]
    types = [[set(table.value["dtype"]) for table in side.dataframe] for side in (left, right)]
    assert types == [[{"uint8"}], [{"float32"}]]
