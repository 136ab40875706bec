"""What a run chooses, it chooses without the test pictures: temperature, threshold, best epoch.

A real network is brought to its end twice with the same training and validation pictures and two
very different test splits; and a whole real run is asked when it looked at its test pictures.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from cifar_core import files, recipes
from cifar_core.dataset import arrays, splits
from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.dataset.sample import load_sample
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.inference import novelty
from cifar_core.inference.classifier import Classifier
from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.inference.novelty import Novelty
from cifar_core.runs.folder import RunFolder, State, Status
from cifar_core.runs.status_writer import RunStatusWriter

if TYPE_CHECKING:
    import keras

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore")]

PICTURES = 1_000
HELD_OUT = 200
EPOCHS = 4
SMALLEST = 2.0**-24


@dataclass(frozen=True, eq=False)
class End:
    """What a run wrote at its end, and the pictures that it had."""

    folder: RunFolder
    learned: Split
    watched: Split
    test: Split

    @property
    def figures(self) -> Evaluation:
        return files.read_json(self.folder.evaluation_path, Evaluation)

    @property
    def novelty(self) -> Novelty:
        return novelty.read(self.folder.novelty_path, files.sha256_of(self.folder.novelty_path))

    def answers(self, split: Split) -> NDArray[np.float64]:
        return Classifier(self.folder.litert_path).classify(split.images).astype(np.float64)


def new_folder(path: Path, network: str = "cnn4", **changes: Any) -> RunFolder:
    """Returns the folder of a run that holds some of the sample's pictures out."""
    path.mkdir()
    folder = RunFolder(path)
    changes = {"validation_pictures": HELD_OUT, "precision": "float32", **changes}
    made = recipes.recipe("standard", network, epochs=EPOCHS, **changes)
    files.write_json(folder.recipe_path, made.to_json())
    folder.metrics_path.touch()
    folder.predictions_path.touch()
    return folder


def spread_network() -> keras.Model:
    """Returns CNN-4 with its first weights, its logits spread out as a trained network's."""
    import keras

    from cifar_core import networks

    keras.utils.set_random_seed(3)
    model = networks.build("cnn4")
    pictures = load_sample().train.images[:200]
    logits = np.log(np.maximum(model.predict(pictures, verbose=0), 1e-12))
    logits -= logits.mean(axis=1, keepdims=True)
    kernel, bias = model.layers[-2].get_weights()
    scale = 2.0 / logits.std(axis=0).mean()
    shift = (logits.mean(axis=0) * scale).astype(np.float32)  # no class wins everywhere
    model.layers[-2].set_weights([kernel * scale, bias - shift])
    return model


