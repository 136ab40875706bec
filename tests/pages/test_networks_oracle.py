"""Networks' layers: shapes, parameters, arithmetic and times against the formulas."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import numpy as np
import pytest

from cifar_core.settings import PROJECT_DIR
from tests.pages.oracle_images import (
    MODELS,
    NETWORKS,
    bodies_with,
    body_with,
    csv_of,
    numbers_in,
    rows_in,
)
from tests.pages.shown import Downloads, metrics_of, open_page

_BLOCK = "conv:{0}:3:same:free pool norm:2 gelu conv:{0}:3:same:free norm:0 gelu"
_PAIR = "conv:{0}:3:same conv:{0}:3:{1} pool"
ARCHITECTURES = {
    "cnn4": "rescale conv:32:3:same relu conv:32:3:valid relu pool dropout conv:64:3:same relu "
    "conv:64:3:valid relu pool dropout flatten dense:512 relu dropout dense:10 softmax",
    "cnn6": "rescale "
    + " ".join(f"conv:{n}:3:same dropout conv:{n}:3:same pool" for n in (32, 64, 128))
    + " flatten dropout dense:1024 dropout dense:10::+softmax",
    "cnn7": f"rescale conv:24:2:valid gelu {_BLOCK.format(64)} {_BLOCK.format(256)} "
    f"{_BLOCK.format(256)} largest rescale dense:10:free:+softmax",
}
"""As tutorial and paper print them; ``free`` of a bias, ``norm:2`` two steps of its own."""

KINDS = {"conv": "Conv2D", "pool": "MaxPooling2D", "largest": "GlobalMaxPooling2D"}
KINDS |= {"dense": "Dense", "flatten": "Flatten", "rescale": "Rescaling"}
KINDS |= {"norm": "BatchNormalization"}


@dataclass(frozen=True)
class Layer:
    """One layer by formula; ``steps`` counts those of the served network that are its own."""

    kind: str
    shape: tuple[int, ...]
    parameters: int = 0
    macs: int = 0
    sees: int = 1
    steps: int = 0


def layers_of(network: str) -> list[Layer]:
    shape: tuple[int, ...] = (32, 32, 3)
    sees, jump, made = 1, 1, []
    for word in ARCHITECTURES[network].split():
        kind, *settings = word.split(":")
        parameters = macs = 0
        steps = int(kind in ("conv", "pool", "flatten", "dense", "largest", "gelu", "softmax"))
        if kind == "conv":
            filters, side = int(settings[0]), int(settings[1])
            weights = side * side * shape[2] * filters
            cut = side - 1 if settings[2] == "valid" else 0
            shape = (shape[0] - cut, shape[1] - cut, filters)
            parameters = weights + (0 if "free" in settings else filters)
            macs = weights * shape[0] * shape[1]
            sees += (side - 1) * jump
        elif kind == "pool":
            shape = (shape[0] // 2, shape[1] // 2, shape[2])
            sees, jump = sees + jump, 2 * jump
        elif kind in ("flatten", "largest"):
            shape = (int(np.prod(shape)),) if kind == "flatten" else shape[-1:]
            sees = 32
        elif kind == "dense":
            macs = shape[0] * int(settings[0])
            parameters = macs + (0 if "free" in settings else int(settings[0]))
            shape = (int(settings[0]),)
            steps += "+softmax" in settings
        elif kind == "norm":
            parameters, steps = 3 * shape[-1], int(settings[0])
        made.append(Layer(kind, shape, parameters, macs, min(sees, 32), steps))
    return made


def step_milliseconds(network: str) -> list[float | None]:
    """Returns the stored time of each layer: the steps that are its own, in their order."""
    stored = json.loads((MODELS / network / "timing.json").read_bytes())["step_ms"]
    times: list[float | None] = []
    for layer in layers_of(network):
        own, stored = stored[: layer.steps], stored[layer.steps :]
        times.append(sum(own) if own else None)
    assert not stored
    return times


@pytest.mark.parametrize("network", NETWORKS)
def test_every_row_of_the_layer_table_is_what_the_formulas_give(
    network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(MODELS))
    app = open_page("networks", network=NETWORKS[network])
    _, *rows, total = rows_in(body_with(app, 'class="lab-layers"'))
    layers, times = layers_of(network), step_milliseconds(network)
    for row, layer, time in zip(rows, layers, times, strict=True):
        assert tuple(numbers_in(row[1])) == layer.shape
        assert numbers_in(row[2]) == [layer.parameters]
        assert numbers_in(row[3]) == [layer.macs]
        size = numbers_in(row[4])[0] * (1000 if "kB" in row[4] else 1)
        assert size == pytest.approx(4 * np.prod(layer.shape), abs=51)
        assert numbers_in(row[5]) == [layer.sees, layer.sees]
        # A time that rounds to nothing is said to be below the smallest that is shown.
        about = [] if time is None else [pytest.approx(max(time, 0.0005), abs=5.1e-4)]
        assert numbers_in(row[6]) == about
    assert numbers_in(total[2]) == [sum(layer.parameters for layer in layers)]
    assert numbers_in(total[3]) == [sum(layer.macs for layer in layers)]
    assert numbers_in(total[6]) == [pytest.approx(sum(filter(None, times)), abs=6e-4)]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_totals_are_the_sums_over_the_layers(network: str) -> None:
    shown = list(metrics_of(open_page("networks", network=NETWORKS[network])).values())
    layers = layers_of(network)
    parameters, macs = (
        sum(getattr(one, name) for one in layers) for name in ("parameters", "macs")
    )
    weighty = [layer.macs for layer in layers if layer.macs]
    # Forward once, backward twice; the first that learns has nothing below it, a fixed one none.
    flops = 6 * macs - (4 * weighty[0] + 2 * weighty[1] if network == "cnn7" else 2 * weighty[0])
    expected = [parameters, 4 * parameters / 1e6, macs / 1e6, flops / 1e6]
    for text, value in zip(shown, expected, strict=True):
        assert numbers_in(text)[0] == pytest.approx(value, abs=0.051)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_saved_layer_table_has_the_same_figures(
    network: str, downloads: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(MODELS))
    open_page("networks", network=NETWORKS[network])
    saved = csv_of(downloads.by_key(f"csv_{network}"))
    layers, times = layers_of(network), step_milliseconds(network)
    assert saved["parameters"].tolist() == [layer.parameters for layer in layers]
    assert saved["multiply-adds"].tolist() == [layer.macs for layer in layers]
    kept = saved["milliseconds"].to_numpy(float)
    expected = [np.nan if time is None else time for time in times]
    np.testing.assert_allclose(kept, expected, atol=5.1e-5)


def shaping(network: str) -> list[Layer]:
    return [layer for layer in layers_of(network) if layer.kind in KINDS]


@pytest.mark.parametrize(("left", "right"), [("cnn4", "cnn6"), ("cnn6", "cnn7"), ("cnn7", "cnn4")])
def test_side_by_side_each_network_keeps_its_own_layers_in_order(left: str, right: str) -> None:
    app = open_page("networks", network="Side by side", left=left, right=right)
    head, *rows = rows_in(body_with(app, "lab-two"))
    for network, name, words, count in ((left, head[1], 1, 2), (right, head[3], 3, 4)):
        assert name == NETWORKS[network]
        shown = [
            (row[words].split()[0].strip(","), *numbers_in(row[count]))
            for row in rows
            if row[words]
        ]
        assert shown == [(KINDS[one.kind], one.parameters) for one in shaping(network)]
    for row in rows:
        same = row[1] == row[3]
        assert row[0] == ("=" if same else "≠" if row[1] and row[3] else "+")


def sizes_drawn(body: str) -> list[tuple[float, ...]]:
    """Returns the sizes below the blocks of a drawing, from left to right."""
    (coded,) = re.findall(r"svg\+xml;base64,([^\"]+)", body)
    texts = [str(item.text or "") for item in ET.fromstring(base64.b64decode(coded)).iter()]
    sizes = [text for text in texts if re.fullmatch(r"\d+ × \d+ × \d+|[\d,]+ numbers", text)]
    return [tuple(numbers_in(text)) for text in sizes]


def sizes_of(network: str) -> list[tuple[int, ...]]:
    drawn = [one for one in layers_of(network) if one.kind in ("conv", "pool", "largest", "dense")]
    return [(32, 32, 3), *(layer.shape for layer in drawn)]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_drawing_gives_each_block_the_size_of_its_layer(network: str) -> None:
    (body,) = bodies_with(open_page("networks", network=NETWORKS[network]), "svg+xml")
    assert sizes_drawn(body) == sizes_of(network)
    assert NETWORKS[network] in body


def test_side_by_side_each_network_has_its_own_drawing_and_totals() -> None:
    app = open_page("networks", network="Side by side", left="cnn6", right="cnn7")
    pair = ("cnn6", "cnn7")
    drawings = [sizes_drawn(body) for body in bodies_with(app, "svg+xml")]
    assert drawings == [sizes_of(network) for network in pair]
    shown = [numbers_in(item.value)[0] for item in app.metric if item.label == "Parameters"]
    assert shown == [sum(layer.parameters for layer in layers_of(network)) for network in pair]
    heads = [item.value for item in app.header]
    assert [NETWORKS[network] in head for network, head in zip(pair, heads, strict=True)] == [
        True,
        True,
    ]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_print_out_counts_the_weights_of_each_layer_and_their_share(network: str) -> None:
    app = open_page("networks", network=NETWORKS[network], part="Print-out")
    (printed,) = (code.value for code in app.code if "OPERATION" in code.value)
    lines = re.findall(r"(\d+)\s+(\d+\.\d)%", printed)
    layers = layers_of(network)
    total = sum(layer.parameters for layer in layers)
    weighty = [layer.parameters for layer in layers if layer.parameters]
    shown = np.array([(int(count), float(share)) for count, share in lines if int(count)])
    assert shown[:, 0].tolist() == weighty
    np.testing.assert_allclose(shown[:, 1], 100 * np.array(weighty) / total, atol=0.051)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_code_is_that_of_the_network(network: str) -> None:
    app = open_page("networks", network=NETWORKS[network], part="Keras code")
    path = PROJECT_DIR / "cifar_core" / "networks" / f"{network}.py"
    assert app.code[0].value.strip() == path.read_text(encoding="utf-8").strip()
