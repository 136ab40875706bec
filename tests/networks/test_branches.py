"""A network with branches from end to end: described, exported, opened, timed and drawn."""

from __future__ import annotations

import json
import re
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar_core import networks
from cifar_core.charts.network import PITCH, blocks, in_words, network_svg
from cifar_core.dataset.sample import load_sample
from cifar_core.inference.layer_inspector import LayerInspector
from cifar_core.inference.litert_ops import IMAGE, LiteRtOp
from cifar_core.inference.op_mapping import map_layers_to_ops
from cifar_core.inference.operations import Operation
from cifar_core.inference.timing import measure
from cifar_core.inference.windows import trace_back
from cifar_core.networks.description import NetworkDescription, ascii_printout, from_json
from cifar_core.networks.layers import INPUT, LayerSettings, LayerSpec
from cifar_core.ui.networks import layer_times
from cifar_core.ui.networks.comparison import compare
from cifar_core.ui.networks.layer_table import layer_table, layers_html
from cifar_core.ui.networks.subject import step_title
from tests.inference.test_arithmetic import DATA

FILE = DATA / "residual.tflite"

READS = {
    "skip": ("conv2d_1", "conv2d_3"),
    "projection": ("dropout_1",),
    "add_1": ("batch_normalization_2", "projection"),
    "concatenate_1": ("activation_2", "projection"),
}
"""What the layers read that do not read just the one above them."""

MACS = {
    "conv2d_1": 32 * 32 * 3 * 3 * 3 * 8,
    "conv2d_2": 32 * 32 * 3 * 3 * 8 * 12,
    "conv2d_3": 32 * 32 * 3 * 3 * 12 * 8,
    "conv2d_4": 8 * 8 * 3 * 3 * 8 * 16,
    "conv2d_5": 8 * 8 * 3 * 3 * 16 * 20,
    "projection": 8 * 8 * 8 * 20,
    "dense_1": 40 * 10,
}
"""Counted by hand."""


@pytest.fixture
def described() -> NetworkDescription:
    return from_json(json.loads((DATA / "residual.json").read_text(encoding="utf-8")))


def test_layers_know_what_they_read(described: NetworkDescription) -> None:
    layers = zip(described.layers, described.branches(), strict=True)
    assert {layer.name: reads for layer, reads in layers if reads} == READS
    assert described.layers[0].inputs == (INPUT,)


def test_the_multiply_adds_of_all_branches_are_counted(described: NetworkDescription) -> None:
    assert {layer.name: layer.macs for layer in described.layers if layer.macs} == MACS
    assert described.macs == sum(MACS.values())
    assert described.training_flops == 6 * described.macs - 2 * MACS["conv2d_1"]


def test_a_sum_sees_as_far_as_its_branch_that_sees_farthest(described: NetworkDescription) -> None:
    sees = {layer.name: layer.receptive_field for layer in described.layers}
    assert [sees[name] for name in ("conv2d_1", "conv2d_3", "skip")] == [3, 7, 7]
    assert [sees[name] for name in ("batch_normalization_2", "projection")] == [20, 8]
    assert sees["add_1"] == sees["concatenate_1"] == 20


def test_operations_know_what_they_read() -> None:
    steps = LayerInspector(FILE).ops
    (skip, total) = (at for at, step in enumerate(steps) if step.kind == "Add")
    (joined,) = (at for at, step in enumerate(steps) if step.kind == "Concatenate")
    chain = {at for at, step in enumerate(steps) if step.sources == (at - 1,)}
    assert steps[0].sources == (IMAGE,)
    assert steps[skip].sources == (skip - 3, skip - 1)
    beside = next(at for at in steps[total].sources if steps[at].sources == (skip + 1,))
    assert set(steps[joined].sources) == {total, beside}
    assert {*range(1, len(steps))} - chain == {skip, beside, total, joined}


def test_every_operation_is_that_of_the_layer_with_its_weights(
    described: NetworkDescription,
) -> None:
    steps = LayerInspector(FILE).ops
    mapped = map_layers_to_ops(described, steps)
    assert mapped is not None
    assert sorted(at for part in mapped for at in part) == list(range(len(steps)))
    for layer, part in zip(described.layers, mapped, strict=True):
        assert all(steps[at].shape == layer.output_shape for at in part)
        if layer.macs:
            kernel = steps[part[0]].kernel
            assert kernel is not None
            assert layer.parameters in (kernel.size, kernel.size + kernel.shape[-1])
    own = {layer.name for layer, part in zip(described.layers, mapped, strict=True) if part}
    absorbed = {"rescaling_1", "re_lu_1", "dropout_1", "activation_2"}
    absorbed |= {"batch_normalization_1", "batch_normalization_2"}
    assert {layer.name for layer in described.layers} - own == absorbed


