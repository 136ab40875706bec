from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.pages.galleries import Tile, tiles_of
from tests.pages.judged import FOUR, HALF, SIX, TWIN
from tests.pages.oracle import CLASSES, VEHICLES_FIRST, Answers, RunFiles, images, paired_interval
from tests.pages.sheets import (
    IMAGE,
    SHOWS,
    TAKEN_FOR,
    cells_of,
    column,
    csv_of,
    says,
    table_with,
)
from tests.pages.shown import Downloads, charts_of, open_page

pytestmark = pytest.mark.usefixtures("judged")

PAGE = 12
BOTH = f"{FOUR},{TWIN}"
NAMES = ("My run", "CNN-4")
GROUPS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "both": lambda a, b: a & b,
    "first": lambda a, b: a & ~b,
    "second": lambda a, b: ~a & b,
    "neither": lambda a, b: ~a & ~b,
}


def test_the_verdict_is_mcnemars_exact_test_by_scipy(judged: Path, downloads: Downloads) -> None:
    app = open_page("compare", runs=BOTH)
    a, b = (RunFiles(judged / run_id).test().is_right for run_id in (FOUR, TWIN))
    only_a, only_b = int((a & ~b).sum()), int((~a & b).sum())
    p_value = binomtest(only_a, only_a + only_b, 0.5).pvalue
    low, high = paired_interval(a, b)
    (saved,) = json.loads(downloads.by_key("figures_json"))["pairs"]
    assert (saved["first"], saved["second"]) == (FOUR, TWIN)
    assert (saved["only_a"], saved["only_b"], saved["both_right"]) == (
        only_a,
        only_b,
        (a & b).sum(),
    )
    assert saved["p_value"] == pytest.approx(p_value, rel=1e-9)
    assert saved["difference"] == pytest.approx(a.mean() - b.mean(), abs=1e-12)
    assert (saved["interval"]["low"], saved["interval"]["high"]) == pytest.approx(
        (low, high), abs=1e-9
    )
    assert saved["agreement"] == {
        group: int(choose(a, b).sum()) for group, choose in GROUPS.items()
    }
    assert b.mean() > a.mean()  # the second leads, so the interval is told from its side
    ends = [f"{-100 * end:.1f}".replace("-", "−") for end in (high, low)]
    points = f"{100 * (b.mean() - a.mean()):.1f}"
    assert says(app, "10,000", f"{a.mean():.1%}", f"{b.mean():.1%}", f"CNN-4 leads by {points}")
    assert says(app, f"{ends[0]} to {ends[1]}")
    often = f"{round(1 / p_value):,}" if p_value < 0.1 else f"{100 * p_value:.0f} of 100"
    assert says(app, often)


def test_a_large_lead_is_told_from_chance(judged: Path) -> None:
    assert says(open_page("compare", runs=f"{FOUR},{SIX}"), "CNN-6 leads", "real difference")
    assert says(open_page("compare", runs=f"{SIX},{FOUR}"), "CNN-6 leads", "real difference")


@pytest.mark.parametrize(("a", "b"), [(TWIN, SIX), (SIX, FOUR)])
def test_of_three_runs_the_two_in_the_address_are_judged(judged: Path, a: str, b: str) -> None:
    app = open_page("compare", runs=f"{FOUR},{SIX},{TWIN}", a=a, b=b, look="Mistakes")
    charts = charts_of(app)
    counts = [RunFiles(judged / run_id).test().matrix.astype(float) for run_id in (a, b)]
    for place, matrix in enumerate(counts):
        np.fill_diagonal(matrix, np.nan)
        drawn = np.array(charts[f"matrix_{place}"]["data"][0]["z"], float)
        assert np.array_equal(drawn, matrix, equal_nan=True)


def test_an_unfinished_run_is_judged_by_the_images_both_watched(
    judged: Path, downloads: Downloads
) -> None:
    open_page("compare", runs=f"{FOUR},{HALF}")
    (saved,) = json.loads(downloads.by_key("figures_json"))["pairs"]
    a, b = (RunFiles(judged / FOUR).epoch(6).is_right, RunFiles(judged / HALF).epoch(2).is_right)
    assert (saved["split"], saved["epochs"], saved["total"]) == ("validation", [6, 2], 5_000)
    assert (saved["only_a"], saved["only_b"]) == ((a & ~b).sum(), (~a & b).sum())


@pytest.mark.parametrize("order", ["dataset", "vehicles | animals"])
def test_the_difference_is_the_first_matrix_minus_the_second(judged: Path, order: str) -> None:
    app = open_page("compare", runs=BOTH, look="Mistakes", matrix_order=order)
    first, second = (RunFiles(judged / run_id).test().matrix for run_id in (FOUR, TWIN))
    places = list(range(10)) if order == "dataset" else list(VEHICLES_FIRST)
    chart = charts_of(app)["matrix_difference"]
    heat = chart["data"][0]
    assert heat["x"] == heat["y"] == [CLASSES[label] for label in places]
    assert np.array_equal(heat["z"], (first - second)[np.ix_(places, places)])
    assert heat["zmin"] == -heat["zmax"] == -np.abs(first - second).max()
    less, more = heat["colorbar"]["title"]["text"].split("<br>")
    assert NAMES[1] in less
    assert NAMES[0] in more
    layout = chart["layout"]
    titles = [layout[axis]["title"]["text"] for axis in ("xaxis", "yaxis")]
    assert titles == ["Predicted class", "True class"]


