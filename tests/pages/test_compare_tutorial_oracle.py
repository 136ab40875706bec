from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cifar_core import formats
from tests.pages.galleries import tiles_of
from tests.pages.judged import FOUR, SIX
from tests.pages.oracle import CLASSES, RunFiles, accuracy_words, wilson
from tests.pages.sheets import (
    SHOWS,
    TAKEN_FOR,
    cells_of,
    column,
    csv_of,
    says,
    table_with,
    wording_of,
)
from tests.pages.shown import Downloads, charts_of, metrics_of, open_page
from tools.fabricate import Fake, fabricate

pytestmark = pytest.mark.usefixtures("judged")

# Of the two matrices, read from the print: the diagonal, the sums of the columns, cats taken for
# dogs and dogs for cats. The horses' 637 of CNN-4 is a misprint of 673.
DIAGONAL = {
    "cnn4": [599, 738, 523, 652, 717, 661, 637, 673, 783, 723],
    "cnn6": [736, 839, 566, 570, 700, 582, 650, 723, 752, 748],
}
COLUMNS = {
    "cnn4": [741, 781, 780, 1763, 1316, 1206, 750, 789, 1038, 836],
    "cnn6": [987, 980, 914, 1290, 1252, 1013, 852, 922, 896, 894],
}
CATS_AND_DOGS = {"cnn4": (175, 233), "cnn6": (140, 211)}

YOURS = {"cnn4": FOUR, "cnn6": SIX}
PAIR = f"{FOUR},{SIX}"


def assert_printed(matrix: np.ndarray, network: str) -> None:
    """The matrix is the one that the tutorial printed, its misprint corrected."""
    assert np.diag(matrix).tolist() == DIAGONAL[network]
    assert matrix.sum(axis=0).tolist() == COLUMNS[network]
    assert matrix.sum(axis=1).tolist() == [1000] * 10
    assert (matrix[3, 5], matrix[5, 3]) == CATS_AND_DOGS[network]


def test_the_tutorials_accuracies_are_those_of_its_matrices() -> None:
    wanted = [accuracy_words(sum(DIAGONAL[network]), 10_000) for network in ("cnn4", "cnn6")]
    assert wanted == ["67.1% ± 0.9", "68.7% ± 0.9"]
    assert list(metrics_of(open_page("compare", runs=PAIR, look="Tutorial")).values()) == [
        *wanted,
        "about 80%",
    ]


def test_without_two_runs_the_tutorials_accuracies_are_shown_all_the_same() -> None:
    values = list(metrics_of(open_page("compare", runs=FOUR)).values())
    assert values == ["67.1% ± 0.9", "68.7% ± 0.9", "about 80%"]


@pytest.mark.parametrize("network", YOURS)
def test_the_published_matrix_stands_beside_the_difference_to_yours(
    judged: Path, network: str
) -> None:
    charts = charts_of(open_page("compare", runs=PAIR, look="Tutorial", yours=YOURS[network]))
    printed = np.array(charts["published"]["data"][0]["z"])
    assert_printed(printed, network)
    ours = RunFiles(judged / YOURS[network]).test().matrix
    assert np.array_equal(charts["against"]["data"][0]["z"], ours - printed)


def test_the_two_matrices_as_a_table_and_as_csv(judged: Path, downloads: Downloads) -> None:
    app = open_page("compare", runs=PAIR, look="Tutorial", yours=SIX)
    ours = RunFiles(judged / SIX).test().matrix
    for sheet in (table_with(app, "difference", "CNN-6"), csv_of(downloads, "against_csv")):
        assert column(sheet, SHOWS).tolist() == list(np.repeat(CLASSES, 10))
        assert column(sheet, TAKEN_FOR).tolist() == list(CLASSES) * 10
        printed = cells_of(sheet, "Tutorial CNN-6")
        assert_printed(printed, "cnn6")
        assert np.array_equal(cells_of(sheet, "CNN-6"), ours)
        assert np.array_equal(cells_of(sheet, "difference"), ours - printed)