def drawn_labels(model: keras.Model, images: Any, temperature: float) -> NDArray[np.uint8]:
    """Returns labels for which this temperature is the honest one."""
    logits = np.log(np.maximum(model.predict(images, verbose=0), 1e-12)) / temperature
    random = np.random.default_rng(11)
    return np.array([random.choice(10, p=row) for row in softmax(logits, axis=1)], np.uint8)


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> tuple[End, End]:
    """Two ends of one network that differ in nothing but their test split."""
    from cifar_core.training.finish import finish

    model, sample = spread_network(), load_sample()
    images = np.asarray(sample.train.images)
    train = Split("train", images, drawn_labels(model, images, 2.0), sample.train.indices)
    learned = splits.take(train, np.arange(600))
    watched = splits.take(train, np.arange(600, PICTURES))
    made = []
    for number, (test_images, temperature) in enumerate(
        ((np.asarray(sample.test.images), 0.5), (255 - np.asarray(sample.test.images) // 3, 9.0))
    ):
        labels = drawn_labels(model, test_images, temperature)
        test = Split("test", test_images, labels, sample.test.indices)
        folder = new_folder(tmp_path_factory.mktemp("end") / f"end-{number}")
        finish(
            folder,
            model,
            dataset=dataclasses.replace(sample, train=train, test=test),
            learned=learned,
            watched=watched,
            status=Status(state=State.RUNNING),
            report_phase=lambda _: None,
        )
        made.append(End(folder, learned, watched, test))
    return made[0], made[1]


def fitted_by_scipy(probabilities: NDArray[np.float64], labels: NDArray[np.uint8]) -> float:
    """Returns the temperature with the least mean negative log-likelihood."""
    logits = np.log(np.maximum(probabilities, SMALLEST))

    def loss(temperature: float) -> float:
        return -float(log_softmax(logits / temperature, axis=1)[range(len(labels)), labels].mean())

    return float(minimize_scalar(loss, bounds=(0.05, 20), method="bounded").x)


def test_the_temperature_is_scipys_of_the_validation_pictures_alone(
    ends: tuple[End, End],
) -> None:
    for end in ends:
        wanted = fitted_by_scipy(end.answers(end.watched), end.watched.labels)
        of_test = fitted_by_scipy(end.answers(end.test), end.test.labels)
        assert end.figures.temperature == pytest.approx(wanted, rel=1e-3)
        assert abs(of_test - wanted) > 0.2  # so a fit on the test split would be seen


def test_the_threshold_and_its_parts_are_numpys_of_the_held_out_pictures_alone(
    ends: tuple[End, End],
) -> None:
    for end in ends:
        made, inspector = end.novelty, LayerInspector(end.folder.litert_path)
        signs = made.signs(inspector, end.watched.images)
        np.testing.assert_allclose(made.centres, np.median(signs, axis=0), rtol=1e-4)
        np.testing.assert_allclose(made.scales, signs.std(axis=0), rtol=1e-4)
        parts = (signs - made.centres) / made.scales
        scores = parts @ np.array([1.0, 0.5, 1.0])
        np.testing.assert_allclose(made.score(inspector, end.watched.images), scores, rtol=1e-4)
        assert made.threshold == pytest.approx(np.quantile(scores, 0.95), rel=1e-4)
        alarms = made.score(inspector, end.test.images) > made.threshold
        assert made.false_alarm_rate == pytest.approx(alarms.mean())


def test_another_test_split_changes_figures_and_no_choice(ends: tuple[End, End]) -> None:
    one, other = ends
    assert one.figures.temperature == other.figures.temperature
    for field in dataclasses.fields(Novelty):
        if field.name != "false_alarm_rate":  # measured on the test pictures, nothing is fitted
            np.testing.assert_array_equal(
                getattr(one.novelty, field.name), getattr(other.novelty, field.name), field.name
            )
    assert one.novelty.false_alarm_rate != other.novelty.false_alarm_rate
    assert one.figures.accuracy != other.figures.accuracy


class Looked:
    """Test pictures that note in which phase of the run each look at them falls."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._images = images
        self.writer: RunStatusWriter | None = None
        self.looks: list[tuple[str, int]] = []
        self.shape, self.ndim, self.dtype = images.shape, images.ndim, images.dtype

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, key: Any) -> NDArray[np.uint8]:
        found = np.asarray(self._images[key])
        assert self.writer is not None
        self.looks.append((self.writer.status.phase, len(found)))
        return found

    def __array__(self, *_: Any, **__: Any) -> NDArray[np.uint8]:
        return self[:]


@dataclass(frozen=True, eq=False)
class Whole:
    """A whole real run in this process."""

    folder: RunFolder
    status: Status
    watched: Split
    test: Looked
    looks_before_the_end: int


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """A run on the sample's pictures by the real training, every look at its test split noted."""
    from cifar_core.training import finish as finish_module
    from cifar_core.training import train

    sample = load_sample()
    test = Looked(np.asarray(sample.test.images))
    split = Split("test", test, sample.test.labels, sample.test.indices)  # type: ignore[arg-type]
    dataset = Dataset(sample.train, split, False, "sample", sample.digest)
    folder = new_folder(tmp_path_factory.mktemp("whole") / "whole", "cnn7", batch_size=32)
    writer = RunStatusWriter(folder, Status(state=State.RUNNING))
    test.writer = writer
    before: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays, "open_full", lambda *_: dataset)
        patch.setattr(arrays, "verify", lambda _: None)  # the digests are not those of a sample

        def finish(*args: Any, **kwargs: Any) -> None:
            before.append(len(test.looks))
            finish_module.finish(*args, **kwargs)

        patch.setattr(train, "finish", finish)
        assert train.train(writer, lambda: False)
    _, watched = splits.divide(folder.read_recipe(), dataset)
    return Whole(folder, writer.status, watched, test, before[0])


def test_no_test_picture_is_looked_at_before_the_last_epoch_is_over(whole: Whole) -> None:
    assert whole.looks_before_the_end == 0
    assert whole.test.looks


def test_each_test_picture_is_read_once_for_each_of_the_three_figures(whole: Whole) -> None:
    """False alarms, the answers, and those for the mirror image averaged with them again."""
    read = sum(count for _, count in whole.test.looks)
    assert read == PICTURES * (1 + 1 + 2)


def test_the_best_epoch_is_numpys_of_the_stored_validation_answers(whole: Whole) -> None:
    stored = np.fromfile(whole.folder.predictions_path, np.float16)
    answers = stored.reshape(EPOCHS, HELD_OUT, 10)
    accuracies = (answers.argmax(axis=2) == whole.watched.labels).mean(axis=1)
    assert whole.status.best_epoch == 1 + int(np.argmax(accuracies))
    assert whole.status.best_accuracy == pytest.approx(accuracies.max())
    assert whole.status.accuracy == pytest.approx(accuracies[-1])
    assert len(set(accuracies.tolist())) > 1


def test_a_finished_run_records_the_digest_of_all_that_is_shown(whole: Whole) -> None:
    manifest = whole.folder.read_manifest()
    for name in (
        "recipe.json", "metrics.jsonl", "predictions", "test_predictions.npy", "evaluation.json",
        "model.tflite", "model.keras", "novelty.npz",
    ):  # fmt: skip
        assert manifest["sha256"][name] == files.sha256_of(whole.folder.path / name)
    assert "manifest_sha256" in files.read_json(whole.folder.manifest_path)
