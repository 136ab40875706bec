from __future__ import annotations

import ast
import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from cifar_core.errors import ModelError
from cifar_core.networks import NETWORKS
from cifar_core.networks.description import (
    NetworkDescription,
    ascii_printout,
    description_path,
    first_is_fixed,
    from_json,
    load_description,
    source_code,
)
from cifar_core.networks.layers import LAYER_KINDS, LayerSettings, LayerSpec

TUTORIAL_PARAMETERS = {"cnn4": 1_250_858, "cnn6": 2_395_434}

# Counted by hand: height × width of the output × kernel × kernel × channels in × channels out,
# and inputs × units for the fully connected layers.
MACS = {
    "cnn4": [
        32 * 32 * 3 * 3 * 3 * 32,
        30 * 30 * 3 * 3 * 32 * 32,
        15 * 15 * 3 * 3 * 32 * 64,
        13 * 13 * 3 * 3 * 64 * 64,
        6 * 6 * 64 * 512,
        512 * 10,
    ],
    "cnn6": [
        32 * 32 * 3 * 3 * 3 * 32,
        32 * 32 * 3 * 3 * 32 * 32,
        16 * 16 * 3 * 3 * 32 * 64,
        16 * 16 * 3 * 3 * 64 * 64,
        8 * 8 * 3 * 3 * 64 * 128,
        8 * 8 * 3 * 3 * 128 * 128,
        4 * 4 * 128 * 1024,
        1024 * 10,
    ],
    "cnn7": [
        31 * 31 * 2 * 2 * 3 * 24,
        31 * 31 * 3 * 3 * 24 * 64,
        15 * 15 * 3 * 3 * 64 * 64,
        15 * 15 * 3 * 3 * 64 * 256,
        7 * 7 * 3 * 3 * 256 * 256,
        7 * 7 * 3 * 3 * 256 * 256,
        3 * 3 * 3 * 3 * 256 * 256,
        256 * 10,
    ],
}

# Counted by hand: kernel × kernel × channels in × channels out, or inputs × units, and a bias each.
WEIGHTS = {
    "cnn4": [
        3 * 3 * 3 * 32 + 32,
        3 * 3 * 32 * 32 + 32,
        3 * 3 * 32 * 64 + 64,
        3 * 3 * 64 * 64 + 64,
        6 * 6 * 64 * 512 + 512,
        512 * 10 + 10,
    ],
    "cnn6": [
        3 * 3 * 3 * 32 + 32,
        3 * 3 * 32 * 32 + 32,
        3 * 3 * 32 * 64 + 64,
        3 * 3 * 64 * 64 + 64,
        3 * 3 * 64 * 128 + 128,
        3 * 3 * 128 * 128 + 128,
        4 * 4 * 128 * 1024 + 1024,
        1024 * 10 + 10,
    ],
    # Only the first convolution has a bias; batch normalisation has a shift that is learnt, and
    # keeps a mean and a variance, for each channel.
    "cnn7": [
        2 * 2 * 3 * 24 + 24,
        3 * 3 * 24 * 64,
        3 * 64,
        3 * 3 * 64 * 64,
        3 * 64,
        3 * 3 * 64 * 256,
        3 * 256,
        3 * 3 * 256 * 256,
        3 * 256,
        3 * 3 * 256 * 256,
        3 * 256,
        3 * 3 * 256 * 256,
        3 * 256,
        256 * 10,
    ],
}

ACTIVATIONS = {"relu", "gelu", "softmax"}

LAYER = {"name": "one", "kind": "Add", "inputs": ["input"], "output_shape": [2], "settings": {}}
ROW = {"name": "one", "kind": "Conv2D", "output_shape": [2], "details": ""}

FIRST_FORM = Path(__file__).parent / "data"
"""Descriptions as the lab wrote them until the form got a number."""

each_network = pytest.mark.parametrize("name", NETWORKS)


