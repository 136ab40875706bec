"""Figures from turns: medians, spreads, and ratios of neighbours in time."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Values = Sequence[float]


@dataclass(frozen=True)
class Target:
    """A figure that the lab means to reach.

    Attributes:
        words: What it is.
        at_least: The least it may be, or None.
        at_most: The most it may be, or None.
        scale: Factor from the measured unit to the shown one.
        form: Format of the shown value, with its unit.
    """

    words: str
    at_least: float | None = None
    at_most: float | None = None
    scale: float = 1.0
    form: str = "{:.2f}"

    def is_met(self, value: float) -> bool:
        """Says whether a measured value reaches the target."""
        low = self.at_least is None or value >= self.at_least
        return low and (self.at_most is None or value <= self.at_most)

    def show(self, value: float) -> str:
        """Returns a measured value with its unit."""
        return self.form.format(value * self.scale)

    def show_bound(self) -> str:
        """Returns the target itself in words."""
        if self.at_least is not None:
            return f"≥ {self.show(self.at_least)}"
        return f"≤ {self.show(self.at_most)}" if self.at_most is not None else ""


def summarise(values: Values) -> dict[str, Any]:
    """Returns median, smallest, largest, relative spread and the values themselves.

    The spread is half the distance between the quartiles, as a share of the median.

    Raises:
        ValueError: There are no values, or one is negative or not finite.
    """
    if not values or any(not math.isfinite(value) or value < 0 for value in values):
        raise ValueError(f"no figures: {list(values)}")
    median = statistics.median(values)
    low, high = _quantile(values, 0.25), _quantile(values, 0.75)
    return {
        "median": median,
        "min": min(values),
        "max": max(values),
        "spread": (high - low) / 2 / median if median else 0.0,
        "values": list(values),
    }


def ratio(above: Values, below: Values) -> dict[str, Any]:
    """Returns the summary of the ratios of each turn to its neighbour in the same round.

    A machine that others use too is faster in one minute than in the next; what was measured
    seconds apart had nearly the same machine.

    Raises:
        ValueError: The rounds differ in number.
        ZeroDivisionError: A figure below the line is zero.
    """
    return summarise([a / b for a, b in zip(above, below, strict=True)])


def percentile(values: Values, share: float) -> float:
    """Returns the value below which a share of the values lies, linearly interpolated.

    Raises:
        ValueError: There are no values.
    """
    if not values:
        raise ValueError("no values")
    return _quantile(values, share)


def training_ratios(
    rounds: Mapping[str, Sequence[Mapping[str, float]]], training_flops: int
) -> dict[str, Any]:
    """Returns what the rounds of one network say.

    Args:
        rounds: Of ``T``, ``K``, ``G`` and, where PyTorch is there, ``P``.
        training_flops: Floating-point operations to train on one picture once.

    Returns:
        The summaries ``K/T``, ``K/P`` (None without PyTorch), ``gemm_share`` and
        ``images_per_second`` (of T, K, P) and ``gemm_flops`` (of float32, bfloat16).
    """

    def take(name: str, key: str = "images_per_second") -> list[float]:
        return [turn[key] for turn in rounds[name]]

    runners = [name for name in ("T", "K", "P") if name in rounds]
    peak = take("G", "bfloat16_flops")
    return {
        "K/T": ratio(take("K"), take("T")),
        "K/P": ratio(take("K"), take("P")) if "P" in rounds else None,
        "gemm_share": ratio([value * training_flops for value in take("K")], peak),
        "images_per_second": {name: summarise(take(name)) for name in runners},
        "gemm_flops": {
            "float32": summarise(take("G", "float32_flops")),
            "bfloat16": summarise(peak),
        },
    }


def first_epoch_at(
    rows: Sequence[Any], accuracy: float, *, of: Callable[[Any], float | None]
) -> Any | None:
    """Returns the first row of an epoch's end whose accuracy reaches a target, or None."""
    for row in rows:
        value = of(row)
        if row.kind == "epoch" and value is not None and value >= accuracy:
            return row
    return None


def _quantile(values: Values, share: float) -> float:
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
