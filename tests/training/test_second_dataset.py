"""A second dataset from end to end: other images, fewer classes, one channel, the same code.

scikit-learn's digits 0 to 6: 8 × 8 pixels of grey. Nothing about them is CIFAR-10's but the code.
"""

from __future__ import annotations

import dataclasses
import io
import json
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from cifar_core import files, networks, recipes, services
from cifar_core.charts.matrix import confusion_heatmap
from cifar_core.dataset import DATASETS, DatasetSpec, arrays
from cifar_core.dataset.store import Arrays, write_full
from cifar_core.errors import DataError, RecipeError, RunError
from cifar_core.evaluation import metrics
from cifar_core.evaluation.classification import class_report
from cifar_core.evaluation.words import prediction_sentence
from cifar_core.networks import NETWORKS, Network, description
from cifar_core.recipes import Recipe
from cifar_core.runs import reading, results
from cifar_core.runs.folder import RunFolder, State, Status
from cifar_core.runs.reading import Run
from cifar_core.runs.status_writer import RunStatusWriter

pytestmark = pytest.mark.slow

NAMES = ("zero", "one", "two", "three", "four", "five", "six")
TRAIN, HELD_OUT = 1000, 140


def digits() -> Arrays:
    """The digits 0 to 6, the first thousand to train on."""
    found = load_digits()
    chosen = found.target < len(NAMES)
    images = np.rint(found.images[chosen] * (255 / 16)).astype(np.uint8)[..., np.newaxis]
    labels = found.target[chosen].astype(np.uint8)
    return Arrays(images[:TRAIN], labels[:TRAIN], images[TRAIN:], labels[TRAIN:])


WHOLE = digits()
SPEC = DatasetSpec(
    name="digits",
    title="Digits",
    class_names=NAMES,
    class_colours=tuple(f"#{30 * label:02x}4080" for label in range(len(NAMES))),
    class_groups={"round": (0, 6), "mixed": (2, 3, 5), "straight": (1, 4)},
    image_shape=(8, 8, 1),
    train_images=TRAIN,
    test_images=len(WHOLE.test_labels),
    digests={name: arrays.sha256(array) for name, array in WHOLE.by_name().items()},
)


def build(image_shape: tuple[int, int, int], classes: int) -> object:
    """A network small enough for 8 × 8 pixels."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input(image_shape, dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(16, (3, 3), padding="same", activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.1),
            layers.Dense(classes, activation="softmax", dtype="float32"),
        ],
        name="cnn2",
    )


@pytest.fixture(scope="module", autouse=True)
def _known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Makes the dataset and the network known to the lab, as a module of its own would."""
    module = types.ModuleType("cifar_core.networks.cnn2")
    module.__dict__["build"] = build
    data_dir = tmp_path_factory.mktemp("data")
    write_full(data_dir, WHOLE, "scikit-learn", spec=SPEC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DATASETS, SPEC.name, SPEC)
        patch.setitem(NETWORKS, "cnn2", Network("cnn2", "CNN-2", ""))
        patch.setitem(sys.modules, module.__name__, module)
        patch.setenv("CIFAR_LAB_DATA", str(data_dir))
        yield


def wanted() -> Recipe:
    """Two epochs with everything a recipe can do to images."""
    settings = {
        "name": "short",
        "network": "cnn2",
        "dataset": SPEC.name,
        "epochs": 2,
        "batch_size": 16,
        "initialisation": "whitening",
        "crop_padding": 1,
        "flips": "none",
        "label_smoothing": 0.1,
        "validation_pictures": HELD_OUT,
        "precision": "float32",
    }
    return recipes.from_json(settings)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, _known: None) -> Run:
    """A run that the real engine has trained, in the folder that a starter makes."""
    from cifar_core.training.train import train

    folder = RunFolder(tmp_path_factory.mktemp("runs") / "cnn2-short-1")
    folder.path.mkdir()
    files.write_json(folder.recipe_path, wanted().to_json())
    writer = RunStatusWriter(folder, Status(state=State.RUNNING, device="cpu"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Keras' own, when it saves
        assert train(writer, lambda: False)
    writer.finish(state=State.FINISHED)
    return reading.read(folder.path.parent, folder.id)


def png(pixels: np.ndarray) -> bytes:
    """Returns grey pixels (8, 8, 1) as a person would upload them, 16 times as large."""
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0]).resize((128, 128), Image.Resampling.NEAREST).save(file, "PNG")
    return file.getvalue()


def test_its_arrays_are_read_and_compared_with_its_own_digests(tmp_path: Path) -> None:
    write_full(tmp_path, WHOLE, "scikit-learn", spec=SPEC)
    dataset = arrays.open_full(tmp_path, SPEC)
    arrays.verify(dataset)
    assert (dataset.digest, dataset.spec) == (SPEC.digest, SPEC)
    np.testing.assert_array_equal(dataset.train.picture(TRAIN - 1), WHOLE.train_images[-1])
    with pytest.raises(DataError):
        dataset.test.position(SPEC.test_images)
    other = Arrays(WHOLE.train_images, WHOLE.train_labels, WHOLE.test_images, 1 - WHOLE.test_labels)
    write_full(tmp_path, other, "scikit-learn", spec=SPEC)
    with pytest.raises(DataError):
        arrays.verify(arrays.open_full(tmp_path, SPEC))