def plain(name: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(description_path(name).read_text(encoding="utf-8"))
    return values


@pytest.mark.parametrize(("name", "printed"), TUTORIAL_PARAMETERS.items())
def test_the_parameters_are_the_tutorials(name: str, printed: int) -> None:
    assert load_description(name).parameters == printed


@each_network
def test_the_parameters_of_a_network_are_those_of_its_layers(name: str) -> None:
    description = load_description(name)
    assert description.parameters == sum(row.parameters for row in description.layers)


@each_network
def test_the_parameters_of_every_layer_are_those_counted_by_hand(name: str) -> None:
    rows = load_description(name).layers
    assert [row.parameters for row in rows if row.parameters] == WEIGHTS[name]


@each_network
def test_the_multiply_accumulates_are_those_counted_by_hand(name: str) -> None:
    description = load_description(name)
    assert [row.macs for row in description.layers if row.macs] == MACS[name]
    assert description.macs == sum(MACS[name])


@pytest.mark.parametrize(("name", "mega_flops"), [("cnn4", 122.7), ("cnn6", 242.7)])
def test_training_costs_what_was_computed_for_the_speed_comparison(
    name: str, mega_flops: float
) -> None:
    assert round(load_description(name).training_flops / 1e6, 1) == mega_flops


def test_a_fixed_layer_costs_a_training_its_forward_pass_alone() -> None:
    fixed, first, *others = MACS["cnn7"]
    wanted = 2 * fixed + 4 * first + 6 * sum(others)
    assert load_description("cnn7").training_flops == wanted


@each_network
def test_only_the_first_convolution_of_the_reference_is_fixed(name: str) -> None:
    description = load_description(name)
    fixed = [row.name for row in description.layers if row.settings.is_fixed]
    assert fixed == (["conv2d_1"] if NETWORKS[name].is_reference else [])
    assert first_is_fixed(description) == bool(fixed)


def test_one_network_is_the_reference_and_comes_last() -> None:
    assert [network.is_reference for network in NETWORKS.values()] == [False, False, True]
    assert NETWORKS["cnn7"].marked_title == "CNN-7, the reference"
    assert NETWORKS["cnn4"].marked_title == "CNN-4"


def test_the_second_and_fourth_convolution_of_cnn4_have_no_padding() -> None:
    rows = [row for row in load_description("cnn4").layers if row.kind == "Conv2D"]
    assert [row.output_shape[0] for row in rows] == [32, 30, 15, 13]
    assert [row.settings.padding for row in rows] == ["same", "valid", "same", "valid"]


def test_cnn6_keeps_its_limit_on_the_norm_of_weights() -> None:
    limited = LayerSettings(units=1024, activation="relu", max_norm=3)
    layers = load_description("cnn6").layers
    assert next(layer.settings for layer in layers if layer.kind == "Dense") == limited
    assert str(limited) == "1024 units, relu, max-norm 3"


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("cnn4", [3, 5, 10, 14]),
        ("cnn6", [3, 5, 10, 14, 24, 32]),
        ("cnn7", [2, 4, 9, 13, 23, 31, 32]),
    ],
)
def test_the_receptive_field_grows_as_counted_by_hand(name: str, fields: list[int]) -> None:
    rows = [row for row in load_description(name).layers if row.kind == "Conv2D"]
    assert [row.receptive_field for row in rows] == fields


@each_network
def test_after_flattening_a_number_depends_on_the_whole_picture(name: str) -> None:
    rows = load_description(name).layers
    flat = next(index for index, row in enumerate(rows) if len(row.output_shape) == 1)
    assert {row.receptive_field for row in rows[flat:]} == {32}


@each_network
def test_the_memory_of_an_output_is_four_bytes_a_number(name: str) -> None:
    rows = load_description(name).layers
    assert rows[0].activation_bytes == 32 * 32 * 3 * 4
    assert all(row.activation_bytes == 4 * math.prod(row.output_shape) for row in rows)


@each_network
def test_a_description_survives_json(name: str) -> None:
    description = load_description(name)
    assert from_json(json.loads(json.dumps(description.to_json()))) == description


@pytest.mark.parametrize("name", ["cnn6", "cnn7"])
def test_a_description_of_the_first_form_is_read_as_todays(name: str) -> None:
    values = json.loads((FIRST_FORM / f"first_form_{name}.json").read_text(encoding="utf-8"))
    today = dataclasses.replace(load_description(name), keras_summary="")
    assert from_json(values) == today


