"""The shipped descriptions beside the real Keras models (slow: starts TensorFlow)."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from cifar_core.networks import NETWORKS, build
from cifar_core.networks.description import load_description
from cifar_core.settings import PROJECT_DIR

pytestmark = pytest.mark.slow

SUMMARY = "from cifar_core.networks import build; build({!r}).summary()"

PARAMETERS = {"cnn4": 1_250_858, "cnn6": 2_395_434, "cnn7": 1_973_944}
"""The tutorial's, and for CNN-7 the sum that test_description.py counts by hand."""


@pytest.mark.parametrize("name", NETWORKS)
def test_the_shipped_description_is_that_of_the_real_model(name: str) -> None:
    from cifar_core.networks.describe import describe

    assert describe(build(name)) == load_description(name)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_real_model_has_the_number_of_parameters_that_was_printed_or_counted(name: str) -> None:
    assert build(name).count_params() == PARAMETERS[name]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_multiply_adds_are_half_the_operations_that_tensorflow_counts(name: str) -> None:
    """TensorFlow's own profiler counts the graph that Keras builds, operation by operation."""
    counted = operations_of(build(name))
    described = [row for row in load_description(name).layers if row.macs]
    assert sorted(2 * row.macs for row in described) == sorted(counted)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_shipped_summary_is_what_keras_prints_in_a_new_process(name: str) -> None:
    printed = subprocess.run(
        [sys.executable, "-c", SUMMARY.format(name)],
        cwd=PROJECT_DIR,
        env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert printed == load_description(name).keras_summary


def operations_of(model: Any) -> list[int]:
    """Returns the floating-point operations of each convolution and matrix product."""
    import tensorflow as tf
    from tensorflow.python.framework import convert_to_constants

    computed = tf.function(lambda pictures: model(pictures, training=False))
    concrete = computed.get_concrete_function(tf.TensorSpec((1, 32, 32, 3), tf.uint8))
    # Weights as constants: the profiler counts only where it knows every shape.
    _, definition = convert_to_constants.convert_variables_to_constants_v2_as_graph(concrete)
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    found: list[int] = []

    def walk(node: Any) -> None:
        if node.float_ops and node.name.rpartition("/")[2] in ("convolution", "MatMul"):
            found.append(int(node.float_ops))
        for child in node.children:
            walk(child)

    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        walk(profiler.profile(graph, cmd="graph", options=options))
    return found


def test_a_description_does_not_depend_on_what_was_built_before() -> None:
    from cifar_core.networks.describe import describe

    assert describe(build("cnn6")) == describe(build("cnn6"))


def test_layers_of_other_kinds_are_described_too() -> None:
    import keras

    from cifar_core.networks.describe import describe

    description = describe(
        keras.Sequential(
            [
                keras.Input((32, 32, 3)),
                keras.layers.Conv2D(8, 2, strides=2, name="whitening"),
                keras.layers.BatchNormalization(),
                keras.layers.DepthwiseConv2D(3, padding="same"),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(10),
            ],
            name="other",
        )
    )
    assert description.layers[0].name == "whitening"
    assert str(description.layers[0].settings) == "8 filters 2×2, valid, stride 2×2"
    assert [row.receptive_field for row in description.layers] == [2, 2, 6, 32, 32]
    assert [row.macs for row in description.layers] == [
        16 * 16 * 2 * 2 * 3 * 8,
        0,
        16 * 16 * 3 * 3 * 8,
        0,
        80,
    ]
    assert (description.name, description.title) == ("other", "other")


def test_a_sum_is_a_layer_however_it_is_written() -> None:
    import keras

    from cifar_core.networks.describe import describe

    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(3, 5, padding="same")(image)
    x = keras.ops.relu(image + x)
    x = keras.layers.Flatten()(keras.layers.ReLU(max_value=6)(x))
    described = describe(keras.Model(image, keras.layers.Dense(10)(x), name="sums"))
    assert [(layer.kind, layer.inputs) for layer in described.layers[:3]] == [
        ("Conv2D", ("input",)),
        ("Add", ("input", "conv2d_1")),
        ("Relu", ("add_1",)),
    ]
    assert [layer.receptive_field for layer in described.layers] == [5, 5, 5, 5, 8, 8]
    assert [layer.settings.activation for layer in described.layers[2:4]] == ["relu", "relu6"]
    assert "add[0][0]" in described.keras_summary


def test_a_layer_that_is_used_twice_is_refused() -> None:
    """Its uses would have inputs and arithmetic of their own."""
    import keras

    from cifar_core.networks.describe import describe

    image, shared = keras.Input((8, 8, 3)), keras.layers.Conv2D(3, 3, padding="same")
    twice = keras.layers.Flatten()(shared(shared(image)))
    with pytest.raises(ValueError, match="more than once"):
        describe(keras.Model(image, twice))


def test_numbers_that_are_no_kernel_are_no_arithmetic() -> None:
    import keras

    from cifar_core.networks.describe import describe

    layers = [keras.Input((8, 8, 3)), keras.layers.PReLU(), keras.layers.Rescaling(2)]
    described = describe(keras.Sequential([*layers, keras.layers.Flatten()]))
    assert [layer.macs for layer in described.layers] == [0, 0, 0]
    assert described.layers[0].parameters == 8 * 8 * 3
    assert described.layers[1].settings.scale == 2
