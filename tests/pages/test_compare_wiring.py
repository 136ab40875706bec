"""What Compare hands to its matrices: the order of the classes, and whose matrix each one is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar_core.ui.kit.runs import picker
from tests.pages.judged import FOUR, SIX, TWIN
from tests.pages.oracle import CLASSES, RunFiles
from tests.pages.shown import charts_of, open_page

pytestmark = pytest.mark.usefixtures("judged")

ORDERS = {
    "dataset": [*range(10)],
    "vehicles | animals": [0, 1, 8, 9, 2, 3, 4, 5, 6, 7],
}


@pytest.mark.parametrize("order", ORDERS)
def test_the_mistakes_of_each_run_stand_in_the_chosen_order(judged: Path, order: str) -> None:
    pair = f"{FOUR},{TWIN}"
    charts = charts_of(open_page("compare", runs=pair, look="Mistakes", matrix_order=order))
    places = ORDERS[order]
    for side, run_id in enumerate((FOUR, TWIN)):
        wanted = RunFiles(judged / run_id).test().matrix[np.ix_(places, places)].astype(float)
        np.fill_diagonal(wanted, np.nan)
        heat = charts[f"matrix_{side}"]["data"][0]
        assert heat["x"] == heat["y"] == [CLASSES[label] for label in places]
        assert np.array_equal(np.array(heat["z"], float), wanted, equal_nan=True)


@pytest.mark.parametrize(
    ("yours", "title", "other"), [(FOUR, "CNN-4", "CNN-6"), (SIX, "CNN-6", "CNN-4")]
)
def test_the_published_matrix_says_that_it_is_the_tutorials_and_of_which_network(
    yours: str, title: str, other: str
) -> None:
    app = open_page("compare", runs=f"{FOUR},{SIX}", look="Tutorial", yours=yours)
    layout: dict[str, Any] = charts_of(app)["published"]["layout"]
    heading = layout["title"]["text"]
    assert f"Tutorial {title}" in heading
    assert other not in heading


def test_the_difference_stands_left_and_the_choice_of_a_cell_right_of_it() -> None:
    app = open_page("compare", runs=f"{FOUR},{TWIN}", look="Mistakes")
    (left,) = [
        place
        for place, column in enumerate(app.columns)
        if "matrix_difference" in [chart.key for chart in column.get("plotly_chart")]
    ]
    sides = [
        place
        for place, column in enumerate(app.columns)
        if "side" in [item.key for item in column.segmented_control]
    ]
    assert sides == [left + 1]


def test_the_page_watches_the_runs_it_compares(monkeypatch: pytest.MonkeyPatch) -> None:
    watched: list[str] = []
    monkeypatch.setattr(picker, "watch", lambda *runs: watched.extend(run.id for run in runs))
    open_page("compare", runs=f"{TWIN},{FOUR}")
    assert watched == [TWIN, FOUR]
