from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom

from cifar_core.evaluation import comparison
from cifar_core.evaluation.predictions import PredictionsError


@pytest.mark.parametrize(
    ("counts", "interval"),
    [
        # Newcombe 1998, Statistics in Medicine 17: 2635, method 10: 36, 12, 2, 0 of 50.
        ((36, 12, 2, 0), (0.0569, 0.3404)),
        # Bentur et al. 2009 in Fagerland, Lydersen & Laake, "Statistical Analysis of
        # Contingency Tables", chapter 8: Newcombe's square-and-add interval.
        ((1, 1, 7, 12), (-0.5069, -0.0256)),
    ],
)
def test_the_interval_is_the_published_one(
    counts: tuple[int, int, int, int], interval: tuple[float, float]
) -> None:
    both, only_a, only_b, neither = counts
    found = comparison.paired_difference(
        both_right=both, only_a=only_a, only_b=only_b, both_wrong=neither
    )
    assert (found.interval.low, found.interval.high) == pytest.approx(interval, abs=5e-5)
    assert "Newcombe" in found.interval.method


@pytest.mark.parametrize(("only_a", "only_b"), [(1, 7), (7, 1), (0, 5), (40, 62), (3, 3)])
def test_mcnemars_p_value_is_twice_the_smaller_tail(only_a: int, only_b: int) -> None:
    tail = binom.cdf(min(only_a, only_b), only_a + only_b, 0.5)
    found = comparison.paired_difference(both_right=10, only_a=only_a, only_b=only_b, both_wrong=10)
    assert found.p_value == pytest.approx(min(1.0, 2 * tail), abs=1e-9)


def test_models_that_agree_everywhere_do_not_differ() -> None:
    labels = np.arange(10)
    found = comparison.mcnemar(labels, labels, labels)
    assert (found.p_value, found.difference) == (1.0, 0.0)
    assert found.interval.low <= 0.0 <= found.interval.high
    assert "no difference" in found.sentence("CNN-4", "CNN-6")


@pytest.mark.parametrize(
    "counts", [(1, 0, 0, 0), (0, 0, 0, 1), (0, 1, 0, 0), (0, 0, 30, 0), (10, 0, 0, 10)]
)
def test_the_interval_stays_possible_and_around_the_difference(
    counts: tuple[int, int, int, int],
) -> None:
    both, only_a, only_b, neither = counts
    found = comparison.paired_difference(
        both_right=both, only_a=only_a, only_b=only_b, both_wrong=neither
    )
    assert -1 <= found.interval.low <= found.difference <= found.interval.high <= 1


def test_swapping_the_models_turns_the_difference_round() -> None:
    random = np.random.default_rng(2)
    labels, a, b = random.integers(0, 10, (3, 500))
    one, other = comparison.mcnemar(labels, a, b), comparison.mcnemar(labels, b, a)
    assert one.p_value == pytest.approx(other.p_value, abs=1e-12)
    assert one.difference == -other.difference
    assert one.interval.low == pytest.approx(-other.interval.high, abs=1e-12)


def test_a_real_difference_is_told_as_one() -> None:
    found = comparison.paired_difference(both_right=8200, only_a=650, only_b=350, both_wrong=800)
    assert found.sentence("CNN-6", "CNN-4") == (
        "Of 10,000 pictures, CNN-6 names 88.5% correctly and CNN-4 85.5%: CNN-6 leads by 3.0 "
        "percentage points (95% interval 2.4 to 3.6). That is a real difference: were both "
        "equally good, chance would produce a gap this large less than once in a thousand "
        "tries (McNemar's exact test)."
    )


def test_what_may_be_chance_is_told_as_that_from_the_side_of_the_leader() -> None:
    found = comparison.paired_difference(both_right=8200, only_a=340, only_b=350, both_wrong=1110)
    text = found.sentence("CNN-6", "CNN-4")
    assert "CNN-4 leads by 0.1 percentage points (95% interval −0.4 to 0.6)" in text
    assert "may be chance" in text


def test_every_picture_is_in_one_of_the_four_groups() -> None:
    random = np.random.default_rng(0)
    labels, a, b = random.integers(0, 3, (3, 200))
    groups = comparison.agreement(labels, a, b)
    everything = np.concatenate(
        [groups.both_right, groups.only_a, groups.only_b, groups.both_wrong]
    )
    assert sorted(everything) == list(range(200))
    assert (a[groups.only_a] == labels[groups.only_a]).all()
    assert (b[groups.only_a] != labels[groups.only_a]).all()
    assert (b[groups.only_b] == labels[groups.only_b]).all()


def test_predictions_on_different_splits_are_not_compared() -> None:
    with pytest.raises(PredictionsError, match="5 labels for 4"):
        comparison.agreement([0] * 4, [0] * 4, [0] * 5)


def test_no_pictures_cannot_differ() -> None:
    with pytest.raises(PredictionsError, match="no pictures"):
        comparison.mcnemar([], [], [])


@pytest.mark.parametrize(
    ("accuracies", "epoch"),
    [([], None), ([math.nan], None), ([0.5, 0.7, 0.7], 2), ([math.nan, 0.4], 2), ([0.0], 1)],
)
def test_the_best_epoch_is_the_first_of_the_highest(
    accuracies: list[float], epoch: int | None
) -> None:
    assert comparison.best_epoch(accuracies) == epoch


def test_the_time_to_an_accuracy_is_that_of_the_first_epoch_that_has_it() -> None:
    reached = comparison.time_to_accuracy([0.5, math.nan, 0.72, 0.69, 0.81], [10, 20, 30, 40, 50])
    assert [(item.level, item.epoch, item.seconds) for item in reached] == [
        (0.6, 3, 30.0),
        (0.7, 3, 30.0),
        (0.8, 5, 50.0),
        (0.85, None, None),
    ]


def test_times_and_accuracies_go_in_pairs() -> None:
    with pytest.raises(ValueError, match="one each"):
        comparison.time_to_accuracy([0.5], [])


def test_seeds_have_a_mean_and_a_sample_deviation() -> None:
    spread = comparison.over_seeds([0.83, 0.84, 0.82])
    assert (spread.mean, spread.deviation) == pytest.approx((0.83, 0.01), abs=1e-9)
    assert spread.words() == "83.0% ± 1.0 (3 seeds)"


def test_one_seed_has_no_deviation() -> None:
    assert comparison.over_seeds([0.83]).deviation is None


@pytest.mark.parametrize("figures", [[], [0.8, math.nan]])
def test_seeds_without_figures_are_refused(figures: list[float]) -> None:
    with pytest.raises(ValueError, match="figure"):
        comparison.over_seeds(figures)
