"""Recipes: every setting of a training, as data.

A recipe knows nothing of Keras, so the web process can read, check and write one. The recipes of
:mod:`cifar_core.named_recipes` are starting points; :func:`recipe` combines one with a person's
changes and refuses what cannot work.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from cifar_core.errors import RecipeError
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS

Schedule = Literal["inverse-time", "cosine", "triangular"]
Flips = Literal["none", "random", "alternating"]
Initialisation = Literal["keras", "whitening", "identity"]
MonitoredSplit = Literal["validation", "test"]
Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Every number needed to repeat a training.

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
        label_smoothing: Share of the target spread evenly over the ten classes
            (Szegedy et al. 2016).
        crop_padding: Pixels of reflected border around a picture before a random 32 × 32
            crop; 0 leaves pictures where they are.
        flips: Mirror pictures never, at random, or alternately: each picture is mirrored in
            every second epoch, starting at random (Jordan 2024, "94% on CIFAR-10 in 3.29
            seconds", section 3.2).
        monitored_split: The split measured after every epoch. ``validation`` is held out of
            the training pictures; ``test`` is what the tutorial does.
        validation_pictures: How many training pictures are held out (by class, evenly).
        training_pictures: Learn from only so many pictures, evenly by class; 0 for all.
        precision: ``auto`` takes bfloat16 where the processor computes it natively.
    """

    name: str
    network: str
    epochs: int
    batch_size: int = 128
    seed: int = 1
    learning_rate: float = 0.05
    schedule: Schedule = "cosine"
    decay: float = 0.0
    warmup: float = 0.0
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 0.0
    bias_rate: float = 1.0
    lookahead: int = 0
    initialisation: Initialisation = "keras"
    dropout: float = 1.0
    label_smoothing: float = 0.0
    crop_padding: int = 0
    flips: Flips = "none"
    monitored_split: MonitoredSplit = "validation"
    validation_pictures: int = 5000
    training_pictures: int = 0
    precision: Precision = "auto"

    @property
    def learnt_pictures(self) -> int:
        """How many of the 50,000 training pictures a run learns from."""
        held_out = self.validation_pictures if self.monitored_split == "validation" else 0
        return self.training_pictures or 50_000 - held_out

    @property
    def anneals(self) -> bool:
        """Whether the learning rate falls to a small part of its peak by the last epoch."""
        return self.schedule != "inverse-time"

    def to_json(self) -> dict[str, Any]:
        """Returns the recipe as plain values, ready for JSON."""
        return dataclasses.asdict(self)


_BOUNDS: Mapping[str, tuple[float, float, str]] = {
    "epochs": (1, 1000, "a whole number of epochs from 1 to 1,000"),
    "batch_size": (8, 4096, "a whole number of pictures from 8 to 4,096"),
    "seed": (0, 2**31 - 1, "a whole number from 0 to 2,147,483,647"),
    "learning_rate": (1e-6, 10.0, "a number from 0.000001 to 10"),
    "decay": (0.0, 1.0, "a number from 0 to 1"),
    "warmup": (0.0, 0.9, "a share of the training from 0 to 0.9"),
    "momentum": (0.0, 0.999, "a number from 0 to 0.999"),
    "weight_decay": (0.0, 1.0, "a number from 0 to 1"),
    "bias_rate": (0.0, 1000.0, "a factor from 0 to 1,000"),
    "lookahead": (0, 1000, "a whole number of steps from 0 (never) to 1,000"),
    "dropout": (0.0, 1.5, "a factor from 0 to 1.5"),
    "label_smoothing": (0.0, 0.9, "a share from 0 to 0.9"),
    "crop_padding": (0, 16, "a whole number of pixels from 0 to 16"),
    "validation_pictures": (0, 25_000, "a whole number of pictures from 0 to 25,000"),
    "training_pictures": (0, 50_000, "a whole number of pictures from 0 (all) to 50,000"),
}
_NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
"""A number as a person types it, with a point."""

_DECIMAL_COMMA = re.compile(r"0,\d+", re.ASCII)
"""Is no list of learning rates, for 0 is none: whoever types it means a decimal comma."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
"""A recipe's name becomes part of the name of a run's folder."""

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "schedule": ("inverse-time", "cosine", "triangular"),
    "flips": ("none", "random", "alternating"),
    "initialisation": ("keras", "whitening", "identity"),
    "monitored_split": ("validation", "test"),
    "precision": ("auto", "float32", "bfloat16"),
}


def bounds(setting: str) -> tuple[float, float]:
    """Returns the smallest and largest allowed value of a numeric setting."""
    low, high, _ = _BOUNDS[setting]
    return low, high


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
        **named.own[_checked("network", network, "str")],
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
    fields = {field.name: field for field in dataclasses.fields(Recipe)}
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise RecipeError(
            f"“{unknown[0]}” is not a setting of a recipe.",
            expected=f"Known settings: {', '.join(fields)}.",
            remedy="Correct the name or leave it out.",
        )
    for missing in ("name", "network", "epochs"):
        if missing not in values:
            raise RecipeError(
                f"The recipe has no “{missing}”.",
                expected="A recipe names at least name, network and epochs.",
                remedy=f"Add “{missing}”.",
            )
    checked = {key: _checked(key, value, str(fields[key].type)) for key, value in values.items()}
    result = Recipe(**checked)
    _check_together(result)
    return result


def _checked(key: str, value: Any, type_name: str) -> Any:
    """Returns one setting in its own type, or says what is wrong with it."""
    if key == "network" and (not isinstance(value, str) or value not in NETWORKS):
        raise RecipeError(
            f"There is no network “{value}”.",
            expected=f"Known networks: {', '.join(NETWORKS)}.",
            remedy="Choose one of them.",
        )
    if key in _CHOICES:
        if value not in _CHOICES[key]:
            raise _refusal(key, value, "one of " + ", ".join(_CHOICES[key]))
        return value
    if key not in _BOUNDS:
        if key == "name" and not (isinstance(value, str) and _NAME.fullmatch(value)):
            raise _refusal(key, value, "letters, digits, dots, dashes, at most 80 of them")
        wanted = bool if type_name == "bool" else str
        if not isinstance(value, wanted):
            raise _refusal(key, value, "true or false" if wanted is bool else "text")
        return value
    low, high, expected = _BOUNDS[key]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _refusal(key, value, expected)
    fractional = type_name == "int" and isinstance(value, float) and not value.is_integer()
    if fractional or not low <= value <= high:  # not-a-number fails the second
        raise _refusal(key, value, expected)
    return int(value) if type_name == "int" else float(value)


def _check_together(recipe: Recipe) -> None:
    """Refuses settings that are fine alone and impossible together."""
    if recipe.monitored_split == "validation" and recipe.validation_pictures < 10:
        raise _refusal(
            "validation_pictures",
            recipe.validation_pictures,
            "at least 10 pictures when the validation split is watched",
        )

    available = dataclasses.replace(recipe, training_pictures=0).learnt_pictures
    if recipe.training_pictures > available or 0 < recipe.training_pictures < 10:
        raise _refusal(
            "training_pictures",
            recipe.training_pictures,
            f"0 for all, or 10 to {available:,}: what is not held out to watch",
        )


def _refusal(key: str, value: Any, expected: str) -> RecipeError:
    words = key.replace("_", " ")
    return RecipeError(
        f"The {words} {value!r} cannot be used.",
        expected=f"Expected is {expected}.",
        remedy=f"Change the {words} and start again.",
    )