def test_its_network_is_described_for_its_images_and_classes(run: Run) -> None:
    told = description.from_json(json.loads(run.folder.network_path.read_text(encoding="utf-8")))
    assert told.input_shape == SPEC.image_shape
    assert told.layers[-1].output_shape == (SPEC.classes,)


def test_its_run_is_finished_and_has_learned(run: Run) -> None:
    figures = results.read_evaluation(run)
    assert run.state is State.FINISHED
    assert figures is not None
    assert figures.pictures == SPEC.test_images
    assert figures.accuracy > 0.6  # guessing gives a seventh
    assert np.shape(figures.confusion_matrix) == (7, 7)
    assert figures.held_out is not None
    assert figures.held_out[1] == HELD_OUT
    assert figures.training is not None
    assert figures.training[1] == TRAIN - HELD_OUT


def test_its_predictions_are_about_its_own_images(run: Run) -> None:
    tested, watched = results.read_test_predictions(run), results.read_predictions(run)
    np.testing.assert_array_equal(tested.labels, WHOLE.test_labels)
    np.testing.assert_array_equal(watched.labels, WHOLE.train_labels[watched.indices])
    assert np.bincount(watched.labels).tolist() == [HELD_OUT // 7] * 7
    assert tested.probabilities.shape == (SPEC.test_images, 7)
    assert watched.probabilities.shape == (HELD_OUT, 7)
    stored = results.read_evaluation(run)
    right = np.count_nonzero(tested.probabilities.argmax(axis=1) == tested.labels)
    assert stored is not None
    assert stored.right == right


def test_its_figures_are_computed_again_from_the_weights(run: Run) -> None:
    assert services.evaluate_run(run) == results.read_evaluation(run)


def test_its_exported_network_classifies_an_upload_of_another_size(run: Run) -> None:
    model = services.open_model(run)
    tested = results.read_test_predictions(run)
    sure = np.flatnonzero(tested.probabilities.max(axis=1) > 0.9)[:5]
    assert len(sure) == 5
    for place in sure:
        picture = services.read_picture(png(WHOLE.test_images[place]), "digit.png")
        ((answer,),) = services.predict([picture.pixels], [model])
        assert answer.network_input.shape == SPEC.image_shape
        assert answer.probabilities.shape == (7,)
        assert answer.probabilities.argmax() == tested.probabilities[place].argmax()
        assert answer.ood is not None


def test_its_classes_are_named_in_words_tables_and_charts(run: Run) -> None:
    tested = results.read_test_predictions(run)
    matrix = metrics.confusion(tested.labels, tested.probabilities.argmax(axis=1), SPEC.classes)
    assert list(class_report(matrix, NAMES)["class"]) == list(NAMES)
    chart = confusion_heatmap(matrix, order="round | mixed | straight", dataset=SPEC)
    wanted = [NAMES[label] for label in (0, 6, 2, 3, 5, 1, 4)]
    assert list(chart.data[0].x) == list(chart.layout.yaxis.categoryarray) == wanted
    assert sorted({shape.x0 for shape in chart.layout.shapes} - {-0.5}) == [1.5, 4.5]
    said = prediction_sentence("CNN-2", tested.probabilities[0], SPEC)
    assert NAMES[int(tested.probabilities[0].argmax())] in said


def test_what_it_cannot_hold_out_is_refused() -> None:
    plain = wanted().to_json()
    for count in (SPEC.classes - 1, TRAIN // 2 + 1):
        with pytest.raises(RecipeError):
            recipes.from_json({**plain, "validation_pictures": count})
    least = recipes.from_json({**plain, "validation_pictures": SPEC.classes})
    assert least.learnt_pictures == TRAIN - SPEC.classes


def test_predictions_of_another_number_of_classes_are_refused(run: Run, tmp_path: Path) -> None:
    plain = {**wanted().to_json(), "network": "cnn4"}
    del plain["dataset"]
    figures = run.folder.evaluation_path.read_bytes()
    folder = RunFolder(tmp_path / "cnn4-short-1")
    folder.path.mkdir()
    files.write_json(folder.recipe_path, plain)
    folder.evaluation_path.write_bytes(figures)
    files.write_json(folder.status_path, json.loads(run.folder.status_path.read_bytes()))
    with pytest.raises(RunError):
        results.read_evaluation(reading.read(tmp_path, folder.id))


@pytest.mark.parametrize("name", ["cnn4", "cnn6", "cnn7"])
def test_a_network_of_the_lab_is_built_for_other_images_and_classes(name: str) -> None:
    spec = dataclasses.replace(SPEC, image_shape=(36, 40, 1))
    model = networks.build(name, spec)
    assert model.input_shape == (None, 36, 40, 1)
    assert model.output_shape == (None, SPEC.classes)
