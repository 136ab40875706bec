from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cifar_core.dataset.sample import load_sample
from cifar_core.decoding import DecodeError, convert
from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.inference.litert_ops import open_interpreter
from cifar_core.inference.operations import read_operations
from cifar_core.inference.timing import Timing, _alone, measure
from tests.inference.test_arithmetic import FILES


@pytest.fixture(scope="module")
def picture() -> NDArray[np.uint8]:
    return np.asarray(load_sample().test.images[0])


@pytest.mark.parametrize("name", FILES)
def test_a_step_cut_out_makes_what_it_makes_within_the_network(
    name: str, picture: NDArray[np.uint8]
) -> None:
    content = FILES[name].read_bytes()
    seen = open_interpreter(content, 1)
    seen.allocate_tensors()
    seen.set_tensor(int(seen.get_input_details()[0]["index"]), picture[np.newaxis])
    seen.invoke()
    for place, operation in enumerate(read_operations(content)):
        part = _alone(content, place, seen)
        part.invoke()
        (made,) = part.get_output_details()
        alone = part.get_tensor(int(made["index"]))
        np.testing.assert_allclose(alone, seen.get_tensor(operation.output), atol=1e-5)


@pytest.mark.parametrize("name", ["cnn4", "modern", "narrow", "residual"])
def test_every_step_and_the_whole_get_a_time(name: str, picture: NDArray[np.uint8]) -> None:
    content = FILES[name].read_bytes()
    timing = measure(content, picture, device="a processor", sha256="digest", rounds=3)
    assert len(timing.step_ms) == len(LayerInspector(FILES[name]).ops)
    assert min(timing.step_ms) > 0
    assert timing.whole_ms > max(0, timing.other_ms)
    assert (timing.rounds, timing.threads, timing.device) == (3, 1, "a processor")


def some_timing() -> Timing:
    return Timing(
        step_ms=(0.1, 0.2),
        other_ms=0.01,
        whole_ms=0.3,
        rounds=5,
        threads=1,
        device="a processor",
        litert="2.3.0",
        measured_at=1.8e9,
        sha256="digest",
    )


def test_times_survive_json() -> None:
    assert convert(some_timing().to_json(), Timing, "timing.json") == some_timing()


@pytest.mark.parametrize(
    "change",
    [
        {"step_ms": None},
        {"step_ms": ["quick"]},
        {"step_ms": [-1]},
        {"whole_ms": float("nan")},
        {"whole_ms": "quick"},
        {"rounds": -1},
        {"threads": True},
        {"other_ms": -0.5},
        {"measured_at": -1},
        {"device": None},
    ],
    ids=repr,
)
def test_times_that_are_none_are_refused(change: dict[str, Any]) -> None:
    (key,) = change
    with pytest.raises(DecodeError) as refusal:
        convert({**some_timing().to_json(), **change}, Timing, "timing.json")
    assert refusal.value.key == key


def test_what_is_no_network_is_not_measured(picture: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="odel"):
        measure(b"no network at all", picture, device="", sha256="")
