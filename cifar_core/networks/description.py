"""What a network looks like from outside: its layers, parameters and arithmetic.

Plain data without Keras. The descriptions of the lab's own networks ship as JSON beside this
module, so the web process shows them without building a model;
:mod:`cifar_core.networks.describe` makes them from the real ones.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cifar_core.errors import ModelError
from cifar_core.networks import NETWORKS
from cifar_core.networks.layers import INPUT, LAYER_KINDS, LayerSettings, LayerSpec

_NETWORKS_DIR = Path(__file__).resolve().parent


VERSION = 2
"""Of the file's form. The first had no number and told a layer's settings in words."""


@dataclass(frozen=True, kw_only=True)
class NetworkDescription:
    """A whole network.

    Attributes:
        name: Its short name.
        title: Its name on the pages.
        input_shape: Shape of one image: (height, width, channels).
        layers: Its layers, from the image to the prediction, each behind those that it reads.
        keras_summary: What Keras' own ``summary()`` prints of it in a new process.

    Raises:
        ValueError: Two layers have one name, or one reads what does not stand before it.
    """

    name: str
    title: str
    input_shape: tuple[int, ...]
    layers: tuple[LayerSpec, ...]
    keras_summary: str = ""

    def __post_init__(self) -> None:
        known = {INPUT}
        for layer in self.layers:
            if layer.name in known or not layer.inputs or not known.issuperset(layer.inputs):
                raise ValueError(f"layer {layer.name} of {layer.inputs}")
            known.add(layer.name)

    @property
    def parameters(self) -> int:
        """Sum over the layers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Sum over the layers, per image and forward pass."""
        return sum(layer.macs for layer in self.layers)

    @property
    def training_flops(self) -> int:
        """Floating-point operations to train on one image once.

        A multiply-accumulate counts as two operations. The forward pass is followed by one as
        long for the weights of a layer that learns, and one for what it reads where a layer
        before it learns.
        """
        learns = {INPUT: False}  # whether this layer or one before it does
        flops = 0
        for layer in self.layers:
            has_learner = any(learns[name] for name in layer.inputs)
            own = layer.parameters > 0 and not layer.settings.is_fixed
            flops += 2 * layer.macs * (1 + own + has_learner)
            learns[layer.name] = own or has_learner
        return flops

    def branches(self) -> list[tuple[str, ...]]:
        """Returns for each layer what it reads; empty where that is just the layer above."""
        above = [INPUT, *(layer.name for layer in self.layers)]
        pairs = zip(self.layers, above, strict=False)
        return [() if layer.inputs == (name,) else layer.inputs for layer, name in pairs]

    def to_json(self) -> dict[str, Any]:
        """Returns the description as plain values, ready for JSON."""
        layers = [{**vars(layer), "settings": layer.settings.to_json()} for layer in self.layers]
        return {"version": VERSION, **vars(self), "layers": layers}


def from_json(values: Mapping[str, Any]) -> NetworkDescription:
    """Builds a description from plain values, the inverse of ``to_json``.

    Raises:
        ModelError: A value is missing, unknown or of the wrong kind.
    """
    try:
        plain = _from_first_form(values) if "rows" in values else dict(values)
        if plain.pop("version") != VERSION:
            raise ValueError(f"version {values['version']}")
        layers = tuple(_layer(**layer) for layer in plain["layers"])
        return NetworkDescription(
            **{**plain, "layers": layers, "input_shape": _shape(plain["input_shape"])}
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"The description of a network cannot be read ({error}).",
            expected="A file as the lab itself writes it.",
            remedy="Restore the file, or run the training again.",
        ) from error


def _layer(
    *, inputs: Sequence[str], output_shape: Any, settings: Mapping[str, Any], **values: Any
) -> LayerSpec:
    pairs = {name: tuple(value) for name, value in settings.items() if isinstance(value, list)}
    return LayerSpec(
        inputs=tuple(inputs),
        output_shape=_shape(output_shape),
        settings=LayerSettings(**{**settings, **pairs}),
        **values,
    )


_FIRST_WORDS = re.compile(
    r"(?:(?P<filters>\d+) filters )?(?P<window>\d+×\d+)|(?P<units>\d+) units"
    r"|(?P<padding>same|valid)|stride (?P<strides>\d+×\d+)|(?P<rate>\d+)%"
    r"|× 1/(?P<divisor>\S+)|(?P<is_fixed>fixed)|max-norm (?P<max_norm>\S+)"
    r"|(?P<activation>[a-z]\w*)"
)
_READ: Mapping[str, Callable[[str], Any]] = {
    "filters": int,
    "units": int,
    "window": lambda words: [int(side) for side in words.split("×")],
    "strides": lambda words: [int(side) for side in words.split("×")],
    "rate": lambda words: int(words) / 100,
    "max_norm": float,
    "is_fixed": bool,
}


def _from_first_form(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a description of the first form in today's: rows in words, each of the one above.

    Sums and sizes that follow from the layers are left out.
    """
    above, layers = INPUT, []
    for row in values["rows"]:
        left_out = ("details", "activation_bytes")
        layer = {name: value for name, value in row.items() if name not in left_out}
        layers.append({**layer, "inputs": [above], "settings": _first_settings(row["details"])})
        above = row["name"]
    kept = {name: value for name, value in values.items() if name not in ("rows", "parameters")}
    del kept["macs"]
    return {"version": VERSION, **kept, "layers": layers}