@pytest.mark.parametrize("name", ["cnn6", "cnn7"])
def test_settings_read_in_words_as_the_first_form_had_them(name: str) -> None:
    values = json.loads((FIRST_FORM / f"first_form_{name}.json").read_text(encoding="utf-8"))
    words = [str(layer.settings) for layer in load_description(name).layers]
    assert words == [row["details"] for row in values["rows"]]


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (
            "24 filters 3×5, same, stride 2×1, gelu, fixed, max-norm 2.5",
            LayerSettings(
                filters=24,
                window=(3, 5),
                padding="same",
                strides=(2, 1),
                activation="gelu",
                is_fixed=True,
                max_norm=2.5,
            ),
        ),
        ("3×2", LayerSettings(window=(3, 2), strides=(3, 2), padding="valid")),
        ("fixed", LayerSettings(is_fixed=True)),
        ("× 1/9", LayerSettings(scale=1 / 9)),
        ("leaky_relu", LayerSettings(activation="leaky_relu")),
        ("", LayerSettings()),
    ],
)
def test_every_word_of_the_first_form_becomes_a_value(words: str, settings: LayerSettings) -> None:
    rows = [{**ROW, "parameters": 0, "macs": 0, "receptive_field": 1, "details": words}]
    values = {"name": "", "title": "", "input_shape": [4, 4, 3], "parameters": 0, "macs": 0}
    (layer,) = from_json({**values, "rows": rows}).layers
    assert layer.settings == settings
    assert str(settings) == words


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (LayerSettings(scale=2.0), "× 2"),
        (LayerSettings(scale=0.25), "× 1/4"),
        (LayerSettings(window=(3, 3), strides=(1, 1), padding="same"), "3×3, same"),
        (
            LayerSettings(
                window=(3, 3), strides=(2, 2), padding="valid", filters=8, dilation=(2, 2)
            ),
            "8 filters 3×3, valid, stride 2×2, dilation 2×2",
        ),
        (LayerSettings(window=(3, 3), strides=(2, 2), padding="valid"), "3×3, stride 2×2"),
        (LayerSettings(units=10, is_fixed=True), "10 units, fixed"),
    ],
)
def test_settings_that_the_first_form_did_not_know_are_said_too(
    settings: LayerSettings, words: str
) -> None:
    assert str(settings) == words


def test_a_layer_that_reads_from_a_layer_that_learns_pays_for_its_gradient() -> None:
    """Two branches: what a fixed one reads costs nothing, what joins them has no kernel."""

    def layer(name: str, inputs: str, macs: int, *, is_fixed: bool = False) -> LayerSpec:
        settings = LayerSettings(is_fixed=is_fixed)
        shape = (4, 4, 3)
        return LayerSpec(
            name=name,
            kind="Conv2D" if macs else "Add",
            inputs=tuple(inputs.split()),
            output_shape=shape,
            parameters=macs,
            macs=macs,
            settings=settings,
        )

    layers = (
        *(layer("a", "input", 1000), layer("b", "input", 100, is_fixed=True)),
        *(layer("c", "b", 10), layer("d", "a", 1, is_fixed=True), layer("e", "d c", 0)),
        layer("f", "e", 10_000),
    )
    network = NetworkDescription(name="", title="", input_shape=(4, 4, 3), layers=layers)
    assert network.training_flops == 4 * 1000 + 2 * 100 + 4 * 10 + 4 * 1 + 6 * 10_000
    assert network.branches() == [(), ("input",), (), ("a",), ("d", "c"), ()]


@each_network
def test_the_lab_has_words_for_every_kind_of_its_networks(name: str) -> None:
    assert {layer.kind for layer in load_description(name).layers} <= set(LAYER_KINDS)


