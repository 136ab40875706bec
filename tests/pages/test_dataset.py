from __future__ import annotations

import base64
import io
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Split
from cifar_core.dataset.preview import preview
from cifar_core.dataset.sample import load_labels
from cifar_core.dataset.statistics import class_counts, measure
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import recipe
from cifar_core.runs.results import Predictions
from cifar_core.settings import PROJECT_DIR, current
from cifar_core.ui.dataset.class_statistics import (
    PUBLISHED_DEVIATION,
    PUBLISHED_MEAN,
    count_sentence,
)
from cifar_core.ui.dataset.image_filter import (
    Found,
    choose_pictures,
    keep_answered,
    keep_doubtful,
)
from cifar_core.ui.dataset.tutorial_figure import draw_figure
from cifar_core.ui.kit import caches
from tests.pages.shown import open_page
from tools.fabricate import Fake, fabricate

opened = partial(open_page, "dataset")


@pytest.fixture
def _sample(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "no-data"))


@pytest.fixture
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models that came with the lab; tests have none otherwise."""
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))


def galleries(app: AppTest) -> list[str]:
    bodies = [element.proto.body for element in app.get("html")]
    return [body for body in bodies if "lab-gallery" in body]


def bodies(app: AppTest) -> list[str]:
    return [element.proto.body for element in app.get("html")]


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
    assert names(figure) == list(CIFAR10.class_names)


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
    assert "Training pictures 1 to 48 of 1,000" in texts(opened(**address))


@pytest.mark.usefixtures("_sample")
def test_another_class_begins_at_its_first_page() -> None:
    app = opened(page="5")
    app.selectbox(key="class").set_value("dog").run()
    assert "Training pictures 1 to 48 of 100" in texts(app)


@pytest.mark.usefixtures("_sample")
def test_the_counts_are_those_of_all_pictures_also_beside_the_sample() -> None:
    app = opened(part="Classes")
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


def some_split(name: str, labels: list[int], indices: list[int]) -> Split:
    pictures = np.zeros((len(labels), 32, 32, 3), np.uint8)
    return Split(name, pictures, np.array(labels, np.uint8), np.array(indices))


def some_answers(guesses: list[int], indices: list[int]) -> Predictions:
    return Predictions(
        np.eye(10, dtype=np.float32)[guesses],
        np.zeros(len(guesses), np.uint8),
        np.array(indices),
        "test",
        "test",
        1,
        "",
    )


def test_right_and_wrong_answers_divide_the_pictures_that_were_asked() -> None:
    split = some_split("test", [3, 5, 5, 7], [10, 11, 12, 40])
    answers = some_answers([5, 3, 5], [10, 11, 12])
    places = np.arange(4)
    right = keep_answered(split, places, answers, right=True)
    wrong = keep_answered(split, places, answers, right=False)
    assert (right.places.tolist(), wrong.places.tolist()) == ([2], [0, 1])
    assert wrong.guesses is not None
    assert wrong.guesses.tolist() == [5, 3]


def test_doubtful_labels_come_in_the_order_of_doubt() -> None:
    split = some_split("test", [1, 1, 1, 1], [4, 6, 8, 9])
    found = keep_doubtful(split, Found(np.array([0, 1, 3])), np.array([9, 5, 4, 8]))
    assert found.places.tolist() == [3, 0]


@pytest.mark.usefixtures("_sample", "_shipped")
def test_a_link_restores_wrong_answers_of_a_model() -> None:
    app = opened(split="test", answered="wrong", class_="cat")
    shown = galleries(app)[1]
    assert "taken for" in names(shown)[0]
    assert all(name.startswith("cat, taken for") for name in names(shown))


@pytest.mark.usefixtures("_sample", "_shipped")
def test_the_training_pictures_that_were_learned_from_are_not_judged() -> None:
    app = opened(answered="right")
    assert "Among the 5,000 training pictures that were held out" in texts(app)


@pytest.mark.usefixtures("_sample", "_shipped")
def test_every_picture_of_the_gallery_leads_to_its_own_page() -> None:
    shown = galleries(opened(split="test", label="doubtful"))[1]
    links = re.findall(r'href="picture\?split=test&amp;index=(\d+)&amp;label=doubtful"', shown)
    assert [int(index) for index in links] == numbers(shown)


@pytest.mark.usefixtures("_sample", "_shipped")
@pytest.mark.parametrize(
    "part", ["Classes", "Arrays", "Augmentation", "Map", "Near-duplicates", "Doubtful labels"]
)
def test_every_part_opens_from_the_sample_alone(part: str) -> None:
    app = opened(part=part)
    assert not [html for html in app.get("html") if "lab-problem" in html.proto.body]


@pytest.mark.usefixtures("_sample", "_shipped")
def test_a_class_of_the_map_opens_its_pictures_the_least_usual_first() -> None:
    app = opened(part="Map", map_class="frog")
    assert set(names(galleries(app)[0])) == {"frog"}
    assert "200 frogs on the map" in texts(app)


@pytest.mark.usefixtures("_sample", "_shipped")
def test_the_closest_near_duplicates_show_without_a_download() -> None:
    app = opened(part="Near-duplicates")
    shown = next(body for body in bodies(app) if 'class="lab-pairs"' in body)
    assert shown.count("<img") == 48
    assert "Pairs 1 to 24 of 25" in texts(app)


@pytest.mark.usefixtures("_sample")
def test_a_lab_without_any_model_says_so_where_it_matters() -> None:
    app = opened(part="Doubtful labels")
    shown = " ".join(element.proto.body for element in app.get("html"))
    assert "No trained network here has answered the test pictures" in shown


@pytest.mark.usefixtures("_sample")
def test_the_augmentation_shows_a_picture_unchanged_and_then_as_the_network_sees_it() -> None:
    app = opened(part="Augmentation", example="3")
    shown = galleries(app)[0]
    assert shown.count('"lab-note">epoch ') == 13
    assert "moves each picture by up to 4 pixels" in texts(app)
    app.selectbox(key="recipe").set_value("Tutorial, as printed").run()
    assert "unchanged in every epoch" in texts(app)


@pytest.mark.usefixtures("_sample")
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", NAMED_RECIPES)
def test_the_augmentation_is_that_of_the_chosen_network_and_recipe(network: str, name: str) -> None:
    title, recipe_title = NETWORKS[network].title, NAMED_RECIPES[name].title
    app = opened(part="Augmentation", example="3", network=title, recipe=recipe_title)
    train = caches.open_dataset().train
    chosen = recipe(name, network)
    labels, _ = load_labels()
    seen = preview(chosen, labels, int(train.indices[3]), train.images[3], 13)
    assert seen
    wanted = [train.images[3], *(item.pixels for item in seen)]
    assert images_of(galleries(app)[0]) == [pixels.tobytes() for pixels in wanted]
    assert f"for {title}, seed {chosen.seed}" in " ".join(bodies(app))


@pytest.mark.usefixtures("_sample")
def test_an_address_of_a_run_opens_its_own_network_and_recipe(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="six", network="cnn6", name="Mine_*"))
    app = opened(part="Augmentation", recipe="Mine_* (six)")
    assert app.segmented_control(key="network").value == "CNN-6"
    assert app.selectbox(key="recipe").value == "Mine_* (six)"
    app.segmented_control(key="network").set_value("CNN-4").run()
    assert not app.exception
    assert "Mine_* (six)" not in app.selectbox(key="recipe").options


def images_of(gallery: str) -> list[bytes]:
    """Returns the pixels of each image of a gallery, as they were before they were enlarged."""
    found = []
    for source in re.findall(r'src="data:image/png;base64,([^"]+)"', gallery):
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(source))).convert("RGB"))
        step = len(shown) // 32
        found.append(np.ascontiguousarray(shown[::step, ::step]).tobytes())
    return found


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
    spread = np.sqrt(images[labels == 4].astype(float).var(axis=0).mean(axis=2))
    np.testing.assert_allclose(figures.class_spreads[4], spread, rtol=1e-9)
    assert not figures.class_spreads[9].any()


@pytest.mark.data
def test_the_statistics_of_the_full_set_are_the_published_ones() -> None:
    dataset = caches.open_dataset()
    figures = caches.measure(dataset, dataset.train)
    np.testing.assert_allclose(figures.mean, PUBLISHED_MEAN, atol=5e-5)
    np.testing.assert_allclose(figures.deviation, PUBLISHED_DEVIATION, atol=5e-5)


@pytest.mark.data
def test_the_last_page_of_the_full_gallery_opens_by_its_address() -> None:
    app = opened(page="1042")
    assert numbers(galleries(app)[1])[-1] == 49_999
    assert "Training pictures 49,969 to 50,000 of 50,000" in texts(app)
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


@pytest.mark.data
def test_the_arrays_are_those_of_the_full_set() -> None:
    loaded, prepared = (element.value for element in opened(part="Arrays").dataframe[:2])
    assert loaded.set_index("array").T.to_dict() == {
        "x_train": {"shape": "(50000, 32, 32, 3)", "dtype": "uint8", "min": 0, "max": 255},
        "y_train": {"shape": "(50000,)", "dtype": "uint8", "min": 0, "max": 9},
        "x_test": {"shape": "(10000, 32, 32, 3)", "dtype": "uint8", "min": 0, "max": 255},
        "y_test": {"shape": "(10000,)", "dtype": "uint8", "min": 0, "max": 9},
    }
    assert prepared.set_index("array").T.to_dict() == {
        "x_train": {"shape": "(50000, 32, 32, 3)", "dtype": "float32", "min": 0, "max": 1},
        "y_train": {"shape": "(50000, 10)", "dtype": "float32", "min": 0, "max": 1},
        "x_test": {"shape": "(10000, 32, 32, 3)", "dtype": "float32", "min": 0, "max": 1},
        "y_test": {"shape": "(10000, 10)", "dtype": "float32", "min": 0, "max": 1},
    }


@pytest.mark.usefixtures("_sample")
@pytest.mark.parametrize("place", [0, 6, 23])
def test_a_chosen_image_is_worked_out(place: int) -> None:
    app = opened(part="Arrays", image=str(place))
    train = caches.open_dataset().train
    index = int(train.indices[place])
    pixels, vector = (element.value for element in app.dataframe[2:])
    assert vector.iloc[0].tolist() == [int(label == train.labels[place]) for label in range(10)]
    assert list(vector.columns) == list(CIFAR10.class_names)
    first = train.images[place, 0, :3]
    assert list(pixels["pixel"]) == [f"x_train[{index}, 0, {column}]" for column in range(3)]
    shown = [[int(n) for n in cell.split(", ")] for cell in pixels["red, green, blue"]]
    assert np.array_equal(shown, first)
    scaled = [[float(n) for n in cell.split(", ")] for cell in pixels["divided by 255"]]
    assert np.allclose(scaled, first / 255, atol=5e-5)