def _first_settings(details: str) -> dict[str, Any]:
    """Returns a layer's settings from the words in which the first form had them."""
    found: dict[str, Any] = {}
    for words in filter(None, details.split(", ")):
        match = _FIRST_WORDS.fullmatch(words)
        if match is None:
            raise ValueError(f"settings {details}")
        given = {name: text for name, text in match.groupdict().items() if text is not None}
        found |= {name: _READ.get(name, str)(text) for name, text in given.items()}
    if "divisor" in found:
        found["scale"] = 1 / float(found.pop("divisor"))
    if "window" in found:  # what was not said is as Keras has it
        is_pooling = "filters" not in found
        found = {"strides": found["window"] if is_pooling else [1, 1], **found}
        found.setdefault("padding", "valid")
    return found


def load_description(name: str) -> NetworkDescription:
    """Returns the shipped description of one of the lab's networks.

    Raises:
        KeyError: There is no such network.
    """
    text = description_path(name).read_text(encoding="utf-8")
    return from_json(json.loads(text))


def first_is_fixed(description: NetworkDescription) -> bool:
    """Says whether the first convolution learns nothing: its weights are set beforehand."""
    first = next((layer for layer in description.layers if layer.kind == "Conv2D"), None)
    return first is not None and first.settings.is_fixed


def description_path(name: str) -> Path:
    """Returns where the shipped description of a network lies.

    Raises:
        KeyError: There is no such network.
    """
    return _NETWORKS_DIR / "descriptions" / f"{NETWORKS[name].name}.json"


def source_code(name: str) -> str:
    """Returns the Python module that builds a network, as text.

    Raises:
        KeyError: There is no such network.
    """
    return (_NETWORKS_DIR / f"{NETWORKS[name].name}.py").read_text(encoding="utf-8")


def ascii_printout(description: NetworkDescription) -> str:
    """Returns the network as text, laid out as ``keras_sequential_ascii`` 0.1.1 (2018) does.

    That package, which the tutorial uses, does not work with Keras 3. A layer's weights and
    their share stand beside its operation, the shape of its output in the line below, and there
    its activation, be it the layer's own or a layer behind it.
    """
    lines = [
        f"{'OPERATION':>20}           DATA DIMENSIONS   WEIGHTS(N)   WEIGHTS(%)",
        "",
        _data_line("Input", description.input_shape),
    ]
    for layer, activation in _folded(description.layers):
        share = 100 * layer.parameters / max(description.parameters, 1)
        known = LAYER_KINDS.get(layer.kind)
        kind = "" if known and known.is_activation else layer.kind
        head = f"{kind:>20}   {known.symbol if known else '?????'} -------------------"
        lines.append(f"{head}{layer.parameters:>10}   {share:>5.1f}%")
        lines.append(_data_line(activation, layer.output_shape))
    return "\n".join(lines) + "\n"


def _folded(layers: Sequence[LayerSpec]) -> list[tuple[LayerSpec, str]]:
    """Returns the layers with their activations; one behind a layer without is that layer's."""
    folded: list[tuple[LayerSpec, str]] = []
    for layer in layers:
        known, activation = LAYER_KINDS.get(layer.kind), layer.settings.activation
        if known and known.is_activation and folded and not folded[-1][1]:
            folded[-1] = (folded[-1][0], activation)
        else:
            folded.append((layer, activation))
    return folded


def _data_line(operation: str, shape: tuple[int, ...]) -> str:
    sizes = " ".join(f"{size:4d}" for size in shape) if len(shape) > 1 else f"{shape[0]:9d}"
    return f"{operation:>20}   #####   {sizes}"


def _shape(values: Any) -> tuple[int, ...]:
    """Returns a shape from a JSON list, refusing sizes that are none."""
    sizes = tuple(int(size) for size in values)
    if not sizes or math.prod(sizes) < 1 or min(sizes) < 1:
        raise ValueError(f"shape {values}")
    return sizes
