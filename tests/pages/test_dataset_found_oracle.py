"""What Dataset found in the images: augmentation, map, near-duplicates, label errors."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from cifar_core import recipes
from cifar_core.dataset.augmentation import plan_epoch
from cifar_core.dataset.splits import held_out
from cifar_core.settings import PROJECT_DIR
from tests.pages.oracle_images import (
    CLASSES,
    MODELS,
    NETWORKS,
    Numbers,
    Pixels,
    Split,
    csv_of,
    galleries_of,
    images_of,
    labels_of,
    numbers_in,
    sample_of,
    stored_predictions,
    validation_predictions,
)
from tests.pages.shown import Downloads, charts_of, open_page, tables_of

pytestmark = pytest.mark.data
ANALYSIS = PROJECT_DIR / "cifar_core" / "analysis" / "shipped"


@pytest.fixture(autouse=True)
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(MODELS))


# Augmentation


def cropped(pixels: Pixels, down: int, right: int, *, is_mirrored: bool) -> Pixels:
    """Returns an image moved within its reflected border of 4 pixels, then mirrored."""
    border = np.pad(pixels, ((4, 4), (4, 4), (0, 0)), mode="reflect")
    moved = border[4 - down : 36 - down, 4 - right : 36 - right]
    return moved[:, ::-1] if is_mirrored else moved


@pytest.mark.parametrize("index", [21, 40_003])
def test_the_augmentation_preview_shows_what_each_epoch_of_the_recipe_draws(index: int) -> None:
    app = open_page("dataset", part="Augmentation", example=str(index))
    original, *epochs = galleries_of(app)[0]
    pixels = images_of("train")[index]
    assert np.array_equal(original.images[0], pixels)
    recipe = recipes.recipe("standard", "cnn4")
    assert "standard" in str(app.selectbox(key="recipe").value).lower()
    learned, _ = held_out(labels_of("train"), recipe.validation_pictures, classes=10)
    place = int(np.flatnonzero(learned == index)[0])
    for epoch, cell in enumerate(epochs):
        plan = plan_epoch(recipe, len(learned), epoch)
        turn = int(np.flatnonzero(plan.order == place)[0])
        down, right = 4 - int(plan.rows[turn]), 4 - int(plan.columns[turn])
        expected = cropped(pixels, down, right, is_mirrored=bool(plan.flips[turn]))
        assert np.array_equal(cell.images[0], expected), epoch
        # As it is seen: what was moved right and then mirrored has moved left.
        assert numbers_in(cell.lines[0]) == [epoch + 1, *(abs(by) for by in (down, right) if by)]
        assert cell.links == [("train", index)]
    assert len({cell.images[0].tobytes() for cell in epochs}) > len(epochs) // 2


def test_a_held_out_image_has_no_augmented_ones() -> None:
    count = recipes.recipe("standard", "cnn4").validation_pictures
    held = held_out(labels_of("train"), count, classes=10)[1]
    app = open_page("dataset", part="Augmentation", example=str(held[7]))
    (only,) = galleries_of(app)[0]
    assert np.array_equal(only.images[0], images_of("train")[held[7]])


# Map


def on_the_map() -> tuple[NDArray[np.int64], list[tuple[Split, int]]]:
    """Returns labels (2000,) and split and index of each row of the shipped analysis."""
    labels = [labels_of(split)[sample_of(split)] for split in ("train", "test")]
    names: list[tuple[Split, int]] = [("train", int(index)) for index in sample_of("train")]
    return np.concatenate(labels), names + [("test", int(index)) for index in sample_of("test")]


SPLITS: tuple[Split, Split] = ("test", "train")
HOLLOW = 100  # Plotly's numbers of outlined symbols begin here


@pytest.mark.parametrize(("layout", "name"), [("t-SNE", "tsne"), ("PCA", "pca")])
def test_the_map_draws_the_points_of_the_chosen_projection(layout: str, name: str) -> None:
    with np.load(ANALYSIS / "sample.npz", allow_pickle=False) as stored:
        plane, rows = stored[name].astype(np.float64), stored["map_rows"].tolist()
    assert not np.array_equal(plane, np.zeros_like(plane))
    labels, names = on_the_map()
    figure = charts_of(open_page("dataset", part="Map", layout=layout))["map"]
    classes, key = figure["data"][:10], figure["data"][10:]
    assert [trace["name"] for trace in classes] == CLASSES
    filled = {split: trace["marker"]["symbol"] for split, trace in zip(SPLITS, key, strict=True)}
    assert filled == {"test": 0, "train": HOLLOW}
    drawn = 0
    for label, trace in enumerate(classes):
        own = [place for place, row in enumerate(rows) if labels[row] == label]
        assert trace["customdata"] == [rows[place] for place in own]
        points = np.array([trace["x"], trace["y"]], float).T
        np.testing.assert_allclose(points, plane[own], atol=0.0051)
        for text, place in zip(trace["text"], own, strict=True):
            split, index = names[rows[place]]
            assert (CLASSES[label] in text, split in text) == (True, True)
            assert numbers_in(text) == [index]
        hollow = [symbol >= HOLLOW for symbol in trace["marker"]["symbol"]]
        assert hollow == [names[rows[place]][0] == "train" for place in own]
        drawn += len(own)
    assert drawn == 2000


def test_a_class_of_the_map_lists_its_images_by_their_distance_from_the_class() -> None:
    with np.load(ANALYSIS / "sample.npz", allow_pickle=False) as stored:
        features = stored["features"].astype(np.float64)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    labels, names = on_the_map()
    own = np.flatnonzero(labels == 8)
    order = own[np.argsort(features[own] @ features[own].mean(axis=0), kind="stable")]
    app = open_page("dataset", part="Map", map_class="ship")
    figure = charts_of(app)["map"]
    faint = [trace["marker"]["opacity"] < 0.5 for trace in figure["data"][:10]]
    assert faint == [name != "ship" for name in CLASSES]
    (shown,) = galleries_of(app)
    assert [cell.links[0] for cell in shown] == [names[row] for row in order[:24]]
    for cell in shown:
        ((split, index),) = cell.links
        assert np.array_equal(cell.images[0], images_of(split)[index])  # type: ignore[arg-type]


# Near-duplicates


def stored_pairs() -> list[tuple[int, int, float, float, int]]:
    return [tuple(pair) for pair in json.loads((ANALYSIS / "pairs.json").read_bytes())["pairs"]]


def assert_pairs(app: AppTest, expected: list[tuple[int, int, float, float, int]]) -> None:
    (shown,) = galleries_of(app, "lab-pairs")
    assert len(shown) == len(expected)
    for cell, (test, train, detail, cosine, _) in zip(shown, expected, strict=True):
        assert cell.links == [("test", test), ("train", train)]
        left, right = cell.images
        assert np.array_equal(left, images_of("test")[test])
        assert np.array_equal(right, images_of("train")[train])
        labels = {CLASSES[labels_of("test")[test]], CLASSES[labels_of("train")[train]]}
        assert set(cell.lines[0].split(" | ")) == labels
        figures = numbers_in(" ".join(cell.lines[1:]))
        assert figures == [test, train, round(detail, 2), round(cosine, 2)]


@pytest.mark.parametrize("page", [1, 2])
def test_a_page_of_near_duplicates_shows_the_test_image_beside_its_training_image(
    page: int,
) -> None:
    pairs = stored_pairs()
    assert [pair[2] for pair in pairs] == sorted((pair[2] for pair in pairs), reverse=True)
    app = open_page("dataset", part="Near-duplicates", pair_page=str(page))
    assert_pairs(app, pairs[24 * (page - 1) : 24 * page])


def test_class_and_kind_choose_among_the_near_duplicates() -> None:
    train, test = labels_of("train"), labels_of("test")
    two = [pair for pair in stored_pairs() if test[pair[0]] != train[pair[1]]]
    ships = [pair for pair in stored_pairs() if CLASSES[test[pair[0]]] == "ship" and pair[4]]
    assert_pairs(open_page("dataset", part="Near-duplicates", pair_kind="two labels"), two[:24])
    app = open_page("dataset", part="Near-duplicates", pair_class="ship", pair_kind="mirrored")
    assert_pairs(app, ships[:24])


def test_all_near_duplicates_are_in_the_table_and_in_the_csv(downloads: Downloads) -> None:
    app = open_page("dataset", part="Near-duplicates")
    for table in (tables_of(app)["table 0"], csv_of(downloads.by_key("csv_pairs"))):
        numbers = table[["test", "train", "detail", "features"]].to_numpy(float)
        np.testing.assert_allclose(numbers, [pair[:4] for pair in stored_pairs()], atol=1e-9)
        assert [bool(value) for value in table["mirrored"]] == [
            bool(pair[4]) for pair in stored_pairs()
        ]
        tests, trains = table["test"].to_numpy(), table["train"].to_numpy()
        assert list(table["test class"]) == [CLASSES[label] for label in labels_of("test")[tests]]
        assert list(table["train class"]) == [
            CLASSES[label] for label in labels_of("train")[trains]
        ]


# Label errors


def label_errors(split: Split) -> tuple[NDArray[np.int64], NDArray[np.int64], Numbers]:
    """Returns indices, what is suggested, and margins: confident learning, the worst first."""
    read = stored_predictions if split == "test" else validation_predictions
    shares = np.mean([read(network) for network in NETWORKS], axis=0)
    indices = (
        np.arange(10_000) if split == "test" else held_out(labels_of("train"), 5_000, classes=10)[1]
    )
    given = labels_of(split)[indices]
    level = np.array([shares[given == label, label].mean() for label in range(10)])
    confident = np.where(shares >= level, shares, 0)
    suggested = confident.argmax(axis=1)
    others = shares.copy()
    others[np.arange(len(given)), given] = -1
    margins = shares[np.arange(len(given)), given] - others.max(axis=1)
    doubtful = np.flatnonzero(confident.any(axis=1) & (suggested != given))
    order = doubtful[np.argsort(margins[doubtful], kind="stable")]
    return indices[order], suggested[order], margins[order]


@pytest.mark.parametrize(("part", "split"), [("test", "test"), ("held-out training", "train")])
def test_the_label_errors_are_those_of_confident_learning_in_its_order(
    part: str, split: Split, downloads: Downloads
) -> None:
    indices, suggested, margins = label_errors(split)
    app = open_page("dataset", part="Doubtful labels", doubt_part=part)
    for table in (tables_of(app)["table 0"], csv_of(downloads.by_key("csv_doubts"))):
        assert table["index"].tolist() == indices.tolist()
        assert list(table["label"]) == [CLASSES[label] for label in labels_of(split)[indices]]
        assert table.iloc[:, 3].tolist() == [CLASSES[label] for label in suggested]
        np.testing.assert_allclose(table["margin"].to_numpy(float), margins, atol=5.1e-5)
        assert set(table["split"]) == {split}


def test_the_second_page_of_label_errors_goes_on_where_the_first_ends() -> None:
    indices, suggested, _ = label_errors("test")
    app = open_page("dataset", part="Doubtful labels", doubt_page="2")
    (shown,) = galleries_of(app)
    assert [cell.links[0] for cell in shown] == [("test", index) for index in indices[48:96]]
    for cell, seen in zip(shown, suggested[48:96], strict=True):
        index = cell.links[0][1]
        assert np.array_equal(cell.images[0], images_of("test")[index])
        assert cell.lines[0] == CLASSES[labels_of("test")[index]]
        assert CLASSES[seen] in cell.lines[1]
        assert numbers_in(cell.lines[-1]) == [index]


def test_one_class_of_label_errors_is_listed_alone() -> None:
    indices, _, _ = label_errors("test")
    cats = indices[labels_of("test")[indices] == CLASSES.index("cat")]
    app = open_page("dataset", part="Doubtful labels", doubt_class="cat")
    (shown,) = galleries_of(app)
    assert [cell.links[0][1] for cell in shown] == cats[:48].tolist()
    assert tables_of(app)["table 0"]["index"].tolist() == cats.tolist()


def test_the_gallery_of_doubtful_labels_has_the_order_of_doubt() -> None:
    indices, _, _ = label_errors("test")
    shown = galleries_of(open_page("dataset", split="test", label="doubtful", page="2"))[1]
    assert [cell.links[0][1] for cell in shown] == indices[48:96].tolist()
