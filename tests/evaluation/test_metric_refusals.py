"""What a metric refuses, and which number it says first."""

from __future__ import annotations

import re
from functools import partial

import pytest

from cifar_core.evaluation import metrics
from cifar_core.evaluation.predictions import PredictionsError


@pytest.mark.parametrize("measure", [metrics.accuracy, partial(metrics.confusion, classes=10)])
def test_labels_that_do_not_fit_are_counted_as_labels(measure: object) -> None:
    assert callable(measure)
    with pytest.raises(PredictionsError) as refused:
        measure([1, 2, 3], [1, 2, 3, 4, 5])
    assert re.findall(r"\d+", refused.value.what) == ["3", "5"]