def test_both_matrices_share_one_scale_of_colours(judged: Path) -> None:
    charts = charts_of(open_page("compare", runs=BOTH, look="Mistakes"))
    most = 0
    for run_id in (FOUR, TWIN):
        matrix = RunFiles(judged / run_id).test().matrix
        most = max(most, (matrix - np.diag(np.diag(matrix))).max())
    assert [charts[f"matrix_{place}"]["data"][0]["zmax"] for place in (0, 1)] == [most, most]


def test_the_hundred_cells_and_their_csv_hold_both_counts(
    judged: Path, downloads: Downloads
) -> None:
    app = open_page("compare", runs=BOTH, look="Mistakes")
    first, second = (RunFiles(judged / run_id).test().matrix for run_id in (FOUR, TWIN))
    for sheet in (table_with(app, "difference", *NAMES), csv_of(downloads, "matrices_csv")):
        assert column(sheet, SHOWS).tolist() == list(np.repeat(CLASSES, 10))
        assert column(sheet, TAKEN_FOR).tolist() == list(CLASSES) * 10
        assert np.array_equal(cells_of(sheet, NAMES[0]), first)
        assert np.array_equal(cells_of(sheet, NAMES[1]), second)
        assert np.array_equal(cells_of(sheet, "difference"), first - second)


def assert_shown(tiles: list[Tile], answers: Answers, places: list[int]) -> None:
    """The gallery shows these answers in this order, each with its true pixels."""
    assert [tile.index for tile in tiles] == places
    for tile, place in zip(tiles, places, strict=True):
        assert np.array_equal(tile.pixels, images("test")[place])
        assert tile.truth == CLASSES[answers.labels[place]]
        assert tile.prediction == CLASSES[answers.guesses[place]]
        assert tile.percents[0] == int(f"{100 * answers.shares[place].max():.0f}")


@pytest.mark.data
@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize(("side", "run_id"), [("first", FOUR), ("second", TWIN)])
def test_a_cell_opens_the_images_that_the_side_put_into_it(
    judged: Path, side: str, run_id: str, page: int
) -> None:
    app = open_page("compare", runs=BOTH, look="Mistakes", true="cat", predicted="dog", side=side)
    if page > 1:
        app.pagination[0].set_value(page).run()
    both = [RunFiles(judged / name).served() for name in (FOUR, TWIN)]
    cells = [answers.of_cell(3, 5) for answers in both]
    place = (FOUR, TWIN).index(run_id)
    assert_shown(tiles_of(app), both[place], cells[place][PAGE * (page - 1) : PAGE * page])
    shared = len(set(cells[0]) & set(cells[1]))
    assert says(app, f"{shared} ", f"{len(cells[0])} ", f"{len(cells[1])} ")


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_says_who_is_right_and_how_often(judged: Path, group: str) -> None:
    app = open_page("compare", runs=BOTH, look="Pictures", group=group)
    a, b = (RunFiles(judged / run_id).test().is_right for run_id in (FOUR, TWIN))
    count = int(GROUPS[group](a, b).sum())
    radio = app.radio(key="agreement_group")
    label = radio.options[list(GROUPS).index(group)]
    assert radio.value == group
    assert f" {count:,} " in label
    assert f"{count / 10_000:.1%}" in label
    named = [name in label.replace("\\", "") for name in NAMES]
    assert named == [group == "first", group == "second"]
    assert says(app, f"{count:,} of 10,000")


@pytest.mark.data
@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("group", GROUPS)
def test_each_group_opens_its_own_images_with_both_answers(
    judged: Path, group: str, page: int
) -> None:
    app = open_page("compare", runs=BOTH, look="Pictures", group=group)
    if page > 1:
        app.pagination[0].set_value(page).run()
    first, second = (RunFiles(judged / run_id).served() for run_id in (FOUR, TWIN))
    shown, other = (second, first) if group == "first" else (first, second)
    places = np.flatnonzero(GROUPS[group](first.is_right, second.is_right))
    order = np.argsort(shown.shares[places].max(axis=1), kind="stable")[::-1]
    wanted = places[order][PAGE * (page - 1) : PAGE * page].tolist()
    tiles = tiles_of(app)
    assert_shown(tiles, shown, wanted)
    for tile, place in zip(tiles, wanted, strict=True):
        assert tile.percents[-1] == int(f"{100 * other.shares[place].max():.0f}")
        said = tile.note.replace("\u00a0", " ").splitlines()[-2]
        assert CLASSES[other.guesses[place]] in said


@pytest.mark.parametrize("group", GROUPS)
def test_the_csv_of_a_group_holds_all_its_images(
    judged: Path, downloads: Downloads, group: str
) -> None:
    open_page("compare", runs=BOTH, look="Pictures", group=group)
    first, second = (RunFiles(judged / run_id).served() for run_id in (FOUR, TWIN))
    wanted = np.flatnonzero(GROUPS[group](first.is_right, second.is_right))
    sheet = csv_of(downloads, "csv-")
    assert sorted(column(sheet, "index")) == wanted.tolist()
    shown = second if group == "first" else first
    guesses = shown.guesses[column(sheet, "index").to_numpy(int)]
    assert column(sheet, TAKEN_FOR).tolist() == [CLASSES[guess] for guess in guesses]


@pytest.mark.data
def test_the_table_below_a_group_is_that_of_the_images_shown(judged: Path) -> None:
    app = open_page("compare", runs=BOTH, look="Pictures", group="neither")
    table = table_with(app, IMAGE)
    assert column(table, IMAGE).tolist() == [f"test {tile.index}" for tile in tiles_of(app)]
    answers = RunFiles(judged / FOUR).served()
    places = [tile.index for tile in tiles_of(app)]
    assert np.allclose(table[list(CLASSES)], answers.shares[places], atol=1e-6)
