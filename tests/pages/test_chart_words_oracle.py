"""What the charts of Results and Compare say in words: numbers in cells, hovering, sources."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar_core import formats
from tests.pages.judged import FOUR, HALF, PRINTED, SIX, TWIN
from tests.pages.oracle import CLASSES, RunFiles
from tests.pages.sheets import says
from tests.pages.shown import charts_of, open_page

pytestmark = pytest.mark.usefixtures("judged")

EARLY = {"split": "Validation pictures by epoch", "epoch": "2"}


def heading(chart: Any) -> str:
    return str(chart["layout"]["title"]["text"])


@pytest.mark.parametrize("cells", ["Counts", "% of true", "% of predicted"])
def test_each_cell_of_the_matrix_is_written_with_its_number_and_told_by_hovering(
    judged: Path, cells: str
) -> None:
    heat, points = charts_of(open_page("results", run=FOUR, cells=cells))["matrix"]["data"]
    counts = RunFiles(judged / FOUR).test().matrix
    totals = {"% of true": counts.sum(axis=1)[:, None], "% of predicted": counts.sum(axis=0)}
    for (true, guess), told in zip(points["customdata"], points["text"], strict=True):
        count = counts[true, guess]
        share = 100 * count / np.broadcast_to(totals.get(cells, 100), (10, 10))[true, guess]
        wanted = f"{count}" if cells == "Counts" else f"{share:.1f}"
        assert heat["text"][true][guess] == (wanted if count else "")
        assert told.startswith(f"{count or 'None'} of 1,000 {CLASSES[true]}")
        assert (f"{share:.1f}%" in told) or cells == "Counts" or not count


def test_each_cell_of_the_difference_is_written_with_its_sign_and_told_by_hovering(
    judged: Path,
) -> None:
    app = open_page("compare", runs=f"{FOUR},{TWIN}", look="Mistakes")
    heat, points = charts_of(app)["matrix_difference"]["data"]
    first, second = (RunFiles(judged / run_id).test().matrix for run_id in (FOUR, TWIN))
    for (true, guess), told in zip(points["customdata"], points["text"], strict=True):
        a, b = first[true, guess], second[true, guess]
        assert heat["text"][true][guess] == (f"{a - b:+d}".replace("-", "−") if a != b else "")
        assert f"My run: {a}, CNN-4: {b} " in told


@pytest.mark.parametrize(
    ("view", "keys"),
    [
        ("Confusions", ["matrix"]),
        ("Classes", ["precision"]),
        ("Confidence", ["reliability", "kept"]),
    ],
)
@pytest.mark.parametrize(
    ("run_id", "address", "source"),
    [
        (FOUR, {}, ("My run", "epoch 6", "test")),
        (FOUR, EARLY, ("My run", "epoch 2", "validation")),
        (HALF, {}, ("half", "epoch 2", "validation")),
        (PRINTED, {}, ("tutorial", "epoch 4", "test")),
    ],
)
def test_each_chart_of_results_names_its_run_epoch_and_split(
    view: str, keys: list[str], run_id: str, address: dict[str, str], source: tuple[str, ...]
) -> None:
    app = open_page("results", run=run_id, view=view, **address)
    for key in keys:
        assert all(part in heading(charts_of(app)[key]) for part in source)


def test_the_charts_of_mistakes_name_their_runs_in_their_order() -> None:
    charts = charts_of(open_page("compare", runs=f"{FOUR},{SIX}", look="Mistakes"))
    for key, parts in (("matrix_0", ("My run", "epoch 6")), ("matrix_1", ("CNN-6", "epoch 7"))):
        assert all(part in heading(charts[key]) for part in (*parts, "test"))
    assert re.search("My run.*CNN-6", heading(charts["matrix_difference"]))


@pytest.mark.parametrize(("run_id", "device"), [(FOUR, "machine A"), (TWIN, "machine B")])
def test_the_source_of_the_figures_names_device_and_data(
    judged: Path, run_id: str, device: str
) -> None:
    run = RunFiles(judged / run_id)
    digest = run.read("manifest.json")["data_digest"]
    app = open_page("results", run=run_id)
    assert says(app, "epoch 6", "10,000 test", device, digest)


def test_the_best_epochs_hover_text_and_the_times_beside_the_bars_are_numbers_of_the_run(
    judged: Path,
) -> None:
    charts = charts_of(open_page("compare", runs=f"{FOUR},{SIX}"))
    marks = [line for line in charts["learning_curves"]["data"] if "best" in line["name"]]
    assert [re.findall(r"Best epoch, (\d+)", mark["hovertemplate"]) for mark in marks] == [
        ["4"],
        ["7"],
    ]
    times = charts["epoch_times"]
    for note, run_id in zip(times["layout"]["annotations"], (FOUR, SIX), strict=True):
        median = np.median(RunFiles(judged / run_id).column("epoch_seconds"))
        assert note["text"] == formats.duration(float(median))


@pytest.mark.parametrize(("measure", "against"), [("Accuracy", "Epochs"), ("Loss", "Minutes")])
def test_the_names_at_the_ends_of_the_curves_are_in_the_order_of_their_last_values(
    judged: Path, measure: str, against: str
) -> None:
    app = open_page("compare", runs=f"{FOUR},{SIX}", measure=measure, against=against)
    notes = charts_of(app)["learning_curves"]["layout"]["annotations"]
    heights = {
        name: next(
            note["y"] for note in notes if name in note["text"] and "Tut" not in note["text"]
        )
        for name in ("My run", "CNN-6")
    }
    column = "monitored_accuracy" if measure == "Accuracy" else "monitored_loss"
    last = [RunFiles(judged / run_id).column(column)[-1] for run_id in (FOUR, SIX)]
    assert (heights["My run"] > heights["CNN-6"]) == (last[0] > last[1])
