from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cifar_core import services
from cifar_core.dataset.arrays import Split
from cifar_core.dataset.sample import load_sample
from cifar_core.networks import NETWORKS
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.dataset.image_choice import beside
from cifar_core.ui.dataset.image_sections import channels
from tests.pages.shown import html_of, open_page

opened = partial(open_page, "picture")


@pytest.fixture(autouse=True)
def _sample(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "no-data"))


@pytest.fixture
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))


def texts(app: AppTest) -> str:
    return " ".join(element.value for element in app.text)


@pytest.mark.usefixtures("_shipped")
def test_the_address_names_the_picture_and_every_network_says_what_it_sees() -> None:
    index = int(load_sample().test.indices[5])
    app = opened(split="test", index=str(index))
    assert f"Test picture {index}." in texts(app)
    shipped = [name for name in NETWORKS if (PROJECT_DIR / "models" / name).is_dir()]
    assert html_of(app).count("takes this for") == len(shipped)
    assert "No network here has learned from it" in texts(app)
    assert "lab-problem" not in html_of(app)
    assert "Among the 2,000 pictures of the sample" in html_of(app)


@pytest.mark.usefixtures("_shipped")
def test_a_training_picture_names_its_batch_and_says_that_it_was_learned() -> None:
    index = int(load_sample().train.indices[-1])
    app = opened(split="train", index=str(index))
    assert f"Training picture {index}, batch {index // 10_000 + 1}." in texts(app)
    assert "Most networks have learned from this picture" in html_of(app)


def test_a_picture_that_the_sample_does_not_hold_is_told_in_three_answers() -> None:
    missing = next(n for n in range(100) if n not in load_sample().test.indices)
    app = opened(split="test", index=str(missing))
    assert f"Picture {missing} of the test split is not in the shipped sample" in html_of(app)


@pytest.mark.parametrize("address", [{"split": "x"}, {"index": "-3"}, {"index": "<b>"}, {}])
def test_an_absurd_address_shows_the_first_picture(address: dict[str, str]) -> None:
    first = int(load_sample().train.indices[0])
    assert f"Training picture {first}," in texts(opened(**address))


def test_next_and_before_walk_through_the_pictures_that_are_here() -> None:
    indices = load_sample().test.indices
    app = opened(split="test", index=str(indices[3]))
    next(button for button in app.button if button.label == "Next").click().run()
    assert f"Test picture {indices[4]}." in texts(app)
    next(button for button in app.button if button.label == "Previous").click().run()
    assert f"Test picture {indices[3]}." in texts(app)


def test_the_ends_of_a_split_have_nothing_beyond_them() -> None:
    pictures = np.zeros((3, 32, 32, 3), np.uint8)
    split = Split("test", pictures, np.zeros(3, np.uint8), np.array([2, 5, 9]))
    assert beside(split.indices, 2) == (None, 5)
    assert beside(split.indices, 9) == (5, None)
    assert beside(split.indices, 6) == (5, 9)


def test_the_channels_add_up_to_the_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert (channels(picture).sum(axis=0) == picture).all()


def test_a_number_that_is_none_is_told() -> None:
    first = int(load_sample().test.indices[0])
    for asked in ("99999", "-3", "<b>"):
        assert f"“{asked}”" in texts(opened(split="test", index=asked))
    assert "“" not in texts(opened(split="test", index=str(first)))


def test_next_stays_among_the_images_that_were_chosen() -> None:
    test = load_sample().test
    dogs = test.indices[test.labels == 5]
    app = opened(split="test", index=str(dogs[1]), **{"class": "dog"})
    for wanted in dogs[2:4]:
        next(button for button in app.button if button.label == "Next").click().run()
        assert f"Test picture {wanted}." in texts(app)


def test_the_choice_can_be_left() -> None:
    test = load_sample().test
    dogs = np.flatnonzero(test.labels == 5)
    app = opened(split="test", index=str(test.indices[dogs[1]]), **{"class": "dog"})
    next(button for button in app.button if button.label == "All images").click().run()
    next(button for button in app.button if button.label == "Next").click().run()
    assert f"Test picture {test.indices[dogs[1] + 1]}." in texts(app)


@pytest.mark.usefixtures("_shipped")
def test_next_goes_on_in_the_order_of_the_most_doubtful() -> None:
    doubtful = services.find_doubtful_labels("test").indices
    here = [int(index) for index in doubtful if index in load_sample().test.indices]
    assert here != sorted(here)
    app = opened(split="test", index=str(here[0]), label="doubtful")
    for wanted in here[1:4]:
        next(button for button in app.button if button.label == "Next").click().run()
        assert f"Test picture {wanted}." in texts(app)
