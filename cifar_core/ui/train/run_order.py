"""What the form asks for: one checked recipe for each learning rate and seed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cifar_core import recipes
from cifar_core.errors import RecipeError
from cifar_core.recipes import Recipe

MOST_RUNS = 20
"""What one press of the button starts at most."""


@dataclass(frozen=True)
class Order:
    """What the form asks for: one run for each recipe, all on one device."""

    recipes: tuple[Recipe, ...]
    device: str
    name: str


def read_rates(text: str) -> list[float]:
    """Returns the learning rates a person typed, each once, in their order.

    Args:
        text: One number, or several separated by blanks or semicolons, or by commas with a blank
            after them or between numbers that have a point.

    Raises:
        RecipeError: There is none, one of them is no number, or a comma may be a decimal one.
    """
    words = [part for part in re.split(r"\s*[;\s]\s*|,\s+", text.strip().rstrip(",;")) if part]
    rates = []
    for word in words:
        parts = word.split(",")
        # Points say that a comma between them is none; "1,000.5" has one in its last part only.
        is_list = len(parts) > 1 and all("." in part or "e" in part.lower() for part in parts)
        rates += [recipes.read_number(part) for part in (parts if is_list else [word])]
    if not rates:
        raise RecipeError(
            "There is no learning rate.",
            expected="Expected is a number such as 0.05.",
            remedy="Fill in the learning rate and start again.",
        )
    return list(dict.fromkeys(rates))


def recipes_of(base: Recipe, *, rates: Sequence[float], repeats: int) -> tuple[Recipe, ...]:
    """Returns one checked recipe for each learning rate and seed.

    Args:
        base: All other settings, and the first seed.
        rates: Learning rates.
        repeats: How many seeds, the first one included.

    Raises:
        RecipeError: A setting is out of bounds, or there would be too many runs.
    """
    number = len(rates) * repeats
    if number > MOST_RUNS:
        raise RecipeError(
            f"That would be {number} runs: {len(rates)} learning rates with {repeats} seeds each.",
            expected=f"At most {MOST_RUNS} runs are started at once.",
            remedy="Take fewer learning rates or fewer seeds.",
        )
    return tuple(
        recipes.from_json({**base.to_json(), "learning_rate": rate, "seed": base.seed + step})
        for rate in rates
        for step in range(repeats)
    )
