from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cifar_core.errors import ModelError
from cifar_core.inference.classifier import BATCH_PICTURES, Classifier
from cifar_core.inference.layer_inspector import LayerInspector, _answers_of_convolutions
from cifar_core.inference.litert_ops import LiteRtOp
from cifar_core.inference.operations import Operation
from cifar_core.settings import PROJECT_DIR

DATA = Path(__file__).parent / "data"
CNN4 = PROJECT_DIR / "models" / "cnn4" / "model.tflite"


def some_pictures(count: int) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(count).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


@pytest.fixture(scope="module")
def inspector() -> LayerInspector:
    return LayerInspector(CNN4)


def test_the_steps_are_those_of_the_network(inspector: LayerInspector) -> None:
    assert [(step.kind, step.shape) for step in inspector.ops] == [
        ("Conv2D", (32, 32, 32)),
        ("Conv2D", (30, 30, 32)),
        ("MaxPooling2D", (15, 15, 32)),
        ("Conv2D", (15, 15, 64)),
        ("Conv2D", (13, 13, 64)),
        ("MaxPooling2D", (6, 6, 64)),
        ("Flatten", (2304,)),
        ("Dense", (512,)),
        ("Dense", (10,)),
        ("Softmax", (10,)),
    ]


def test_the_last_step_is_the_answer_of_the_classifier(inspector: LayerInspector) -> None:
    pictures = some_pictures(BATCH_PICTURES + 3)
    answers = Classifier(CNN4).classify(pictures)
    np.testing.assert_allclose(inspector.outputs(pictures)[-1], answers, atol=1e-6)


def test_the_first_convolution_can_be_worked_out_from_its_weights(
    inspector: LayerInspector,
) -> None:
    picture = some_pictures(1)
    step, output = inspector.ops[0], inspector.outputs(picture)[0][0]
    assert step.kernel is not None
    assert step.bias is not None
    patch = picture[0, 9:12, 4:7].astype(np.float32)  # around row 10, column 5
    by_hand = np.einsum("hwi,hwio->o", patch, step.kernel) + step.bias
    np.testing.assert_allclose(output[10, 5], np.maximum(by_hand, 0), atol=1e-4)


def test_a_pooling_takes_the_largest_of_four(inspector: LayerInspector) -> None:
    outputs = inspector.outputs(some_pictures(1))
    blocks = outputs[1][0].reshape(15, 2, 15, 2, 32)
    np.testing.assert_array_equal(outputs[2][0], blocks.max(axis=(1, 3)))


def test_features_times_the_last_weights_are_the_logits(inspector: LayerInspector) -> None:
    _, features, logits = inspector.summary(some_pictures(50))
    last = inspector.ops[-2]
    assert last.kernel is not None
    assert last.bias is not None
    # Not to the last digit: LiteRT rounds what a dense layer reads to 8 bits.
    np.testing.assert_allclose(features @ last.kernel + last.bias, logits, atol=0.1)


def test_features_alone_are_the_same(inspector: LayerInspector) -> None:
    pictures = some_pictures(5)
    np.testing.assert_array_equal(inspector.features(pictures), inspector.summary(pictures)[1])


def test_no_pictures_give_empty_outputs(inspector: LayerInspector) -> None:
    shapes = [output.shape for output in inspector.outputs(some_pictures(0))]
    assert shapes == [(0, *step.shape) for step in inspector.ops]


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"not a network")
    with pytest.raises(ModelError, match="cannot be used"):
        LayerInspector(path)


def test_a_network_that_is_not_the_recorded_one_is_refused() -> None:
    with pytest.raises(ModelError, match="not the one that was recorded"):
        LayerInspector(CNN4, sha256="0" * 64)


def test_what_a_step_reads_is_what_the_step_before_it_made(inspector: LayerInspector) -> None:
    picture = some_pictures(1)[0]
    seen = inspector.look(picture)
    np.testing.assert_array_equal(seen[0].read, picture)
    for before, after in itertools.pairwise(seen):
        np.testing.assert_array_equal(after.read.ravel(), before.made.ravel())


