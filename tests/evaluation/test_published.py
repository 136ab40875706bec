from __future__ import annotations

import numpy as np
import pytest

from cifar_core.evaluation import published
from cifar_core.evaluation.metrics import share


def test_as_printed_only_the_horses_of_cnn4_do_not_sum_to_a_thousand() -> None:
    rows = published.published_matrix("cnn4", corrected=False).sum(axis=1)
    assert rows.tolist() == [1000] * 7 + [964] + [1000] * 2


@pytest.mark.parametrize("network", ["cnn4", "cnn6"])
def test_corrected_every_class_has_a_thousand_pictures(network: str) -> None:
    assert (published.published_matrix(network).sum(axis=1) == 1000).all()


def test_the_correction_changes_one_cell() -> None:
    difference = published.published_matrix("cnn4") - published.published_matrix(
        "cnn4", corrected=False
    )
    assert np.argwhere(difference).tolist() == [[7, 7]]
    assert difference[7, 7] == 673 - 637


@pytest.mark.parametrize(
    ("network", "corrected", "right"),
    [("cnn4", False, 6670), ("cnn4", True, 6706), ("cnn6", False, 6866), ("cnn6", True, 6866)],
)
def test_the_diagonals_have_the_published_sums(network: str, corrected: bool, right: int) -> None:
    assert np.trace(published.published_matrix(network, corrected=corrected)) == right


def test_a_caller_cannot_change_the_published_figures() -> None:
    published.published_matrix("cnn6")[0, 0] = 0
    assert published.published_matrix("cnn6")[0, 0] == 736


def test_the_misprint_is_explained_with_its_numbers() -> None:
    text = published.misprint()
    for number in ("964", "637", "673", "6,670 of 9,964", "6,706 of 10,000"):
        assert number in text


def test_the_claim_is_held_against_the_matrices() -> None:
    text = " ".join(published.claim_check())
    parts = (
        "80%",
        "67.1% ± 0.9",
        "68.7% ± 0.9",
        "11.3 percentage points",
        "8,000 right answers",
        "(66.9%)",
    )
    for part in (*parts, "1,294 more than CNN-4 has", "1,134 more than CNN-6", "ten 68.7% is 70%"):
        assert part in text


def test_the_better_network_stays_below_the_claim_even_at_its_interval() -> None:
    assert published.published("cnn6").accuracy.interval.high < published.CLAIMED_ACCURACY


def test_an_unknown_network_is_no_published_one() -> None:
    with pytest.raises(KeyError):
        published.published("cnn8")


def test_a_run_is_held_against_the_tutorials_network_with_an_interval() -> None:
    distance, claim, _ = published.against_published("cnn6", share(8300, 10_000), "Mine")
    assert "Mine names 83.0% ± 0.7" in distance
    assert "68.7% ± 0.9: 14.3 percentage points more (95% interval 13.2 to 15.5" in distance
    assert "8,300 right answers are at least 80%" in claim


def test_a_run_below_the_tutorial_is_said_to_be_less() -> None:
    distance, claim, _ = published.against_published("cnn4", share(6690, 10_000), "CNN-4 x")
    assert distance.startswith("CNN-4 x names 66.9% ± 0.9")
    assert "0.2 percentage points less (95% interval −1.1 to 1.5" in distance
    assert "1,310 more right answers" in claim


def test_the_unpaired_interval_is_newcombes_printed_example() -> None:
    # R. G. Newcombe 1998, table II, method 10: 56/70 against 48/80 gives 0.0524 to 0.3339.
    interval = published.unpaired_interval(share(56, 70), share(48, 80))
    assert (interval.low, interval.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
