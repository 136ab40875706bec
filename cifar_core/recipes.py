"""Recipes: every setting of a training, as data.

A recipe knows nothing of Keras, so the web process can read, check and write one. The recipes of
:mod:`cifar_core.named_recipes` are starting points; :func:`recipe` combines one with a person's
changes and refuses what cannot work.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_type_hints

from msgspec import Meta

from cifar_core.dataset.spec import CIFAR10, DATASETS, DatasetSpec
from cifar_core.decoding import DecodeError, convert
from cifar_core.errors import RecipeError
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS

Schedule = Literal["inverse-time", "cosine", "triangular"]
Flips = Literal["none", "random", "alternating"]
Initialisation = Literal["keras", "whitening", "identity"]
MonitoredSplit = Literal["validation", "test"]
Precision = Literal["auto", "float32", "bfloat16"]

_NAME = r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z"
"""A recipe's name becomes part of the name of a run's folder."""

_PICTURES = "a whole number of pictures"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Every number needed to repeat a training.

    Its annotations hold the bounds of every setting and what a person is told to be expected.

    Attributes:
        name: The named recipe this one started from.
        network: A key of :data:`cifar_core.networks.NETWORKS`.
        epochs: Passes over the training pictures.
        batch_size: Pictures per step of the optimizer.
        seed: Start of all randomness: initial weights, order, augmentation, dropout.
        learning_rate: Largest learning rate of the schedule.
        schedule: ``inverse-time``: ``rate / (1 + decay * step)``, what Keras' old ``decay``
            did; ``cosine``: linear warm-up, then half a cosine down to zero; ``triangular``:
            linear from a fifth up and down to 7% of it.
        decay: For ``inverse-time`` only, per step.
        warmup: Not for ``inverse-time``: share of the training in which the rate rises.
        momentum: Of stochastic gradient descent.
        nesterov: Whether the momentum looks ahead (Nesterov 1983).
        weight_decay: Added to each kernel's gradient as ``weight_decay * kernel``: what an
            L2 penalty of ``weight_decay / 2`` does. Biases are left alone.
        bias_rate: Factor on the learning rate of everything that is trained and no kernel.
        lookahead: Steps after which the weights are set back to their own average, see
            :mod:`cifar_core.training.lookahead`; 0 for never.
        initialisation: First weights: ``keras`` for its own (Glorot), ``whitening`` for the
            pictures' principal patches and He's variance, ``identity`` for patches and
            filters that pass their channel on, see :mod:`cifar_core.training.initialisation`.
        dropout: Factor on the network's own dropout rates; 1 leaves them as they are.
        label_smoothing: Share of the target spread evenly over all classes (Szegedy et al. 2016).
        crop_padding: Pixels of reflected border around an image before a random crop; 0 for none.
        flips: Flip images never, at random, or alternately: each in every second epoch, starting
            at random (Jordan 2024, "94% on CIFAR-10 in 3.29 seconds", section 3.2).
        monitored_split: The split measured after every epoch. ``validation`` is held out of
            the training pictures; ``test`` is what the tutorial does.
        validation_pictures: How many training pictures are held out (by class, evenly).
        training_pictures: Learn from only so many pictures, evenly by class; 0 for all.
        precision: ``auto`` takes bfloat16 where the processor computes it natively.
        dataset: A key of :data:`cifar_core.dataset.spec.DATASETS`.
    """

    name: Annotated[
        str, Meta(pattern=_NAME, description="letters, digits, dots, dashes, at most 80")
    ]
    network: str
    epochs: Annotated[int, Meta(ge=1, le=1000, description="a whole number of epochs")]
    batch_size: Annotated[int, Meta(ge=8, le=4096, description=_PICTURES)] = 128
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1, description="a whole number")] = 1
    learning_rate: Annotated[float, Meta(ge=1e-6, le=10, description="a number")] = 0.05
    schedule: Schedule = "cosine"
    decay: Annotated[float, Meta(ge=0, le=1, description="a number")] = 0.0
    warmup: Annotated[float, Meta(ge=0, le=0.9, description="a share of the training")] = 0.0
    momentum: Annotated[float, Meta(ge=0, le=0.999, description="a number")] = 0.9
    nesterov: bool = True
    weight_decay: Annotated[float, Meta(ge=0, le=1, description="a number")] = 0.0
    bias_rate: Annotated[float, Meta(ge=0, le=1000, description="a factor")] = 1.0
    lookahead: Annotated[int, Meta(ge=0, le=1000, description="a whole number of steps")] = 0
    initialisation: Initialisation = "keras"
    dropout: Annotated[float, Meta(ge=0, le=1.5, description="a factor")] = 1.0
    label_smoothing: Annotated[float, Meta(ge=0, le=0.9, description="a share")] = 0.0
    crop_padding: Annotated[int, Meta(ge=0, le=16, description="a whole number of pixels")] = 0
    flips: Flips = "none"
    monitored_split: MonitoredSplit = "validation"
    validation_pictures: Annotated[int, Meta(ge=0)] = 5000
    training_pictures: Annotated[int, Meta(ge=0)] = 0
    precision: Precision = "auto"
    dataset: str = CIFAR10.name

    @property
    def spec(self) -> DatasetSpec:
        """The dataset that is learned from."""
        return DATASETS[self.dataset]

    @property
    def learnt_pictures(self) -> int:
        """How many of the training pictures a run learns from."""
        held_out = self.validation_pictures if self.monitored_split == "validation" else 0
        return self.training_pictures or self.spec.train_images - held_out

    @property
    def anneals(self) -> bool:
        """Whether the learning rate falls to a small part of its peak by the last epoch."""
        return self.schedule != "inverse-time"

    def to_json(self) -> dict[str, Any]:
        """Returns plain values, ready for JSON; CIFAR-10 is not named: it was the only one."""
        values = dataclasses.asdict(self)
        named = values.pop("dataset")
        return values if named == CIFAR10.name else {**values, "dataset": named}