@each_network
def test_layer_names_tell_the_layers_apart(name: str) -> None:
    names = [row.name for row in load_description(name).layers]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "change",
    [
        {"layers": None},
        {"layers": [{}]},
        {"layers": [{**LAYER, "output_shape": []}]},
        {"layers": [{**LAYER, "inputs": []}]},
        {"layers": [{**LAYER, "inputs": ["behind"]}]},
        {"layers": [LAYER, LAYER]},
        {"layers": [{**LAYER, "settings": {"colour": "blue"}}]},
        {"version": 1},
        {"version": 3},
        {"rows": [{**ROW, "details": "32 filters of 3×3"}]},
        {"rows": [{**ROW, "settings": {}}]},
        {"input_shape": [32, -32, 3]},
        {"input_shape": "many"},
        {"input_shape": []},
        {"colour": "blue"},
    ],
    ids=repr,
)
def test_a_description_that_is_none_is_refused_in_a_sentence(change: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        from_json({**plain("cnn4"), **change})


@pytest.mark.parametrize("missing", ["version", "name", "title", "input_shape", "layers"])
def test_a_description_that_lacks_a_part_is_refused(missing: str) -> None:
    values = plain("cnn4")
    del values[missing]
    with pytest.raises(ModelError):
        from_json(values)


@pytest.mark.parametrize("name", ["", "cnn5", "../cnn4", "__init__"])
def test_only_the_labs_own_networks_can_be_read(name: str) -> None:
    for read in (load_description, source_code):
        with pytest.raises(KeyError):
            read(name)


@each_network
def test_the_printout_says_every_operation_and_every_weight(name: str) -> None:
    description = load_description(name)
    words = ascii_printout(description).split()
    for row in description.layers:
        if row.kind != "Activation":
            assert row.kind in words
            assert str(row.parameters) in words


# What the tutorial prints, line by line: operation, weights and their share, activation, and the
# dimensions, which it counts channels first.
PRINTED = {
    "cnn4": """
        Conv2D 896 0.1% relu 32 32 32
        Conv2D 9248 0.7% relu 32 30 30
        MaxPooling2D 0 0.0% - 32 15 15
        Dropout 0 0.0% - 32 15 15
        Conv2D 18496 1.5% relu 64 15 15
        Conv2D 36928 3.0% relu 64 13 13
        MaxPooling2D 0 0.0% - 64 6 6
        Dropout 0 0.0% - 64 6 6
        Flatten 0 0.0% - 2304
        Dense 1180160 94.3% relu 512
        Dropout 0 0.0% - 512
        Dense 5130 0.4% softmax 10""",
    "cnn6": """
        Conv2D 896 0.0% relu 32 32 32
        Dropout 0 0.0% - 32 32 32
        Conv2D 9248 0.4% relu 32 32 32
        MaxPooling2D 0 0.0% - 32 16 16
        Conv2D 18496 0.8% relu 64 16 16
        Dropout 0 0.0% - 64 16 16
        Conv2D 36928 1.5% relu 64 16 16
        MaxPooling2D 0 0.0% - 64 8 8
        Conv2D 73856 3.1% relu 128 8 8
        Dropout 0 0.0% - 128 8 8
        Conv2D 147584 6.2% relu 128 8 8
        MaxPooling2D 0 0.0% - 128 4 4
        Flatten 0 0.0% - 2048
        Dropout 0 0.0% - 2048
        Dense 2098176 87.6% relu 1024
        Dropout 0 0.0% - 1024
        Dense 10250 0.4% softmax 10""",
}

SIGNS = {
    "Conv2D": "\\|/",
    "MaxPooling2D": "Y max",
    "Dropout": "| ||",
    "Flatten": "|||||",
    "Dense": "XXXXX",
}


@pytest.mark.parametrize("name", PRINTED)
def test_the_printout_is_the_tutorials_but_for_the_scaling_and_the_place_of_the_channels(
    name: str,
) -> None:
    wanted: list[tuple[str, ...]] = []
    for line in PRINTED[name].strip().splitlines():
        kind, weights, share, activation, *sizes = line.split()
        wanted.append((kind, SIGNS[kind], weights, share))
        wanted.append(
            (activation.strip("-"), "#####", *(sizes[1:] + sizes[:1] if sizes[1:] else sizes))
        )
    assert printed(name)[2:] == wanted  # the scaling, two lines, is the lab's own


def printed(name: str) -> list[tuple[str, ...]]:
    """Returns the lines of a print-out below the input: operations, then activations and sizes."""
    found = []
    for line in ascii_printout(load_description(name)).splitlines()[3:]:
        head, sign, figures = line[:20], line[23:28], line[28:]
        numbers = figures.replace("-------------------", "").split()
        found.append((head.strip(), sign.strip(), *numbers))
    return found


def test_the_columns_stand_where_the_tutorials_stand() -> None:
    lines = ascii_printout(load_description("cnn4")).splitlines()
    assert lines[0] == "           OPERATION           DATA DIMENSIONS   WEIGHTS(N)   WEIGHTS(%)"
    assert lines[2] == "               Input   #####     32   32    3"
    assert lines[5] == "              Conv2D    \\|/  -------------------       896     0.1%"
    assert lines[6] == "                relu   #####     32   32   32"
    assert lines[-3] == "                       #####         512"
    assert lines[-1] == "             softmax   #####          10"


@each_network
def test_every_activation_stands_beside_the_output_of_its_layer(name: str) -> None:
    rows = load_description(name).layers
    activations = [row.settings.activation for row in rows if row.settings.activation]
    heads = [head for head, *_ in printed(name) if head]
    assert [head for head in heads if head in ACTIVATIONS] == activations
    assert len(printed(name)) == 2 * sum(row.kind != "Activation" for row in rows)


def test_a_second_activation_keeps_a_line_of_its_own() -> None:
    values = plain("cnn4")
    layers = values["layers"]
    place = next(i for i, layer in enumerate(layers) if layer["kind"] == "Activation")
    layers.insert(place + 1, {**layers[place], "name": "bent", "settings": {"activation": "tanh"}})
    lines = ascii_printout(from_json(values)).splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip().startswith("tanh"))
    assert lines[at - 1].split()[0] == "f|"


@each_network
def test_the_source_code_is_the_module_a_learner_can_run(name: str) -> None:
    functions = [
        node.name for node in ast.parse(source_code(name)).body if isinstance(node, ast.FunctionDef)
    ]
    assert functions[0] == "build"
