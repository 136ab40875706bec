"""What is worked out by hand beside what the network itself computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cifar_core.dataset.sample import load_sample
from cifar_core.inference.arithmetic import (
    can_work,
    gelu,
    round_to_8_bits,
    work_convolution,
    work_pooling,
    work_softmax,
)
from cifar_core.inference.layer_inspector import LayerInspector, LayerOutput
from cifar_core.inference.litert_ops import LiteRtOp
from cifar_core.inference.operations import Operation, read_operations
from cifar_core.inference.windows import cut_window, trace_back
from cifar_core.settings import PROJECT_DIR

DATA = Path(__file__).parent / "data"
FILES = {
    "cnn4": PROJECT_DIR / "models" / "cnn4" / "model.tflite",
    "cnn6": PROJECT_DIR / "models" / "cnn6" / "model.tflite",
    "modern": DATA / "modern.tflite",
    "narrow": DATA / "narrow.tflite",
    "residual": DATA / "residual.tflite",
    "tiny": DATA / "tiny.tflite",
}
FROM_FLOAT32 = 1e-5
"""How far float32 sums in another order may lie apart; the outputs go up to about 10."""


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.uint8]:
    return load_sample().test.images[[0, 7, 300]]


@pytest.fixture(params=FILES)
def inspector(request: pytest.FixtureRequest) -> LayerInspector:
    return LayerInspector(FILES[request.param])


def places(step: LiteRtOp) -> list[tuple[int, int, int]]:
    """Corners, where zeros stand around the picture, and some places in between."""
    height, width, channels = step.shape
    drawn = np.random.default_rng(5).integers(0, step.shape, (20, 3)).tolist()
    corners = [(row, column, channels - 1) for row in (0, height - 1) for column in (0, width - 1)]
    return corners + [(int(row), int(column), int(channel)) for row, column, channel in drawn]


def test_a_worked_convolution_is_the_networks_own_number(
    inspector: LayerInspector, pictures: NDArray[np.uint8]
) -> None:
    for picture in pictures:
        for step, seen in zip(inspector.ops, inspector.look(picture), strict=True):
            if step.kind != "Conv2D":
                continue
            for row, column, channel in places(step):
                worked = work_convolution(step, seen, row=row, column=column, channel=channel)
                assert worked.difference < FROM_FLOAT32
                assert worked.channel_sums.sum() + worked.bias == pytest.approx(worked.total)


def test_a_worked_pooling_is_exactly_the_networks_own_number(
    inspector: LayerInspector, pictures: NDArray[np.uint8]
) -> None:
    for step, seen in zip(inspector.ops, inspector.look(pictures[0]), strict=True):
        if step.kind == "MaxPooling2D":
            for row, column, channel in places(step):
                worked = work_pooling(step, seen, row=row, column=column, channel=channel)
                assert worked.result == worked.network


def test_a_gelu_worked_out_is_the_networks_own_number(pictures: NDArray[np.uint8]) -> None:
    inspector = LayerInspector(FILES["narrow"])
    seen = [look for look, step in zip(inspector.look(pictures[0]), inspector.ops, strict=True)
            if step.operation.name == "GELU"]  # fmt: skip
    assert len(seen) == 7
    for look in seen:
        for read, made in zip(look.read.ravel()[:200], look.made.ravel()[:200], strict=True):
            assert gelu(float(read)) == pytest.approx(float(made), abs=FROM_FLOAT32)


def test_a_large_number_passes_a_gelu_and_a_negative_one_fades() -> None:
    assert gelu(9.0) == pytest.approx(9.0)
    assert gelu(0.0) == 0
    assert -0.2 < gelu(-1.0) < 0
    assert gelu(-9.0) == pytest.approx(0)


def test_the_worked_softmax_is_the_networks_own_answer(
    inspector: LayerInspector, pictures: NDArray[np.uint8]
) -> None:
    for picture in pictures:
        last = inspector.look(picture)[-1]
        worked = work_softmax(last.read, last.made)
        np.testing.assert_allclose(worked.shares, last.made, atol=1e-6)
        assert worked.shares.sum() == pytest.approx(1)


def test_a_temperature_divides_the_scores() -> None:
    worked = work_softmax(np.array([2, 0], np.float32), np.zeros(2, np.float32), temperature=2)
    assert worked.scaled.tolist() == [1, 0]
    assert worked.shares[0] == pytest.approx(1 / (1 + np.exp(-1)))


def test_huge_scores_have_a_softmax_too() -> None:
    assert work_softmax(np.array([2000, 0], np.float32), np.zeros(2, np.float32)).shares[0] == 1


def test_outside_the_picture_stand_zeros(pictures: NDArray[np.uint8]) -> None:
    inspector = LayerInspector(FILES["cnn4"])
    window = cut_window(inspector.ops[0], pictures[0].astype(np.float32), row=0, column=31)
    assert (window.top, window.left) == (-1, 30)
    assert window.inside.tolist() == [[False] * 3, [True, True, False], [True, True, False]]
    assert not window.values[~window.inside].any()
    np.testing.assert_array_equal(window.values[1:, :2], pictures[0][:2, 30:])


def test_a_kernel_with_gaps_reads_every_second_pixel() -> None:
    operation = Operation("CONV_2D", (0, 1, 2), 3, dilation=(2, 2), padding="valid")
    kernel = np.ones((2, 2, 1, 1), np.float32)
    step = LiteRtOp("CONV_2D", (2, 2, 1), operation, (4, 4, 1), kernel)
    read = np.arange(16, dtype=np.float32).reshape(4, 4, 1)
    assert cut_window(step, read, row=1, column=0).values.ravel().tolist() == [4, 6, 12, 14]


def test_eight_bits_keep_zero_and_the_ends() -> None:
    values = np.array([-1.0, -0.5, 0.0, 0.3, 2.0], np.float32)
    rounded = round_to_8_bits(values)
    assert rounded[2] == 0
    np.testing.assert_allclose(rounded, values, atol=3 / 255)
    assert len(np.unique(round_to_8_bits(np.linspace(0, 1, 5000, dtype=np.float32)))) == 256


def test_nothing_but_zeros_stays_so() -> None:
    assert not round_to_8_bits(np.zeros(4, np.float32)).any()


@pytest.mark.parametrize(
    "kind",
    [
        *("Dense", "Activation", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "SCALE", "SHIFT"),
        *("Flatten", "Add", "Multiply", "Concatenate"),
    ],
)
def test_what_the_lab_cannot_work_out_is_said_before(kind: str) -> None:
    found = [
        step for file in FILES for step in LayerInspector(FILES[file]).ops if step.kind == kind
    ]
    assert found
    assert not any(can_work(step) for step in found)
    seen = LayerOutput(np.zeros(1, np.float32), np.zeros(1, np.float32))
    for work in (work_convolution, work_pooling):
        with pytest.raises(ValueError, match="cannot be worked out"):
            work(found[0], seen, row=0, column=0, channel=0)


def test_the_file_tells_strides_borders_and_activations() -> None:
    found = read_operations(FILES["modern"].read_bytes())
    convolutions = [item for item in found if item.name == "CONV_2D"]
    assert [(item.stride, item.padding, item.activation) for item in convolutions] == [
        ((1, 1), "valid", ""),
        ((1, 1), "same", ""),
        ((2, 2), "same", "relu6"),
        ((1, 1), "valid", ""),
    ]
    assert [item.window for item in found if item.name == "MAX_POOL_2D"] == [(2, 2)]


@pytest.mark.parametrize("content", [b"", b"0000TFL2", b"no network at all"])
def test_what_is_no_network_has_no_operations(content: bytes) -> None:
    with pytest.raises(ValueError, match="no LiteRT file"):
        read_operations(content)


@pytest.mark.parametrize("name", FILES)
def test_a_number_depends_on_the_part_of_the_picture_it_is_traced_back_to(name: str) -> None:
    """Changes the picture outside of that part: the number stays to the last digit."""
    inspector = LayerInspector(FILES[name])
    steps = [step for step in inspector.ops if len(step.shape) == 3]
    picture = np.full((32, 32, 3), 90, np.uint8)
    for index, step in enumerate(steps):
        row, column = step.shape[0] // 3, step.shape[1] - 1
        top, left, bottom, right = trace_back(inspector.ops, index, row=row, column=column)
        assert 0 <= top < bottom <= 32
        other = np.random.default_rng(1).integers(85, 95, (32, 32, 3), dtype=np.uint8)
        other[top:bottom, left:right] = 90
        kept = [inspector.look(image)[index].made[row, column] for image in (picture, other)]
        # Not closer: where what is read is rounded, its range depends on the whole picture.
        np.testing.assert_allclose(kept[0], kept[1], atol=0.05)


@pytest.mark.parametrize(("name", "fields"), [("cnn4", [3, 5, 10, 14]), ("cnn6", [3, 5, 10, 14])])
def test_the_part_of_the_picture_is_as_wide_as_counted_by_hand(
    name: str, fields: list[int]
) -> None:
    steps = LayerInspector(FILES[name]).ops
    convolutions = [i for i, step in enumerate(steps) if step.kind == "Conv2D"][:4]
    for index, field in zip(convolutions, fields, strict=True):
        middle = steps[index].shape[0] // 2
        top, left, bottom, right = trace_back(steps, index, row=middle, column=middle)
        assert (bottom - top, right - left) == (field, field)
