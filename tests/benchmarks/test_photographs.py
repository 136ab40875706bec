from __future__ import annotations

import numpy as np
import pytest

from benchmarks import foreign
from benchmarks.photograph_trials import FITS
from benchmarks.photographs import auroc, development_half


@pytest.mark.parametrize("family", foreign.FAMILIES)
def test_the_same_seed_draws_the_same_pictures_and_another_seed_others(family: str) -> None:
    first = foreign.draw(family, 4, seed=1)
    assert first.shape == (4, 32, 32, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, foreign.draw(family, 4, seed=1))
    assert not np.array_equal(first, foreign.draw(family, 4, seed=2))


def test_half_of_every_label_is_for_development_and_the_order_does_not_matter() -> None:
    names = [f"{n}.jpg" for n in range(20)]
    labels = [n % 2 for n in range(20)]
    chosen = development_half(names, labels)
    assert [int(chosen[label::2].sum()) for label in (0, 1)] == [5, 5]
    backwards = development_half(names[::-1], labels[::-1])
    np.testing.assert_array_equal(backwards[::-1], chosen)


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("size", [(40, 90), (64, 33), (5, 5)])
def test_every_way_gives_pictures_of_the_networks_size(name: str, size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    for made in FITS[name](pixels):
        assert made.shape == (32, 32, 3)
        assert made.dtype == np.uint8


def test_the_area_under_the_curve_is_the_share_of_pairs_in_the_right_order() -> None:
    generator = np.random.default_rng(2)
    usual = generator.normal(0, 1, 50).round(1)
    strange = generator.normal(1, 1, 30).round(1)
    above, ties = strange[:, None] > usual, strange[:, None] == usual
    assert ties.any()
    assert auroc(usual, strange) == pytest.approx((above + 0.5 * ties).mean(), abs=1e-12)
