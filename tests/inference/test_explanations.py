"""Explanations against truths made by hand: networks that look at one known thing."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cifar_core import files
from cifar_core.dataset import arrays
from cifar_core.dataset.arrays import Dataset
from cifar_core.dataset.sample import load_sample
from cifar_core.errors import ModelError
from cifar_core.inference import explain, neighbours, stability
from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.inference.neighbours import Catalogue
from cifar_core.jobs import process
from cifar_core.jobs.lock import Lock, is_held, try_lock
from cifar_core.settings import PROJECT_DIR

Pixels = NDArray[np.uint8]


def looking_at(row: int, column: int) -> explain.Ask:
    """Returns a network that says cat as surely as one pixel is bright, and else dog."""

    def ask(pictures: Pixels) -> NDArray[np.float32]:
        answers = np.zeros((len(pictures), 10), np.float32)
        answers[:, 3] = pictures[:, row, column, 0] / 255
        answers[:, 5] = 1 - answers[:, 3]
        return answers

    return ask


def black(*bright: tuple[int, int]) -> Pixels:
    picture = np.zeros((32, 32, 3), np.uint8)
    for row, column in bright:
        picture[row, column] = 255
    return picture


@pytest.mark.parametrize(("row", "column"), [(0, 0), (16, 16), (31, 31), (5, 27)])
def test_the_map_is_highest_where_the_network_looks(row: int, column: int) -> None:
    found = explain.occlude(looking_at(row, column), black((row, column)))
    assert found.label == 3
    assert found.probability == 1
    assert found.drops[row, column] == pytest.approx(found.drops.max())
    assert found.drops[row, column] == pytest.approx(1)  # covered by every patch over it


def test_the_map_is_zero_where_no_patch_reaches_what_the_network_looks_at() -> None:
    found = explain.occlude(looking_at(2, 2), black((2, 2)))
    assert (found.drops[2 + 32 // explain.PATCHES :, 2 + 32 // explain.PATCHES :] == 0).all()


def test_a_class_can_be_watched_that_is_not_the_answer_and_may_rise() -> None:
    found = explain.occlude(looking_at(9, 9), black((9, 9)), label=5)
    assert found.probability == 0
    assert found.drops.min() == pytest.approx(-1)


@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1), (8, 8, 1), (3, 5, 3), (50, 33, 3)])
def test_every_pixel_is_covered_by_some_patch(shape: tuple[int, ...]) -> None:
    found = explain.occlude(looking_at(0, 0), np.zeros(shape, np.uint8))
    assert found.drops.shape == shape[:2]
    assert np.isfinite(found.drops).all()


def test_an_image_of_32_pixels_is_covered_at_81_places() -> None:
    asked = []

    def ask(images: Pixels) -> NDArray[np.float32]:
        asked.append(len(images))
        return np.ones((len(images), 10), np.float32)

    explain.occlude(ask, black())
    assert asked == [1 + 81]


def test_an_answer_holds_where_the_picture_stays_and_changes_where_the_bright_pixel_moves() -> None:
    whole = np.full((32, 32, 3), 200, np.uint8)
    assert all(trial.holds for trial in stability.try_changes(looking_at(4, 4), whole))
    trials = {
        trial.change: trial for trial in stability.try_changes(looking_at(4, 4), black((4, 4)))
    }
    assert trials["a fifth brighter"].holds
    assert trials["a fifth darker"].holds
    assert not trials["mirrored"].holds
    assert not trials["two pixels down"].holds
    assert trials["mirrored"].label == 5
    assert trials["mirrored"].probability == 1


def test_each_change_is_the_one_it_says() -> None:
    picture = black((10, 10))
    forms = stability.change(picture)
    moved = {words: np.argwhere(forms[words][..., 0] == 255).tolist() for words in forms}
    assert moved["two pixels down"] == [[12, 10]]
    assert moved["two pixels up"] == [[8, 10]]
    assert moved["two pixels to the left"] == [[10, 8]]
    assert moved["two pixels to the right"] == [[10, 12]]
    assert moved["mirrored"] == [[10, 21]]
    grey = np.full((32, 32, 3), 100, np.uint8)
    assert (stability.change(grey)["a fifth brighter"] == 120).all()
    assert (stability.change(grey)["a fifth darker"] == 80).all()
    assert (stability.change(grey)["a little blurred"] == 100).all()
    assert forms["a little blurred"][10, 10, 0] < 255


def test_the_neighbours_are_those_of_the_smallest_angle() -> None:
    features = neighbours.rounded(np.array([[2, 0], [0, 9], [3, 4], [-1, 0]], np.float32))
    indices, labels = np.array([7, 9, 11, 30]), np.array([0, 1, 2, 3], np.uint8)
    found = Catalogue(features, indices, labels, False).nearest(np.array([0, 5], np.float32), 3)
    assert [one.index for one in found] == [9, 11, 7]
    assert [one.label for one in found] == [1, 2, 0]
    np.testing.assert_allclose([one.similarity for one in found], [1, 0.8, 0], atol=5e-3)


def test_a_training_picture_is_its_own_nearest_neighbour() -> None:
    inspector = LayerInspector(PROJECT_DIR / "models" / "cnn4" / "model.tflite")
    train = load_sample().train
    catalogue = neighbours.catalogue(inspector, train)
    assert not catalogue.is_whole
    for place in (0, 333, 999):
        (nearest,) = catalogue.nearest(inspector.features(train.images[place][None])[0], 1)
        assert nearest.index == train.indices[place]
        assert nearest.label == train.labels[place]
        assert nearest.similarity == pytest.approx(1, abs=0.02)


def test_rounding_keeps_similarities_to_half_a_percent() -> None:
    generator = np.random.default_rng(4)
    features = np.maximum(generator.normal(size=(300, 512)), 0).astype(np.float32)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    labels = np.zeros(300, np.uint8)
    catalogue = Catalogue(neighbours.rounded(features), np.arange(300), labels, False)
    for one in catalogue.nearest(features[7], 300):
        assert one.similarity == pytest.approx(float(unit[7] @ unit[one.index]), abs=0.01)


def test_all_training_pictures_are_computed_once_kept_and_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = PROJECT_DIR / "models" / "cnn4" / "model.tflite"
    sample = load_sample()  # in the place of the full dataset
    opened: list[Path] = []

    def open_full(data_dir: Path) -> Dataset:
        opened.append(data_dir)
        return sample

    monkeypatch.setattr(arrays, "open_full", open_full)
    digest = files.sha256_of(model)
    assert neighbours.open_whole(tmp_path, digest, sample.train) is None
    assert neighbours.compute(model, digest, tmp_path)
    found = neighbours.open_whole(tmp_path, digest, sample.train)
    assert found is not None
    np.testing.assert_array_equal(
        found.features, neighbours.catalogue(LayerInspector(model), sample.train).features
    )
    monkeypatch.setattr(neighbours, "catalogue", lambda *_: pytest.fail("computed twice"))
    assert neighbours.compute(model, digest, tmp_path)
    assert len(opened) == 2


def test_two_that_compute_at_once_do_not_do_it_twice(tmp_path: Path) -> None:
    folder = tmp_path / neighbours.FOLDER
    folder.mkdir()
    with (folder / f"{'a' * 16}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert not neighbours.compute(tmp_path / "model.tflite", "a" * 64, tmp_path)


@pytest.mark.parametrize("content", [b"", b"torn", b"\x93NUMPY\x01\x00"])
def test_a_torn_catalogue_counts_as_none(content: bytes, tmp_path: Path) -> None:
    folder = tmp_path / neighbours.FOLDER
    folder.mkdir()
    (folder / f"{'a' * 16}.npy").write_bytes(content)
    assert neighbours.open_whole(tmp_path, "a" * 64, load_sample().train) is None


def test_catalogues_ordered_at_once_are_computed_by_one_process_after_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    computed: list[tuple[Path, str]] = []

    def note_start(_command: object, *, lock: Lock, log_path: Path) -> None:
        started.append(os.dup(lock.descriptor))  # as the new process inherits it
        assert log_path.parent == tmp_path / neighbours.FOLDER

    def note(model_path: Path, sha256: str, _data_dir: Path) -> bool:
        assert is_held(tmp_path / neighbours.FOLDER / "queue.lock")
        computed.append((model_path, sha256))
        return True

    monkeypatch.setattr(process, "start", note_start)
    monkeypatch.setattr(neighbours, "compute", note)
    for letter in "abc":
        neighbours.start(tmp_path / letter, letter * 64, tmp_path)
    assert len(started) == 1
    neighbours.work_off(tmp_path, Lock(started[0]))
    assert computed == [(tmp_path / letter, letter * 64) for letter in "abc"]
    neighbours.start(tmp_path / "d", "d" * 64, tmp_path)
    assert len(started) == 2
    os.close(started[1])


def test_an_order_given_in_the_last_moment_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []

    class LateLock(Lock):
        """Gives an order that starts no process, in the moment before the lock is let go."""

        def release(self) -> None:
            neighbours.start(tmp_path / "late", "f" * 64, tmp_path)
            super().release()

    monkeypatch.setattr(process, "start", lambda *_, **__: pytest.fail("a second process"))
    monkeypatch.setattr(neighbours, "compute", lambda _, sha256, __: computed.append(sha256))
    (tmp_path / neighbours.FOLDER).mkdir()
    taken = try_lock(tmp_path / neighbours.FOLDER / "queue.lock")
    assert taken is not None
    neighbours.work_off(tmp_path, LateLock(taken.descriptor))
    assert computed == ["f" * 64]


def test_an_order_that_fails_does_not_hold_up_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []

    def fail_first(_model_path: Path, sha256: str, _data_dir: Path) -> None:
        computed.append(sha256)
        if sha256.startswith("a"):
            raise ModelError("not the recorded one")

    monkeypatch.setattr(neighbours, "compute", fail_first)
    (tmp_path / neighbours.FOLDER).mkdir()
    taken = try_lock(tmp_path / neighbours.FOLDER / "queue.lock")
    for letter in "ab":
        neighbours.start(tmp_path / letter, letter * 64, tmp_path)
    neighbours.work_off(tmp_path, taken)
    assert computed == ["a" * 64, "b" * 64]
    assert not list((tmp_path / neighbours.FOLDER).glob("*.order"))


@pytest.mark.slow
@pytest.mark.data
def test_a_real_process_works_off_every_order(tmp_path: Path) -> None:
    (tmp_path / "cifar10").symlink_to(PROJECT_DIR / "data" / "cifar10")
    models = [PROJECT_DIR / "models" / name / "model.tflite" for name in ("cnn4", "cnn6")]
    digests = [files.sha256_of(model) for model in models]
    for model, digest in zip(models, digests, strict=True):
        neighbours.start(model, digest, tmp_path)
    train = arrays.open_full(tmp_path).train
    deadline = time.monotonic() + 500
    while is_held(tmp_path / neighbours.FOLDER / "queue.lock"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert all(neighbours.open_whole(tmp_path, digest, train) for digest in digests)