def test_a_sum_of_three_is_the_two_operations_that_add_them() -> None:
    def step(name: str, *sources: int) -> LiteRtOp:
        return LiteRtOp(name, (4,), Operation(name, (0,), 1), (4,), sources=sources)

    def layer(name: str, kind: str, *inputs: str) -> LayerSpec:
        return LayerSpec(name=name, kind=kind, inputs=inputs, output_shape=(4,))

    layers = (
        *(layer(name, "Dense", INPUT) for name in "abc"),
        layer("sum", "Add", "a", "b", "c"),
        layer("twice", "Add", "sum", "sum"),
    )
    network = NetworkDescription(name="", title="", input_shape=(4,), layers=layers)
    dense = [step("FULLY_CONNECTED", IMAGE)] * 3
    steps = [*dense, step("ADD", 0, 1), step("ADD", 3, 2), step("ADD", 4)]
    assert map_layers_to_ops(network, steps) == [(0,), (1,), (2,), (3, 4), (5,)]
    assert (
        map_layers_to_ops(network, [*dense, step("ADD", 0, 1), step("ADD", 3, 1), step("ADD", 4)])
        is None
    )


def test_an_operation_that_reads_more_than_a_layer_is_not_the_layers() -> None:
    def layer(name: str, kind: str, *inputs: str) -> LayerSpec:
        return LayerSpec(name=name, kind=kind, inputs=inputs, output_shape=(4,))

    dense = [layer(name, "Dense", INPUT) for name in "abc"]
    network = NetworkDescription(
        name="", title="", input_shape=(4,), layers=(*dense, layer("all", "Concatenate", "a", "b"))
    )
    ops = [LiteRtOp("FULLY_CONNECTED", (4,), Operation("", (0,), 1), (4,))] * 3
    for sources, expected in (((0, 1), [(0,), (1,), (2,), (3,)]), ((0, 1, 2), None)):
        whole = LiteRtOp("CONCATENATION", (4,), Operation("", (0,), 1), (4,), sources=sources)
        assert map_layers_to_ops(network, [*ops, whole]) == expected


def test_a_number_behind_branches_comes_from_all_that_they_see(
    described: NetworkDescription,
) -> None:
    ops = LayerInspector(FILE).ops
    mapped = map_layers_to_ops(described, ops)
    assert mapped is not None
    for layer, part in zip(described.layers, mapped, strict=True):
        if part and len(layer.output_shape) == 3:
            middle = layer.output_shape[0] // 2
            top, left, bottom, right = trace_back(ops, part[-1], row=middle, column=middle)
            assert (bottom - top, right - left) == (layer.receptive_field,) * 2, layer.name


def test_of_two_convolutions_of_one_input_each_gets_its_own() -> None:
    def layer(name: str, side: int, channels: int) -> LayerSpec:
        settings = LayerSettings(window=(side, side), filters=channels)
        shape = (8, 8, channels)
        return LayerSpec(
            name=name, kind="Conv2D", inputs=(INPUT,), output_shape=shape, settings=settings
        )

    def step(side: int, channels: int) -> LiteRtOp:
        operation = Operation("CONV_2D", (0,), 1)
        kernel = np.zeros((side, side, 3, channels), np.float32)
        return LiteRtOp("CONV_2D", (8, 8, channels), operation, (8, 8, 3), kernel)

    layers = (layer("a", 3, 4), layer("b", 1, 4), layer("c", 3, 5))
    network = NetworkDescription(name="", title="", input_shape=(8, 8, 3), layers=layers)
    assert map_layers_to_ops(network, [step(3, 5), step(1, 4), step(3, 4)]) == [(2,), (1,), (0,)]


def test_features_and_means_of_a_network_with_branches_are_its_own() -> None:
    inspector = LayerInspector(FILE)
    images = load_sample().test.images[:3]
    outputs = inspector.outputs(images)
    means, features, logits = inspector.summary(images)
    np.testing.assert_array_equal(features, outputs[-3])
    np.testing.assert_array_equal(logits, outputs[-2])
    # Behind its activation where that is its own: not behind a sum, which is of two.
    wanted = [
        outputs[at + 1] if inspector.ops[at + 1].kind == "Activation" else outputs[at]
        for at, step in enumerate(inspector.ops)
        if step.kind == "Conv2D"
    ]
    averages = np.concatenate([made.mean(axis=(1, 2)) for made in wanted], axis=1)
    np.testing.assert_allclose(means, averages, atol=1e-6)


