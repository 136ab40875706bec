from __future__ import annotations

import dataclasses

import pytest

from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.inference.op_mapping import map_layers_to_ops
from cifar_core.networks import NETWORKS
from cifar_core.networks.description import NetworkDescription, load_description
from cifar_core.networks.layers import INPUT, LayerSettings, LayerSpec
from cifar_core.settings import PROJECT_DIR
from tests.inference.test_arithmetic import FILES

SHIPPED = [name for name in NETWORKS if (PROJECT_DIR / "models" / name).is_dir()]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_step_belongs_to_a_layer_of_its_shape(name: str) -> None:
    description = load_description(name)
    steps = LayerInspector(PROJECT_DIR / "models" / name / "model.tflite").ops
    mapped = map_layers_to_ops(description, steps)
    assert mapped is not None
    assert [step for part in mapped for step in part] == list(range(len(steps)))
    for row, part in zip(description.layers, mapped, strict=True):
        assert all(steps[at].shape == row.output_shape for at in part)
        if row.kind in ("Dropout", "Rescaling"):
            assert part == ()
        if row.macs:
            kernel = steps[part[0]].kernel
            assert kernel is not None
            # Batch normalisation may bring a bias to a convolution that had none.
            assert row.parameters in (kernel.size, kernel.size + kernel.shape[-1])


def test_a_softmax_within_a_dense_layer_is_a_step_of_its_own() -> None:
    steps = LayerInspector(FILES["cnn6"]).ops
    mapped = map_layers_to_ops(load_description("cnn6"), steps)
    assert mapped is not None
    assert [steps[at].kind for at in mapped[-1]] == ["Dense", "Softmax"]


def row(kind: str, activation: str = "") -> LayerSpec:
    settings = LayerSettings(activation=activation)
    return LayerSpec(name="", kind=kind, inputs=(), output_shape=(1,), settings=settings)


MODERN = (
    *(row("Rescaling"), row("Conv2D", "gelu"), row("Conv2D")),
    *(row("MaxPooling2D"), row("BatchNormalization"), row("Activation", "gelu")),
    *(row("Conv2D", "relu6"), row("Conv2D")),
    *(row("Activation", "silu"), row("GlobalAveragePooling2D"), row("Dense")),
    row("Activation", "softmax"),
)


def described(rows: tuple[LayerSpec, ...]) -> NetworkDescription:
    """Returns layers in a row, each reading the one above."""
    names = [INPUT, *(f"layer {place}" for place in range(len(rows)))]
    layers = tuple(
        dataclasses.replace(row, name=name, inputs=(above,))
        for row, name, above in zip(rows, names[1:], names[:-1], strict=True)
    )
    return NetworkDescription(name="other", title="", input_shape=(32, 32, 3), layers=layers)


def test_layers_of_other_kinds_are_joined_too() -> None:
    mapped = map_layers_to_ops(described(MODERN), LayerInspector(FILES["modern"]).ops)
    assert mapped == [(), (0, 1), (2,), (3,), (4,), (5,), (6,), (7,), (8, 9), (10,), (11,), (12,)]


def test_the_layers_of_cnn7_are_joined() -> None:
    rows = load_description("cnn7").layers
    mapped = map_layers_to_ops(load_description("cnn7"), LayerInspector(FILES["narrow"]).ops)
    assert mapped is not None
    assert [at for part in mapped for at in part] == list(range(26))
    alone = {row.name for row, part in zip(rows, mapped, strict=True) if not part}
    behind_a_convolution = {f"batch_normalization_{number}" for number in (2, 4, 6)}
    assert alone == {"rescaling_1", "rescaling_2"} | behind_a_convolution
    assert len(mapped[-1]) == 2  # the dense layer and its softmax


@pytest.mark.parametrize("rows", [MODERN[:-1], MODERN[2:], (), (*MODERN, row("Dense"))])
def test_what_does_not_match_is_not_guessed(rows: tuple[LayerSpec, ...]) -> None:
    assert map_layers_to_ops(described(rows), LayerInspector(FILES["modern"]).ops) is None
