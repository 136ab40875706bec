from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cifar_core import settings
from cifar_core.errors import ModelError
from cifar_core.inference.classifier import BATCH_PICTURES, Classifier

TINY = Path(__file__).parent / "data" / "tiny.tflite"


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(TINY, sha256=hashlib.sha256(TINY.read_bytes()).hexdigest())


def some_pictures(count: int) -> NDArray[np.uint8]:
    """Smooth random pictures, so that the answers differ."""
    rng = np.random.default_rng(count)
    coarse = rng.integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


@pytest.mark.parametrize("count", [1, 2, 31, BATCH_PICTURES, BATCH_PICTURES + 1, 700])
def test_every_picture_gets_ten_probabilities(classifier: Classifier, count: int) -> None:
    probabilities = classifier.classify(some_pictures(count))
    assert probabilities.shape == (count, 10)
    assert probabilities.dtype == np.float32
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_no_picture_gets_no_answer(classifier: Classifier) -> None:
    assert classifier.classify(some_pictures(0)).shape == (0, 10)


def test_different_pictures_get_different_answers(classifier: Classifier) -> None:
    probabilities = classifier.classify(some_pictures(50))
    assert len(np.unique(probabilities.round(4), axis=0)) == 50
    assert len(np.unique(probabilities.argmax(axis=1))) > 1


def test_one_by_one_equals_a_batch(classifier: Classifier) -> None:
    pictures = some_pictures(BATCH_PICTURES + 20)
    singles = np.concatenate([classifier.classify(picture[None]) for picture in pictures])
    np.testing.assert_allclose(classifier.classify(pictures), singles, atol=1e-6)


def test_the_order_of_the_pictures_is_the_order_of_the_answers(classifier: Classifier) -> None:
    pictures = some_pictures(300)
    backwards = classifier.classify(pictures[::-1])[::-1]
    np.testing.assert_allclose(classifier.classify(pictures), backwards, atol=1e-6)


def test_an_answer_stays_when_the_next_picture_is_classified(classifier: Classifier) -> None:
    first = classifier.classify(some_pictures(1))
    kept = first.copy()
    classifier.classify(some_pictures(2)[1:])
    np.testing.assert_array_equal(first, kept)


def test_mirroring_averages_the_picture_and_its_mirror_image(classifier: Classifier) -> None:
    pictures = some_pictures(9)
    plain = classifier.classify(pictures)
    turned = classifier.classify(np.ascontiguousarray(pictures[:, :, ::-1]))
    assert np.abs(plain - turned).max() > 0.01
    averaged = classifier.classify(pictures, mirror=True)
    np.testing.assert_allclose(averaged, (plain + turned) / 2, atol=1e-6)


def test_a_picture_and_its_mirror_image_get_the_same_mirrored_answer(
    classifier: Classifier,
) -> None:
    pictures = some_pictures(9)
    np.testing.assert_array_equal(
        classifier.classify(pictures, mirror=True),
        classifier.classify(pictures[:, :, ::-1], mirror=True),
    )


def test_eight_threads_get_the_answers_of_one(classifier: Classifier) -> None:
    batches = [some_pictures(count) for count in (1, 2, 1, 40, 300, 1, 7, 257)]
    alone = [classifier.classify(batch) for batch in batches]
    wrong: list[int] = []

    def ask(first: int) -> None:
        for turn in range(16):
            number = (first + turn) % len(batches)
            if not np.array_equal(classifier.classify(batches[number]), alone[number]):
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("threads", [1, 2])
def test_the_number_of_threads_does_not_change_the_answer(
    classifier: Classifier, threads: int
) -> None:
    pictures = some_pictures(64)
    other = Classifier(TINY, threads=threads).classify(pictures)
    np.testing.assert_allclose(other, classifier.classify(pictures), atol=1e-6)


@pytest.mark.parametrize(
    "pictures",
    [
        np.zeros((32, 32, 3), np.uint8),
        np.zeros((1, 3, 32, 32), np.uint8),
        np.zeros((1, 31, 32, 3), np.uint8),
        np.zeros((1, 32, 32, 3), np.float32),
    ],
)
def test_pictures_of_another_shape_or_type_are_refused(
    classifier: Classifier, pictures: NDArray[np.uint8]
) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        classifier.classify(pictures)


def test_a_network_with_another_digest_is_refused(tmp_path: Path) -> None:
    changed = tmp_path / "model.tflite"
    data = bytearray(TINY.read_bytes())
    recorded = hashlib.sha256(data).hexdigest()
    data[len(data) // 2] ^= 1
    changed.write_bytes(data)
    with pytest.raises(ModelError, match="digest"):
        Classifier(changed, sha256=recorded)


def test_the_digest_may_be_written_in_capitals() -> None:
    digest = hashlib.sha256(TINY.read_bytes()).hexdigest().upper()
    assert Classifier(TINY, sha256=digest).classify(some_pictures(1)).shape == (1, 10)


def test_a_missing_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.tflite"):
        Classifier(tmp_path / "gone.tflite")


@pytest.mark.parametrize("data", [b"", b"TFL3", b"no network at all", bytes(2_000)])
def test_a_file_that_is_no_network_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(data)
    with pytest.raises(ModelError) as caught:
        Classifier(path)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("name", "why"),
    [("float_input", "takes float32"), ("five_classes", r"gives float32 \[-1, 5\]")],
)
def test_a_network_with_another_input_or_output_is_refused(name: str, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        Classifier(TINY.with_name(f"{name}.tflite"))


def test_the_network_in_memory_outlives_its_file(tmp_path: Path) -> None:
    copy = Path(shutil.copy(TINY, tmp_path / "model.tflite"))
    classifier = Classifier(copy)
    copy.write_bytes(bytes(copy.stat().st_size))
    assert classifier.classify(some_pictures(3)).shape == (3, 10)


def test_importing_the_package_loads_neither_litert_nor_tensorflow_nor_keras() -> None:
    script = (
        "import sys, cifar_core.inference.archive, cifar_core.inference.classifier; "
        "print([n for n in ('ai_edge_litert', 'tensorflow', 'keras', 'streamlit') "
        "if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=settings.PROJECT_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