def test_every_layer_that_is_an_operation_gets_a_time(
    described: NetworkDescription, monkeypatch: pytest.MonkeyPatch
) -> None:
    inspector: Any = LayerInspector(FILE)
    monkeypatch.setattr(layer_times, "open_inspector", lambda _: inspector)
    image = np.asarray(load_sample().test.images[0])
    timing = measure(FILE.read_bytes(), image, device="", sha256="", rounds=2)
    status: Any = types.SimpleNamespace(timing=timing)
    times = layer_times.layer_milliseconds(described, inspector, status)
    mapped = map_layers_to_ops(described, inspector.ops)
    assert mapped is not None
    assert times is not None
    assert [ms is None for ms in times] == [not part for part in mapped]
    assert min(ms for ms in times if ms is not None) > 0
    assert sum(ms or 0 for ms in times) == pytest.approx(sum(timing.step_ms))


def test_the_drawing_shows_each_branch(described: NetworkDescription) -> None:
    drawn = blocks(described)
    places = {block.words[0]: place for place, block in enumerate(drawn)}
    skip, projection = 4, places["joined"] - 2
    read = {at: block.inputs for at, block in enumerate(drawn) if block.inputs != (at - 1,)}
    assert read == {
        0: (),
        skip: (1, 3),
        projection: (places["max pooling"],),
        places["sum"]: (projection - 1, projection),
        places["joined"]: (places["sum"], projection),
    }
    (path,) = re.findall(r'<path d="([^"]+)"', network_svg(described))
    arcs = re.findall(r"M([\d.]+),[\d.]+ C[^M]* ([\d.]+),[\d.]+", path)
    spans = {tuple(round(float(x) / PITCH - 0.5) for x in arc) for arc in arcs}
    assert spans == {(s, at) for at, sources in read.items() for s in sources if s < at - 1}
    assert path.count("M") == sum(len(block.inputs) for block in drawn)
    assert "from convolution (2) and convolution (4)" in in_words(described)


def test_an_operation_says_which_it_reads_where_that_is_not_the_one_before() -> None:
    steps = LayerInspector(FILE).ops
    read = {}
    for at in range(len(steps)):
        _, words, _ = step_title(steps, at).split("  ")
        if numbers := re.findall(r"\d+", words):
            read[at] = [int(number) - 1 for number in numbers]
    branches = {at: step.sources for at, step in enumerate(steps) if step.sources != (at - 1,)}
    assert read == {at: list(sources) for at, sources in branches.items() if at}


def test_the_layer_table_names_what_is_read(described: NetworkDescription) -> None:
    table = layer_table(described).set_index("layer")
    assert {name: tuple(cell.split(", ")) for name, cell in table["reads"].items() if cell} == READS
    shown = layers_html(described, None, colour="red")
    assert all(", ".join(reads) in shown for reads in READS.values())
    assert shown.count("Reads ") == len(READS)


def test_a_network_with_branches_is_printed_and_compared(described: NetworkDescription) -> None:
    assert {pair.sign for pair in compare(described, described)} == {"="}
    assert ascii_printout(described).count(" Add ") == 2


@pytest.mark.slow
def test_a_network_with_branches_goes_all_the_way(
    described: NetworkDescription, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Built by its name, described, exported and opened: TensorFlow itself does each."""
    from cifar_core.networks.describe import describe
    from cifar_core.training.export import export_litert
    from cifar_core.training.fast_layers import with_fast_layers
    from tests.inference.make_tiny_network import build_residual
    from tests.networks.test_describe import operations_of

    module = types.ModuleType("cifar_core.networks.residual")
    monkeypatch.setattr(module, "build", lambda *_: build_residual(), raising=False)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    known = {**networks.NETWORKS, "residual": networks.Network("residual", "residual", "")}
    monkeypatch.setattr(networks, "NETWORKS", known)

    networks.build("cnn4")  # so that Keras' own numbers go on
    model = networks.build("residual")
    assert describe(model) == described
    assert sorted(operations_of(model)) == sorted(2 * macs for macs in MACS.values())
    images = load_sample().test.images[:8]
    answers = np.asarray(model(images, training=False))
    fast = np.asarray(with_fast_layers(model)(images, training=False))
    np.testing.assert_allclose(fast, answers, atol=1e-5)
    path = tmp_path / "model.tflite"
    export_litert(model, tmp_path / "model.keras", path)
    inspector = LayerInspector(path)
    np.testing.assert_allclose(inspector.outputs(images)[-1], answers, atol=0.05)
    assert map_layers_to_ops(described, inspector.ops) is not None