@pytest.mark.parametrize("network", YOURS)
def test_your_accuracy_is_held_against_the_printed_one(judged: Path, network: str) -> None:
    app = open_page("compare", runs=PAIR, look="Tutorial", yours=YOURS[network])
    right = int(RunFiles(judged / YOURS[network]).test().is_right.sum())
    printed = sum(DIAGONAL[network])
    (low, high), (their_low, their_high) = wilson(right, 10_000), wilson(printed, 10_000)
    p, q = right / 10_000, printed / 10_000
    ends = sorted(
        np.sign(p - q)
        * np.array(
            [
                p - q - np.hypot(p - low, their_high - q),
                p - q + np.hypot(high - p, q - their_low),
            ]
        )
    )
    assert says(
        app,
        accuracy_words(right, 10_000),
        accuracy_words(printed, 10_000),
        f"{100 * abs(p - q):.1f}",
        f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}",
    )
    assert says(app, f"{8_000 - right:,}" if right < 8_000 else f"{right:,}")


@pytest.mark.data
@pytest.mark.parametrize("page", [1, 2])
def test_a_cell_opens_the_images_of_your_network(judged: Path, page: int) -> None:
    app = open_page("compare", runs=PAIR, look="Tutorial", yours=FOUR, true="cat", predicted="dog")
    if page > 1:
        app.pagination[0].set_value(page).run()
    places = RunFiles(judged / FOUR).served().of_cell(3, 5)
    assert [tile.index for tile in tiles_of(app)] == places[12 * (page - 1) : 12 * page]


def test_the_saved_figures_hold_both_printings(downloads: Downloads) -> None:
    open_page("compare", runs=PAIR, look="Tutorial")
    four, six = json.loads(downloads.by_key("figures_json"))["tutorial"]
    for saved in (four, six):
        assert_printed(np.array(saved["confusion_matrix"]), saved["network"])
    assert four["confusion_matrix_as_printed"][7][7] == 637
    assert six["confusion_matrix_as_printed"] == six["confusion_matrix"]
    assert (four["best_epochs"], six["best_epochs"]) == ([20, 50], [10, 20])


def test_each_recipe_of_the_shipped_runs_stands_with_mean_and_median(
    tmp_path: Path, downloads: Downloads
) -> None:
    models = tmp_path / "models"
    runs = [
        Fake(run_id=f"quick-{seed}", recipe="quick", seed=seed, accuracy=0.6 + seed / 20,
             epochs=6, epoch_seconds=10 * seed)
        for seed in (2, 3, 4)
    ]  # fmt: skip
    runs.append(Fake(run_id="best-6", recipe="best", network="cnn6", accuracy=0.9, epochs=5))
    folders = [RunFiles(fabricate(models, run).path) for run in runs]
    app = open_page("compare", runs=PAIR, look="Tutorial")
    columns = ("recipe", "deviation", "training seconds")
    table, words = table_with(app, *columns), wording_of(app, *columns)
    sheet = csv_of(downloads, "recipes_csv")
    assert list(sheet.columns) == list(table.columns)
    assert sheet["recipe"].tolist() == table["recipe"].tolist()
    shares = [folder.test().accuracy for folder in folders]
    mean, deviation = np.mean(shares[:3]), np.std(shares[:3], ddof=1)
    times = [folder.read("status.json")["running_seconds"] for folder in folders[:3]]
    until = [
        next(r["seconds"] for r in folder.metrics if r["monitored_accuracy"] >= 0.6706)
        for folder in folders[:3]
    ]
    wanted = [mean, deviation, 3, 6, np.median(times), np.median(until)]
    keys = ["accuracy", "deviation", "runs", "epochs", "training seconds", table.columns[-1]]
    for rows in (table, sheet):
        printed, quick, _, best = rows[keys].to_numpy(float, na_value=np.nan)
        assert quick.tolist() == pytest.approx(wanted, rel=1e-5)
        assert (printed[0], best[0]) == pytest.approx((0.6706, shares[3]))
    said = words["accuracy"].tolist()
    assert said[0] == "67.1% ± 0.9"
    assert said[1] == f"{mean:.1%} ± {100 * deviation:.1f} (3 seeds)"
    assert words.iloc[1, -1] == formats.duration(float(np.median(until)))