def test_weights_in_eight_bits_are_told_apart_from_others(inspector: LayerInspector) -> None:
    weighty = [step for step in inspector.ops if step.kernel is not None]
    assert [step.is_8_bit for step in weighty] == [False] + [True] * 5


BLOCK = ["Conv2D", "MaxPooling2D", "SCALE", "SHIFT", "Activation", "Conv2D", "Activation"]


def test_the_steps_of_cnn7_have_a_kind_each() -> None:
    """Batch normalisation behind a pooling stays; behind a convolution it becomes part of it."""
    narrow = LayerInspector(DATA / "narrow.tflite")
    kinds = [step.kind for step in narrow.ops]
    assert kinds == ["Conv2D", "Activation", *(3 * BLOCK), "GlobalMaxPooling2D", "Dense", "Softmax"]
    assert narrow.features(some_pictures(2)).shape == (2, 16)


def test_the_largest_of_a_channel_is_what_the_last_layer_reads() -> None:
    narrow = LayerInspector(DATA / "narrow.tflite")
    outputs = narrow.outputs(some_pictures(3))
    np.testing.assert_array_equal(outputs[-3], outputs[-4].max(axis=(1, 2)))


def test_the_means_of_a_convolutions_channels_are_taken_behind_its_activation() -> None:
    pictures = some_pictures(3)
    narrow = LayerInspector(DATA / "narrow.tflite")
    activations = [
        output
        for step, output in zip(narrow.ops, narrow.outputs(pictures), strict=True)
        if step.kind == "Activation"
    ]
    means = np.concatenate([output.mean(axis=(1, 2)) for output in activations], axis=1)
    np.testing.assert_allclose(narrow.summary(pictures)[0], means, atol=1e-6)


@pytest.mark.parametrize(
    ("names", "sources", "answer"),
    [
        (("CONV_2D", "GELU"), (-1, 0), [1]),
        (("CONV_2D", "MAX_POOL_2D", "SHIFT", "GELU"), (-1, 0, 1, 2), [3]),
        (("CONV_2D", "CONV_2D", "GELU"), (-1, 0, 1), [0, 2]),
        (("CONV_2D", "MEAN", "GELU"), (-1, 0, 1), [0]),
        (("CONV_2D", "CONV_2D", "GELU", "GELU"), (-1, -1, 0, 1), [2, 3]),
        (("CONV_2D", "CONV_2D", "ADD", "GELU"), (-1, 0, (1, 0), 2), [0, 1]),
        (("CONV_2D", "CONV_2D", "GELU"), (-1, 0, 0), [2, 1]),
    ],
)
def test_the_answer_of_a_convolution_stands_behind_an_activation_of_it_alone(
    names: tuple[str, ...], sources: tuple[int | tuple[int, ...], ...], answer: list[int]
) -> None:
    steps = [
        LiteRtOp(
            *(name, (4, 4, 2), Operation(name, (0,), 1), (4, 4, 2)),
            sources=reads if isinstance(reads, tuple) else (reads,),
        )
        for name, reads in zip(names, sources, strict=True)
    ]
    assert _answers_of_convolutions(steps) == answer


def test_the_means_of_a_joined_convolution_are_its_own(inspector: LayerInspector) -> None:
    pictures = some_pictures(3)
    outputs = zip(inspector.ops, inspector.outputs(pictures), strict=True)
    means = [output.mean(axis=(1, 2)) for step, output in outputs if step.kind == "Conv2D"]
    np.testing.assert_allclose(
        inspector.summary(pictures)[0], np.concatenate(means, axis=1), atol=1e-6
    )


def test_a_network_of_other_layers_is_opened_too() -> None:
    modern = LayerInspector(DATA / "modern.tflite")
    kinds = [step.kind for step in modern.ops]
    assert kinds[-3:] == ["GlobalAveragePooling2D", "Dense", "Softmax"]
    assert {"Activation", "Multiply"} < set(kinds)
    assert modern.features(some_pictures(2)).shape == (2, 16)
    assert [output.shape[0] for output in modern.outputs(some_pictures(2))] == [2] * len(kinds)
