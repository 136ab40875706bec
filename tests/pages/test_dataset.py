from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cifar_core.dataset import CLASS_NAMES
from cifar_core.dataset.arrays import Split, class_counts
from cifar_core.dataset.statistics import measure
from cifar_core.settings import PROJECT_DIR, current
from cifar_core.ui import cached
from cifar_core.ui.dataset_sections import (
    PUBLISHED_DEVIATION,
    PUBLISHED_MEAN,
    choose_pictures,
    count_sentence,
    draw_figure,
)

PAGE = str(PROJECT_DIR / "pages" / "dataset.py")


@pytest.fixture(autouse=True)
def _no_cache() -> None:
    st.cache_resource.clear()


@pytest.fixture
def _sample(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "no-data"))


def opened(**address: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60)
    for name, value in address.items():
        app.query_params[name.rstrip("_")] = value
    app.run()
    assert not app.exception
    return app


def galleries(app: AppTest) -> list[str]:
    bodies = [element.proto.body for element in app.get("html")]
    return [body for body in bodies if "lab-gallery" in body]


def names(gallery: str) -> list[str]:
    """Returns what the first line below each picture says."""
    return re.findall(r'alt="([^"]*)"', gallery)


def numbers(gallery: str) -> list[int]:
    return [int(text) for text in re.findall(r'"lab-note">(\d+)', gallery)]


def texts(app: AppTest) -> str:
    return " ".join(element.value for element in app.text)


@pytest.mark.usefixtures("_sample")
def test_the_figure_shows_each_class_once_in_the_order_of_the_dataset() -> None:
    figure = galleries(opened())[0]
    assert names(figure) == list(CLASS_NAMES)


@pytest.mark.usefixtures("_sample")
def test_drawing_again_shows_other_pictures_and_their_number_brings_the_first_back() -> None:
    app = opened(seed="7")
    first = numbers(galleries(app)[0])
    next(button for button in app.button if button.label == "Draw again").click().run()
    assert app.number_input(key="seed").value == 8
    assert numbers(galleries(app)[0]) != first
    app.number_input(key="seed").set_value(7).run()
    assert numbers(galleries(app)[0]) == first


@pytest.mark.usefixtures("_sample")
def test_the_sample_says_that_it_is_one_and_offers_the_whole() -> None:
    app = opened()
    assert "You are looking at a sample: 1,000 of the 50,000 training pictures" in texts(app)
    assert "Download the dataset" in [button.label for button in app.button]


@pytest.mark.usefixtures("_sample")
def test_a_link_restores_split_class_and_page() -> None:
    app = opened(split="test", class_="ship", page="2")
    shown = galleries(app)[1]
    assert set(names(shown)) == {"ship"}
    assert "Test pictures 49 to 96 of 100" in texts(app)
    assert "batch" not in shown


@pytest.mark.usefixtures("_sample")
def test_a_training_batch_shows_its_own_pictures_with_index_label_and_batch() -> None:
    shown = galleries(opened(batch="3", class_="cat"))[1]
    assert all(20_000 <= number < 30_000 for number in numbers(shown))
    assert shown.count(", batch 3<") == len(names(shown)) == 20


@pytest.mark.usefixtures("_sample")
@pytest.mark.parametrize(
    "address",
    [
        {"split": "validation"},
        {"class_": "<script>"},
        {"batch": "6"},
        {"page": "0"},
        {"page": "99999999999999999999"},
        {"page": "two"},
        {"seed": "-1"},
        {"seed": "1e9"},
    ],
)
def test_an_absurd_address_shows_the_page_as_if_it_were_not_there(address: dict[str, str]) -> None:
    assert "Train pictures 1 to 48 of 1,000" in texts(opened(**address))


@pytest.mark.usefixtures("_sample")
def test_another_class_begins_at_its_first_page() -> None:
    app = opened(page="5")
    app.selectbox(key="class").set_value("dog").run()
    assert "Train pictures 1 to 48 of 100" in texts(app)


