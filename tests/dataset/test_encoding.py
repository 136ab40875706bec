from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import label_binarize

from cifar_core.dataset.encoding import as_loaded, as_prepared, one_hot, scaled
from cifar_core.dataset.sample import load_sample


def test_labels_are_encoded_as_scikit_learn_encodes_them() -> None:
    labels = np.array([3, 0, 9, 9, 5], np.uint8)
    encoded = one_hot(labels, 10)
    assert encoded.dtype == np.float32
    assert np.array_equal(encoded, label_binarize(labels, classes=range(10)))


def test_the_arrays_are_described_as_numpy_describes_them() -> None:
    sample = load_sample()
    arrays = [sample.train.images, sample.train.labels, sample.test.images, sample.test.labels]
    found = as_loaded(sample)
    assert [facts.name for facts in found] == ["x_train", "y_train", "x_test", "y_test"]
    assert [(f.shape, f.dtype, f.minimum, f.maximum) for f in found] == [
        (array.shape, str(array.dtype), array.min(), array.max()) for array in arrays
    ]


def test_the_prepared_arrays_are_described_as_the_arrays_they_become() -> None:
    sample = load_sample()
    arrays = {
        "x_train": scaled(sample.train.images),
        "y_train": one_hot(sample.train.labels, 10),
        "x_test": scaled(sample.test.images),
        "y_test": one_hot(sample.test.labels, 10),
    }
    for facts in as_prepared(as_loaded(sample), 10):
        array = arrays[facts.name]
        assert (facts.shape, facts.dtype) == (array.shape, str(array.dtype))
        assert (facts.minimum, facts.maximum) == pytest.approx((array.min(), array.max()))