_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
"""A number as a person types it, with a point."""

_DECIMAL_COMMA = re.compile(r"0,\d+", re.ASCII)
"""Is no list of learning rates, for 0 is none: whoever types it means a decimal comma."""


def bounds(setting: str, dataset: DatasetSpec = CIFAR10) -> tuple[float, float]:
    """Returns the smallest and largest allowed value of a numeric setting."""
    (bound,) = _forms_of(dataset)[setting].__metadata__
    return bound.ge, bound.le


@functools.cache
def _forms() -> dict[str, Any]:
    """Returns the annotation of every setting."""
    return get_type_hints(Recipe, include_extras=True)


def _forms_of(dataset: DatasetSpec) -> dict[str, Any]:
    """Returns the annotations with the bounds of what is counted in a dataset's images."""
    half, whole = (
        Annotated[int, Meta(ge=0, le=most, description=_PICTURES)]
        for most in (dataset.train_images // 2, dataset.train_images)
    )
    return {**_forms(), "validation_pictures": half, "training_pictures": whole}


def recipe(name: str, network: str, **changes: Any) -> Recipe:
    """Returns a named recipe for a network, with changes.

    Args:
        name: A key of :data:`NAMED_RECIPES`.
        network: A key of :data:`cifar_core.networks.NETWORKS`.
        **changes: Settings of :class:`Recipe` that differ from the named recipe; ``None``
            keeps the recipe's own.

    Raises:
        RecipeError: The recipe, the network or a setting is unknown or out of bounds.
    """
    if name not in NAMED_RECIPES:
        raise RecipeError(
            f"There is no recipe “{name}”.",
            expected=f"Known recipes: {', '.join(NAMED_RECIPES)}.",
            remedy="Choose one of them.",
        )
    named = NAMED_RECIPES[name]
    given = {key: value for key, value in changes.items() if value is not None}
    own = {
        **named.settings,
        **named.own[_known_network(network)],
        "name": name,
        "network": network,
    }
    return from_json({**own, **given})


def read_number(text: str) -> float:
    """Returns the number a person typed; ``0,05`` is 0.05, any other comma could mean two things.

    Raises:
        RecipeError: It is no number, or has a comma that may be a decimal one or not.
    """
    word = text.strip()
    if _DECIMAL_COMMA.fullmatch(word):
        word = word.replace(",", ".")
    if _NUMBER.fullmatch(word):
        return float(word)
    if re.fullmatch(r"[\d.,]*,[\d.,]*", word, re.ASCII):
        raise RecipeError(
            f"The comma in “{word[:40]}” can be read in two ways.",
            expected="A decimal point in a number: 0.05. A blank or a semicolon between two: 1; 5.",
            remedy="Write it with a point, or with a blank.",
        )
    raise RecipeError(
        f"“{word[:40]}” is not a number.",
        expected="Expected is a number such as 0.05.",
        remedy="Correct it and start again.",
    )


def from_json(values: Mapping[str, Any]) -> Recipe:
    """Builds and checks a recipe from plain values, the inverse of :meth:`Recipe.to_json`.

    Raises:
        RecipeError: A setting is unknown, missing, of the wrong type or out of bounds.
    """
    unknown = sorted(set(values) - set(_forms()))
    if unknown:
        raise RecipeError(
            f"“{unknown[0][:80]}” is not a setting of a recipe.",
            expected=f"Known settings: {', '.join(_forms())}.",
            remedy="Correct the name or leave it out.",
        )
    for missing in ("name", "network", "epochs"):
        if missing not in values:
            raise RecipeError(
                f"The recipe has no “{missing}”.",
                expected="A recipe names at least name, network and epochs.",
                remedy=f"Add “{missing}”.",
            )
    _known_network(values["network"])
    dataset = values.get("dataset", CIFAR10.name)
    if not isinstance(dataset, str) or dataset not in DATASETS:
        raise _refusal("dataset", dataset, "one of " + ", ".join(DATASETS))
    forms = _forms_of(DATASETS[dataset])
    try:
        result = convert({key: _plain(values[key], forms[key]) for key in values}, Recipe, "recipe")
    except DecodeError as error:
        raise _refusal(error.key, values[error.key], _expected(forms[error.key])) from error
    _check_together(result)
    return result


def _known_network(name: object) -> str:
    if isinstance(name, str) and name in NETWORKS:
        return name
    raise RecipeError(
        f"There is no network “{str(name)[:200]}”.",
        expected=f"Known networks: {', '.join(NETWORKS)}.",
        remedy="Choose one of them.",
    )


def _plain(value: Any, form: Any) -> Any:
    """Returns 3.0 as 3 where a whole number is wanted, and text as what can be written."""
    if isinstance(value, float):
        is_whole = getattr(form, "__origin__", None) is int and value.is_integer()
        return int(value) if is_whole else float(value)
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def _expected(form: Any) -> str:
    """Returns in words which values a setting may have."""
    if form is bool:
        return "true or false"
    (meta,) = getattr(form, "__metadata__", (None,))
    if meta is None:
        return "one of " + ", ".join(get_args(form))
    if meta.le is None:
        return str(meta.description)
    low, high = (f"{bound:,.6f}".rstrip("0").rstrip(".") for bound in (meta.ge, meta.le))
    return f"{meta.description} from {low} to {high}"


def _check_together(recipe: Recipe) -> None:
    """Refuses settings that are fine alone and impossible together."""
    classes = recipe.spec.classes
    for key in ("validation_pictures", "training_pictures"):
        if getattr(recipe, key) > bounds(key, recipe.spec)[1]:
            raise _refusal(key, getattr(recipe, key), _expected(_forms_of(recipe.spec)[key]))
    if recipe.monitored_split == "validation" and recipe.validation_pictures < classes:
        raise _refusal(
            "validation_pictures",
            recipe.validation_pictures,
            f"at least {classes} pictures when the validation split is watched",
        )
    available = dataclasses.replace(recipe, training_pictures=0).learnt_pictures
    if recipe.training_pictures > available or 0 < recipe.training_pictures < classes:
        raise _refusal(
            "training_pictures",
            recipe.training_pictures,
            f"0 for all, or {classes} to {available:,}: what is not held out to watch",
        )


def _refusal(key: str, value: Any, expected: str) -> RecipeError:
    words = key.replace("_", " ")
    return RecipeError(
        f"The {words} {repr(value)[:200]} cannot be used.",
        expected=f"Expected is {expected}.",
        remedy=f"Change the {words} and start again.",
    )