@pytest.mark.usefixtures("_sample")
def test_the_counts_are_those_of_all_pictures_also_beside_the_sample() -> None:
    app = opened()
    table = app.dataframe[0].value
    assert list(table.loc["training batch 1"]) == [
        *(1005, 974, 1032, 1016, 999),
        *(937, 1030, 1001, 1025, 981),
    ]
    assert list(table.loc["test"]) == [1000] * 10


def test_the_sentence_on_the_batches_names_the_smallest_and_the_largest_class() -> None:
    counts = np.full((7, 10), 1000)
    counts[-2] = 5000
    counts[3, 9], counts[1, 0] = 900, 1100
    assert count_sentence(counts) == (
        "The batches differ: the smallest class in one is 900 trucks in batch 4, the largest "
        "1,100 airplanes in batch 2. All five together hold exactly 5,000 pictures of each "
        "class, the test split exactly 1,000."
    )


def test_the_smallest_class_of_the_real_batches_is_named() -> None:
    assert "937 dogs in batch 1" in count_sentence(class_counts())


def test_pictures_are_chosen_by_class_and_batch_together() -> None:
    labels = np.array([3, 3, 5, 3], np.uint8)
    split = Split("train", np.zeros((4, 32, 32, 3), np.uint8), labels, np.array([0, 10_000, 1, 9]))
    assert choose_pictures(split, label=3, batch=1).tolist() == [0, 3]
    assert choose_pictures(split, label=3, batch=None).tolist() == [0, 1, 3]
    assert choose_pictures(split, label=9, batch=None).tolist() == []


def test_the_same_seed_draws_the_same_pictures() -> None:
    split = Split(
        "train",
        np.zeros((1000, 32, 32, 3), np.uint8),
        np.arange(1000, dtype=np.uint8) % 10,
        np.arange(1000),
    )
    first = draw_figure(split, 5)
    assert (first == draw_figure(split, 5)).all()
    assert split.labels[first].tolist() == list(range(10))


def test_statistics_agree_with_the_plain_formulas() -> None:
    generator = np.random.default_rng(1)
    images = generator.integers(0, 256, (60, 32, 32, 3), dtype=np.uint8)
    labels = (np.arange(60) % 9).astype(np.uint8)  # No picture of the last class.
    figures = measure(Split("train", images, labels, np.arange(60)))
    np.testing.assert_allclose(figures.mean, (images / 255).mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(figures.deviation, (images / 255).std(axis=(0, 1, 2)), rtol=1e-12)
    expected = np.rint(images[labels == 4].mean(axis=0))
    assert (figures.class_means[4] == expected).all()
    assert not figures.class_means[9].any()


@pytest.mark.data
def test_the_statistics_of_the_full_set_are_the_published_ones() -> None:
    dataset = cached.open_dataset()
    figures = cached.measure(dataset, dataset.train)
    np.testing.assert_allclose(figures.mean, PUBLISHED_MEAN, atol=5e-5)
    np.testing.assert_allclose(figures.deviation, PUBLISHED_DEVIATION, atol=5e-5)


@pytest.mark.data
def test_the_last_page_of_the_full_gallery_opens_by_its_address() -> None:
    app = opened(page="1042")
    assert numbers(galleries(app)[1])[-1] == 49_999
    assert "Train pictures 49,969 to 50,000 of 50,000" in texts(app)
    assert "sample" not in texts(app)


@pytest.mark.usefixtures("_sample")
def test_a_damaged_dataset_is_told_in_sentences() -> None:
    folder = current().data_dir / "cifar10"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{")
    app = opened()
    shown = " ".join(element.proto.body for element in app.get("html"))
    assert "The stored dataset is damaged" in shown
    assert "Traceback" not in shown


@pytest.mark.usefixtures("_sample")
def test_the_page_opens_through_the_app() -> None:
    app = AppTest.from_file(str(PROJECT_DIR / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert app.title[0].value == "Dataset"
