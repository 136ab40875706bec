"""Every view of Dataset against the stored arrays: which images, which numbers, which order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from cifar_core.dataset.splits import held_out
from tests.pages.oracle_images import (
    CLASSES,
    MODELS,
    Cell,
    Split,
    csv_of,
    galleries_of,
    images_of,
    labels_of,
    numbers_in,
    validation_predictions,
)
from tests.pages.shown import Downloads, charts_of, open_page, tables_of

pytestmark = pytest.mark.data
PAGE_IMAGES = 48


@pytest.fixture(autouse=True)
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(MODELS))


@pytest.fixture(scope="module")
def classes() -> AppTest:
    """The view Classes, opened once: it measures all images."""
    return open_page("dataset", part="Classes")


def assert_shown(cells: list[Cell], split: Split, indices: NDArray[np.int64]) -> None:
    """Checks which images a gallery shows: pixels, class, number and link of each, in order."""
    assert [cell.links for cell in cells] == [[(split, index)] for index in indices.tolist()]
    for cell, index in zip(cells, indices.tolist(), strict=True):
        (pixels,) = cell.images
        assert np.array_equal(pixels, images_of(split)[index]), index
        assert cell.lines[0] == CLASSES[labels_of(split)[index]]
        assert numbers_in(cell.lines[-1])[0] == index


def shown_indices(cells: list[Cell]) -> NDArray[np.int64]:
    return np.array([index for cell in cells for _, index in cell.links])


def wrong_of(network: str) -> NDArray[np.int64]:
    stored = np.load(MODELS / network / "test_predictions.npy").astype(np.float32)
    return np.flatnonzero(stored.argmax(axis=1) != labels_of("test"))


def test_the_figure_of_ten_holds_one_training_image_of_each_class_in_order() -> None:
    for seed in ("3", "4"):
        figure = galleries_of(open_page("dataset", seed=seed))[0]
        indices = shown_indices(figure)
        assert_shown(figure, "train", indices)
        assert labels_of("train")[indices].tolist() == list(range(10))


def test_drawing_again_gives_the_figure_of_the_next_number() -> None:
    app = open_page("dataset", seed="3")
    before = shown_indices(galleries_of(app)[0])
    app.button[0].click().run()
    figure = galleries_of(app)[0]
    assert_shown(figure, "train", shown_indices(figure))
    assert not set(shown_indices(figure)) & set(before)
    assert app.number_input(key="seed").value == 4


def test_the_second_page_of_the_gallery_begins_behind_the_first() -> None:
    for split in ("train", "test"):
        page = galleries_of(open_page("dataset", split=split, page="2"))[1]
        assert_shown(page, split, np.arange(PAGE_IMAGES, 2 * PAGE_IMAGES))


def test_class_and_batch_filter_the_gallery_together_and_keep_the_order() -> None:
    labels = labels_of("train")
    fitting = np.flatnonzero((labels == 6) & (np.arange(50_000) // 10_000 == 3))
    page = galleries_of(open_page("dataset", class_="frog", batch="4", page="2"))[1]
    assert_shown(page, "train", fitting[PAGE_IMAGES : 2 * PAGE_IMAGES])
    assert {numbers_in(cell.lines[-1])[-1] for cell in page} == {4}


def test_the_wrong_predictions_of_the_gallery_are_those_of_the_chosen_model() -> None:
    app = open_page("dataset", split="test", answered="wrong", model="CNN-6", page="2")
    page = galleries_of(app)[1]
    expected = wrong_of("cnn6")[PAGE_IMAGES : 2 * PAGE_IMAGES]
    assert expected.tolist() != wrong_of("cnn4")[PAGE_IMAGES : 2 * PAGE_IMAGES].tolist()
    assert_shown(page, "test", expected)
    stored = np.load(MODELS / "cnn6" / "test_predictions.npy").astype(np.float32)
    seen = [CLASSES[label] for label in stored[expected].argmax(axis=1)]
    assert [cell.lines[1].split()[-1] for cell in page] == seen


def test_training_images_are_judged_by_what_was_predicted_while_they_were_held_out() -> None:
    held, shares = (
        held_out(labels_of("train"), 5_000, classes=10)[1],
        validation_predictions("cnn7"),
    )
    wrong = np.flatnonzero(shares.argmax(axis=1) != labels_of("train")[held])
    page = galleries_of(open_page("dataset", answered="wrong", model="CNN-7", page="2"))[1]
    expected = wrong[PAGE_IMAGES : 2 * PAGE_IMAGES]
    assert_shown(page, "train", held[expected])
    seen = [CLASSES[label] for label in shares[expected].argmax(axis=1)]
    assert [cell.lines[1].split()[-1] for cell in page] == seen


def counts() -> NDArray[np.int64]:
    parts = [*labels_of("train").reshape(5, 10_000), labels_of("train"), labels_of("test")]
    return np.array([np.bincount(part, minlength=10) for part in parts])


def test_the_counts_per_batch_are_those_of_the_stored_labels(classes: AppTest) -> None:
    table = tables_of(classes)["table 0"]
    assert list(table.columns) == CLASSES
    assert [numbers_in(str(name)) for name in table.index] == [[1], [2], [3], [4], [5], [], []]
    assert np.array_equal(table.to_numpy(), counts())


def test_the_chart_of_batches_draws_each_batch_beside_its_even_share(classes: AppTest) -> None:
    figure = charts_of(classes)["batch_counts"]
    assert [bars["xaxis"] for bars in figure["data"]] == ["x", "x2", "x3", "x4", "x5"]
    for batch, bars in enumerate(figure["data"]):
        drawn = dict(zip(bars["y"], np.array(bars["x"], float), strict=True))
        expected = dict(zip(CLASSES, counts()[batch] - 1000.0, strict=True))
        assert drawn == expected
        axis = figure["layout"][f"xaxis{batch + 1 if batch else ''}"]
        assert numbers_in(axis["title"]["text"]) == [batch + 1]


def test_the_mean_image_and_the_spread_are_those_of_their_class(classes: AppTest) -> None:
    means, spreads = galleries_of(classes)
    assert [cell.lines[0] for cell in means] == [cell.lines[0] for cell in spreads] == CLASSES
    deviations = []
    for label, cell in enumerate(means):
        images = images_of("train")[labels_of("train") == label]
        assert np.abs(cell.images[0] - images.mean(axis=0, dtype=np.float64)).max() <= 0.5001
        variance = images.var(axis=0, dtype=np.float32).mean(axis=2)
        deviations.append(np.sqrt(variance.astype(np.float64)))
    made = np.array(deviations)
    greys = 255 * (made - made.min()) / (made.max() - made.min())
    for label, cell in enumerate(spreads):
        assert np.abs(cell.images[0] - greys[label][..., None]).max() <= 0.6
        assert numbers_in(cell.lines[1])[0] == pytest.approx(made[label].mean(), abs=0.51)


def test_the_pixel_statistics_are_those_of_each_channel(classes: AppTest) -> None:
    table = tables_of(classes)["table 1"]
    assert list(table.index) == ["red", "green", "blue"]
    values = np.arange(256) / 255
    figures = []
    for channel in range(3):
        levels = np.bincount(images_of("train")[..., channel].ravel(), minlength=256)
        share = levels / levels.sum()
        figures.append([share @ values, np.sqrt(share @ values**2 - (share @ values) ** 2)])
    np.testing.assert_allclose(table[["mean", "deviation"]], figures, rtol=1e-9)
    published = table[[name for name in table.columns if "published" in str(name)]]
    np.testing.assert_allclose(published, figures, atol=6e-5)


def test_the_saved_tables_of_the_classes_are_those_that_are_shown(
    classes: AppTest, downloads: Downloads
) -> None:
    open_page("dataset", part="Classes")
    for name, key in (("table 0", "csv_counts"), ("table 1", "csv_pixels")):
        shown, saved = tables_of(classes)[name], csv_of(downloads.by_key(key))
        assert list(saved.iloc[:, 0]) == list(shown.index)
        assert list(saved.columns[1:]) == list(shown.columns)
        np.testing.assert_allclose(saved.iloc[:, 1:], shown, rtol=1e-5)


def test_only_the_full_dataset_stands_beside_the_published_statistics(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path))
    app = open_page("dataset", part="Classes")
    assert tables_of(app)["table 1"].shape == (3, 2)
