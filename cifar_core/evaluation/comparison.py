"""Two models or several seeds side by side: is the difference real, who sees what, how fast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from cifar_core.evaluation.metrics import Interval, wilson
from cifar_core.evaluation.predictions import Integers, checked_labels, refuse_nothing
from cifar_core.formats import percent

LEVELS: Final = (0.6, 0.7, 0.8, 0.85)

SIGNIFICANT: Final = 0.05
"""Below this a difference is called real; the convention."""


@dataclass(frozen=True)
class Agreement:
    """The pictures of a split by which of two models names them correctly, as positions.

    Attributes:
        both_right: Positions (m,) that both name correctly.
        only_a: Those only the first names correctly.
        only_b: Those only the second names correctly.
        both_wrong: Those neither does.
    """

    both_right: Integers
    only_a: Integers
    only_b: Integers
    both_wrong: Integers


@dataclass(frozen=True)
class PairedDifference:
    """Two models on the same pictures, and whether they truly differ.

    Attributes:
        total: Pictures both were asked about.
        both_right: Pictures both named correctly.
        only_a: Pictures only the first named correctly.
        only_b: Pictures only the second named correctly.
        difference: Accuracy of the first minus accuracy of the second.
        interval: 95% interval of that difference.
        p_value: How often chance alone splits ``only_a + only_b`` this unevenly or more:
            McNemar's test, exact and two-sided.
    """

    total: int
    both_right: int
    only_a: int
    only_b: int
    difference: float
    interval: Interval
    p_value: float

    def sentence(self, name_a: str, name_b: str) -> str:
        """Returns the outcome in words a stakeholder understands."""
        right_a = percent((self.both_right + self.only_a) / self.total)
        right_b = percent((self.both_right + self.only_b) / self.total)
        pictures = "picture" if self.total == 1 else "pictures"
        start = (
            f"Of {self.total:,} {pictures}, {name_a} names {right_a} correctly and {name_b} "
            f"{right_b}: "
        )
        if self.only_a == self.only_b:
            return f"{start}no difference ({_range(self.interval, 1)})."
        better = name_a if self.difference > 0 else name_b
        sign = 1 if self.difference > 0 else -1
        points = f"{100 * abs(self.difference):.1f}"
        lead = f"{better} leads by {points} percentage points ({_range(self.interval, sign)})"
        if self.p_value < SIGNIFICANT:
            return (
                f"{start}{lead}. That is a real difference: were both equally good, chance "
                f"would produce a gap this large {_how_often(self.p_value)} (McNemar's exact test)."
            )
        return (
            f"{start}{lead}. That may be chance: two equally good models would differ this much "
            f"{_how_often(self.p_value)} (McNemar's exact test)."
        )


@dataclass(frozen=True)
class Reached:
    """When an accuracy was first reached; ``None`` where it never was.

    Attributes:
        level: The accuracy, from 0 to 1.
        epoch: The first epoch with at least that accuracy, counted from 1.
        seconds: Time of training until the end of that epoch.
    """

    level: float
    epoch: int | None
    seconds: float | None


@dataclass(frozen=True)
class Spread:
    """A figure over several seeds.

    Attributes:
        count: Runs.
        mean: Their mean.
        deviation: Their sample standard deviation (n - 1); ``None`` for a single run.
    """

    count: int
    mean: float
    deviation: float | None

    def words(self) -> str:
        """Returns an accuracy over seeds for a person: ``83.2% ± 0.3 (3 seeds)``."""
        if self.deviation is None:
            return f"{percent(self.mean)} (1 seed)"
        return f"{percent(self.mean)} ± {100 * self.deviation:.1f} ({self.count} seeds)"


def agreement(labels: ArrayLike, predicted_a: ArrayLike, predicted_b: ArrayLike) -> Agreement:
    """Returns which pictures both, one or neither of two models name correctly.

    Args:
        labels: True classes (n,).
        predicted_a: What the first model says (n,).
        predicted_b: What the second model says (n,), about the same pictures.

    Raises:
        PredictionsError: The three do not fit together.
    """
    true = checked_labels(labels)
    a = checked_labels(predicted_a, pictures=len(true)) == true
    b = checked_labels(predicted_b, pictures=len(true)) == true

    def positions(which: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Integers:
        found: Integers = np.flatnonzero(which).astype(np.int64)
        return found

    return Agreement(
        both_right=positions(a & b),
        only_a=positions(a & ~b),
        only_b=positions(~a & b),
        both_wrong=positions(~a & ~b),
    )


def mcnemar(labels: ArrayLike, predicted_a: ArrayLike, predicted_b: ArrayLike) -> PairedDifference:
    """Returns whether two models truly differ on the same pictures.

    McNemar's test looks only at the pictures on which the two disagree about being right; the
    exact form asks the binomial distribution (Q. McNemar, Psychometrika 12, 1947).

    Raises:
        PredictionsError: There are no pictures, or the three do not fit together.
    """
    groups = agreement(labels, predicted_a, predicted_b)
    return paired_difference(
        both_right=len(groups.both_right),
        only_a=len(groups.only_a),
        only_b=len(groups.only_b),
        both_wrong=len(groups.both_wrong),
    )


def paired_difference(
    *, both_right: int, only_a: int, only_b: int, both_wrong: int
) -> PairedDifference:
    """Returns the same as :func:`mcnemar` from the four counts.

    Raises:
        PredictionsError: There are no pictures.
    """
    # Not scipy.stats.binomtest: importing that takes most of a second at the first visit.
    from scipy.special import bdtr

    total = both_right + only_a + only_b + both_wrong
    refuse_nothing(total)
    discordant = only_a + only_b
    return PairedDifference(
        total=total,
        both_right=both_right,
        only_a=only_a,
        only_b=only_b,
        difference=(only_a - only_b) / total,
        interval=_newcombe(both_right, only_a, only_b, both_wrong),
        # Both tails of a fair coin are equal; with as many heads as tails they overlap.
        p_value=min(1.0, 2 * float(bdtr(min(only_a, only_b), discordant, 0.5))),
    )


def best_epoch(accuracies: Sequence[float]) -> int | None:
    """Returns the first epoch of the highest accuracy, counted from 1.

    Args:
        accuracies: One per epoch; not-a-number where none was measured.

    Returns:
        The epoch, or ``None`` when nothing was measured.
    """
    measured = [value if math.isfinite(value) else -math.inf for value in accuracies]
    if not measured or max(measured) == -math.inf:
        return None
    return measured.index(max(measured)) + 1


def time_to_accuracy(
    accuracies: Sequence[float],
    seconds: Sequence[float],
    levels: Sequence[float] = LEVELS,
) -> tuple[Reached, ...]:
    """Returns when each accuracy was first reached.

    Args:
        accuracies: After each epoch; not-a-number where none was measured.
        seconds: Time of training until the end of each epoch, without waiting.
        levels: Accuracies to look for, from 0 to 1.

    Raises:
        ValueError: There is not one time per accuracy.
    """
    if len(accuracies) != len(seconds):
        raise ValueError(f"{len(accuracies)} accuracies have {len(seconds)} times; give one each.")
    found = []
    for level in levels:
        epoch = next(
            (place for place, value in enumerate(accuracies, start=1) if value >= level), None
        )
        found.append(Reached(level, epoch, None if epoch is None else float(seconds[epoch - 1])))
    return tuple(found)


def over_seeds(figures: Sequence[float]) -> Spread:
    """Returns mean and sample standard deviation of one figure over several seeds.

    Raises:
        ValueError: There is no figure, or one is not a number.
    """
    values = np.asarray(figures, np.float64)
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("Seeds are averaged over at least one figure, each a number.")
    deviation = float(values.std(ddof=1)) if values.size > 1 else None
    return Spread(int(values.size), float(values.mean()), deviation)


def _newcombe(both_right: int, only_a: int, only_b: int, both_wrong: int) -> Interval:
    """Returns the 95% interval of the difference of two paired shares.

    Source: R. G. Newcombe, "Improved confidence intervals for the difference between binomial
    proportions based on paired data", Statistics in Medicine 17, 1998, method 10: the Wilson
    intervals of both shares, joined with a correction for their correlation.
    """
    total = both_right + only_a + only_b + both_wrong
    right_a, right_b = both_right + only_a, both_right + only_b
    share_a, share_b = right_a / total, right_b / total
    of_a, of_b = wilson(right_a, total), wilson(right_b, total)
    product = right_a * (total - right_a) * right_b * (total - right_b)
    surplus = both_right * both_wrong - only_a * only_b
    excess = min(surplus, max(surplus - total / 2, 0.0))
    correlation = excess / math.sqrt(product) if product else 0.0

    def reach(one: float, other: float) -> float:
        squared = one * one - 2 * correlation * one * other + other * other
        return math.sqrt(max(squared, 0.0))

    difference = (only_a - only_b) / total
    return Interval(
        low=max(-1.0, difference - reach(share_a - of_a.low, of_b.high - share_b)),
        high=min(1.0, difference + reach(of_a.high - share_a, share_b - of_b.low)),
        method="Newcombe 1998, method 10, 95%",
    )


def _range(interval: Interval, sign: int) -> str:
    """Returns an interval of a difference in points, from the side of the better model."""
    ends = sorted((sign * interval.low, sign * interval.high))
    low, high = (f"{100 * end:.1f}".replace("-", "−") for end in ends)
    return f"95% interval {low} to {high}"


def _how_often(p_value: float) -> str:
    """Returns a probability in words."""
    if p_value < 0.001:
        return "less than once in a thousand tries"
    if p_value < 0.1:
        return f"about once in {round(1 / p_value):,} tries"
    return f"in about {100 * p_value:.0f} of 100 tries"
