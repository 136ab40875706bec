from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.galleries import Tile, tiles_of
from tests.pages.judged import FOUR, PRINTED, SIX
from tests.pages.oracle import CLASSES, Answers, RunFiles, images
from tests.pages.sheets import IMAGE, SHOWS, TAKEN_FOR, column, csv_of, numbers, says, table_with
from tests.pages.shown import Downloads, open_page

pytestmark = [pytest.mark.usefixtures("judged"), pytest.mark.data]

EARLY = {"split": "Validation pictures by epoch", "epoch": "2"}
PAGE = 12

CELLS = (
    (None, None),
    (3, None),  # cats taken for anything else
    (None, 5),  # anything else taken for dogs
    (3, 5),
    (5, 3),
    (8, 8),  # ships named so
)


def address_of(true: int | None, predicted: int | None) -> dict[str, str]:
    names = {"true": true, "predicted": predicted}
    return {key: CLASSES[label] for key, label in names.items() if label is not None}


def turned(app: AppTest, page: int) -> AppTest:
    """Returns the page with another leaf of its gallery."""
    return app if page == 1 else app.pagination[0].set_value(page).run()


def assert_shown(tiles: list[Tile], answers: Answers, places: list[int]) -> None:
    """The gallery shows these answers, in this order, with their true pixels and shares."""
    assert [tile.index for tile in tiles] == answers.indices[places].tolist()
    for tile, place in zip(tiles, places, strict=True):
        true, guess = int(answers.labels[place]), int(answers.guesses[place])
        assert tile.split == answers.split
        assert np.array_equal(tile.pixels, images(answers.split)[tile.index])
        assert (tile.truth, tile.prediction) == (CLASSES[true], CLASSES[guess])
        assert tile.is_right == (true == guess)
        shares = answers.shares[place]
        wanted = [f"{100 * shares[guess]:.0f}"]
        wanted += [f"{100 * shares[true]:.0f}"] * (true != guess)
        assert [str(number) for number in tile.percents] == wanted


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize(("true", "predicted"), CELLS)
def test_a_cell_opens_its_images_calibrated_and_the_surest_first(
    judged: Path, true: int | None, predicted: int | None, page: int
) -> None:
    answers = RunFiles(judged / FOUR).served()
    places = answers.of_cell(true, predicted)
    app = turned(open_page("results", run=FOUR, **address_of(true, predicted)), page)
    assert_shown(tiles_of(app), answers, places[PAGE * (page - 1) : PAGE * page])
    assert app.pagination[0].num_pages == -(-len(places) // PAGE)
    assert says(app, f"{len(places):,} ")


def test_the_last_leaf_of_a_gallery_holds_what_is_left(judged: Path) -> None:
    answers = RunFiles(judged / FOUR).served()
    places = answers.of_cell(3, 5)
    app = open_page("results", run=FOUR, **address_of(3, 5))
    last = app.pagination[0].num_pages
    assert_shown(tiles_of(turned(app, last)), answers, places[PAGE * (last - 1) :])


def test_another_cell_begins_at_its_first_leaf(judged: Path) -> None:
    app = turned(open_page("results", run=FOUR, **address_of(3, 5)), 2)
    app.selectbox(key="predicted").set_value("frog").run()
    answers = RunFiles(judged / FOUR).served()
    assert_shown(tiles_of(app), answers, answers.of_cell(3, 6)[:PAGE])


@pytest.mark.parametrize("page", [1, 2])
def test_the_images_of_an_epoch_are_held_out_ones_as_that_epoch_saw_them(
    judged: Path, page: int
) -> None:
    answers = RunFiles(judged / FOUR).epoch(2)
    app = turned(open_page("results", run=FOUR, **EARLY, **address_of(3, None)), page)
    places = answers.of_cell(3, None)
    assert_shown(tiles_of(app), answers, places[PAGE * (page - 1) : PAGE * page])


def test_the_last_epoch_of_the_watched_images_is_calibrated(judged: Path) -> None:
    run = RunFiles(judged / FOUR)
    answers = run.epoch(6).calibrated(run.temperature)
    app = open_page("results", run=FOUR, split=EARLY["split"], epoch="6")
    assert_shown(tiles_of(app), answers, answers.of_cell(None, None)[:PAGE])


def test_a_run_without_temperature_shows_its_shares_as_trained(judged: Path) -> None:
    answers = RunFiles(judged / PRINTED).test()
    app = open_page("results", run=PRINTED, **address_of(0, 2))
    assert_shown(tiles_of(app), answers, answers.of_cell(0, 2)[:PAGE])


@pytest.mark.parametrize("page", [1, 2])
def test_the_table_below_the_images_holds_their_ten_probabilities(judged: Path, page: int) -> None:
    answers = RunFiles(judged / SIX).served()
    places = answers.of_cell(None, 3)[PAGE * (page - 1) : PAGE * page]
    table = table_with(turned(open_page("results", run=SIX, **address_of(None, 3)), page), IMAGE)
    assert column(table, IMAGE).tolist() == [f"test {place}" for place in places]
    assert column(table, SHOWS).tolist() == [CLASSES[answers.labels[place]] for place in places]
    assert column(table, TAKEN_FOR).tolist() == ["cat"] * len(places)
    shown = np.transpose([numbers(table, name) for name in CLASSES])
    assert np.allclose(shown, answers.shares[places], atol=1e-6)


@pytest.mark.parametrize("is_early", [False, True])
def test_the_csv_of_a_cell_holds_all_its_images_in_their_order(
    judged: Path, downloads: Downloads, is_early: bool
) -> None:
    run = RunFiles(judged / FOUR)
    answers = run.epoch(2) if is_early else run.served()
    places = answers.of_cell(5, None)
    open_page("results", run=FOUR, **(EARLY if is_early else {}), **address_of(5, None))
    sheet = csv_of(downloads, "csv-")
    assert set(column(sheet, "split")) == {answers.split}
    assert column(sheet, "index").tolist() == answers.indices[places].tolist()
    assert column(sheet, SHOWS).tolist() == ["dog"] * len(places)
    assert column(sheet, TAKEN_FOR).tolist() == [CLASSES[answers.guesses[at]] for at in places]
    shown = np.transpose([numbers(sheet, f"p({name})") for name in CLASSES])
    assert np.allclose(shown, answers.shares[places], atol=6e-5)
