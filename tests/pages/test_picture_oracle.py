"""Picture against the stored arrays and predictions: pixels, channels, predictions, neighbours."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from cifar_core.settings import PROJECT_DIR
from tests.pages.oracle_images import (
    CLASSES,
    MODELS,
    NETWORKS,
    Split,
    bars_of,
    body_with,
    galleries_of,
    images_of,
    labels_of,
    numbers_in,
    sample_of,
    served,
    stored_predictions,
    texts_in,
)
from tests.pages.shown import charts_of, open_page, tables_of

pytestmark = pytest.mark.data
ANALYSIS = PROJECT_DIR / "cifar_core" / "analysis" / "shipped"


@pytest.fixture
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(MODELS))


@pytest.mark.parametrize(("split", "index"), [("test", 25), ("train", 31_007)])
def test_the_image_is_the_one_that_the_address_names(split: Split, index: int) -> None:
    app = open_page("picture", split=split, index=str(index))
    (image,) = galleries_of(app)[0]
    assert np.array_equal(image.images[0], images_of(split)[index])
    assert image.lines == [CLASSES[labels_of(split)[index]]]


def test_each_channel_stands_in_its_own_place_and_colour() -> None:
    pixels = images_of("train")[31_007]
    means = pixels.mean(axis=(0, 1))
    assert len({round(mean) for mean in means}) == 3
    app = open_page("picture", split="train", index="31007")
    shown = galleries_of(app)[1]
    for channel, name in enumerate(("red", "green", "blue")):
        alone = np.zeros_like(pixels)
        alone[..., channel] = pixels[..., channel]
        assert np.array_equal(shown[channel].images[0], alone)
        assert name in shown[channel].lines[0]
        assert numbers_in(shown[channel].lines[0]) == [round(means[channel])]


@pytest.mark.parametrize(("place", "name"), [(0, "red"), (1, "green"), (2, "blue")])
def test_the_numbers_are_those_of_the_chosen_channel(place: int, name: str) -> None:
    app = open_page("picture", split="test", index="25", channel=name)
    table = tables_of(app)["table 0"]
    assert np.array_equal(table.to_numpy(), images_of("test")[25][..., place])


@pytest.mark.parametrize("label", ["Next", "Previous"])
def test_the_buttons_walk_to_the_image_beside(label: str) -> None:
    app = open_page("picture", split="test", index="25")
    (button,) = [item for item in app.button if item.label == label]
    button.click().run()
    beside = 26 if label == "Next" else 24
    assert app.number_input(key="index").value == beside
    (image,) = galleries_of(app)[0]
    assert np.array_equal(image.images[0], images_of("test")[beside])


@pytest.mark.usefixtures("_shipped")
def test_every_model_says_what_its_own_calibrated_network_says() -> None:
    index = 25
    app = open_page("picture", split="test", index=str(index))
    charts = charts_of(app)
    pixels = np.asarray(images_of("test")[index : index + 1])
    every = []
    for network, title in NETWORKS.items():
        figure = charts[f"bars_{network}"]
        bars = bars_of(figure)
        assert list(bars) == CLASSES
        assert title in figure["layout"]["title"]["text"]
        shown = np.array(list(bars.values()))
        np.testing.assert_allclose(shown, 100 * served(network).calibrated(pixels)[0], atol=0.02)
        every.append(shown)
    gaps = [np.abs(one - other).max() for one, other in itertools.pairwise(every)]
    assert min(gaps) > 1  # no two say the same: a mix-up is seen


@pytest.mark.usefixtures("_shipped")
def test_the_stored_predictions_agree_with_what_the_models_say() -> None:
    for index in (25, 3):
        charts = charts_of(open_page("picture", split="test", index=str(index)))
        for network in NETWORKS:
            stored = 100 * stored_predictions(network)[index]
            shown = np.array(list(bars_of(charts[f"bars_{network}"]).values()))
            np.testing.assert_allclose(shown, stored, atol=0.5)


@pytest.mark.usefixtures("_shipped")
def test_each_sentence_names_the_two_likeliest_classes_of_its_model() -> None:
    app = open_page("picture", split="test", index="25")
    lines = texts_in(body_with(app, "CNN-4 "))
    pixels = np.asarray(images_of("test")[25:26])
    for network, title in NETWORKS.items():
        (line,) = [one for one in lines if f"{title} " in one and "%" in one]
        shares = served(network).calibrated(pixels)[0]
        first, second = np.argsort(-shares)[:2]
        assert numbers_in(line.replace(title, ""))[:2] == pytest.approx(
            [100 * shares[first], 100 * shares[second]], abs=0.051
        )
        words = line.replace(",", " ").replace(".", " ").replace(":", " ").split()
        assert [word for word in words if word in CLASSES] == [CLASSES[first], CLASSES[second]]
        is_correct = first == labels_of("test")[25]
        assert (line[0] == "✓") == is_correct


@pytest.mark.usefixtures("_shipped")
def test_only_the_chosen_models_are_asked() -> None:
    app = open_page("picture", split="test", index="25")
    app.multiselect(key="networks").set_value(["CNN-6"]).run()
    charts = charts_of(app)
    assert list(charts) == ["bars_cnn6"]
    expected = served("cnn6").calibrated(np.asarray(images_of("test")[25:26]))[0]
    np.testing.assert_allclose(
        list(bars_of(charts["bars_cnn6"]).values()), 100 * expected, atol=0.02
    )


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_near_duplicates_of_an_image_are_those_that_were_found(split: Split) -> None:
    pairs = json.loads((ANALYSIS / "pairs.json").read_bytes())["pairs"]
    column = 0 if split == "test" else 1
    index = pairs[40][column]
    own = [pair for pair in pairs if pair[column] == index]
    other: Split = "train" if split == "test" else "test"
    app = open_page("picture", split=split, index=str(index))
    (shown,) = galleries_of(app, "lab-pairs")
    for cell, pair in zip(shown, own, strict=True):
        twin = pair[1 - column]
        assert cell.links == [(split, index), (other, twin)]
        assert np.array_equal(cell.images[0], images_of(split)[index])
        assert np.array_equal(cell.images[1], images_of(other)[twin])
        figures = numbers_in(" ".join(cell.lines))
        assert figures[-2:] == [round(pair[2], 2), round(pair[3], 2)]


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_neighbours_are_the_images_of_the_smallest_angle(split: Split) -> None:
    with np.load(ANALYSIS / "sample.npz", allow_pickle=False) as stored:
        features = stored["features"].astype(np.float64)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    names = [("train", int(index)) for index in sample_of("train")]
    names += [("test", int(index)) for index in sample_of("test")]
    index = int(sample_of(split)[6])
    row = names.index((split, index))
    alike = features @ features[row]
    alike[row] = -np.inf
    app = open_page("picture", split=split, index=str(index))
    shown = galleries_of(app)[2]
    assert len(shown) == 12
    cosines = [alike[names.index(cell.links[0])] for cell in shown]
    np.testing.assert_allclose(cosines, np.sort(alike)[::-1][:12], atol=1e-6)
    for cell, cosine in zip(shown, cosines, strict=True):
        ((own_split, own_index),) = cell.links
        assert np.array_equal(cell.images[0], images_of(own_split)[own_index])  # type: ignore[arg-type]
        assert cell.lines[0] == CLASSES[labels_of(own_split)[own_index]]  # type: ignore[arg-type]
        assert numbers_in(" ".join(cell.lines[1:])) == [own_index, pytest.approx(cosine, abs=0.006)]
