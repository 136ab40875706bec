"""Shifting and mirroring: exact against a plain loop, and a function of seed and epoch alone."""

from __future__ import annotations

import numpy as np
import pytest

from cifar_core.dataset.augmentation import EpochPlan, cut, pad, plan_epoch
from cifar_core.recipes import Recipe, recipe

PICTURES = 60


def images(count: int = PICTURES) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (count, 32, 32, 3), np.uint8)


def a_recipe(**changes: object) -> Recipe:
    return recipe("standard", "cnn4", **changes)


def cut_plainly(padded: np.ndarray, plan: EpochPlan, position: int) -> np.ndarray:
    """One picture of a plan, written down as it is described."""
    top, left = plan.rows[position], plan.columns[position]
    height, width = (side - 2 * plan.padding for side in padded.shape[1:3])
    picture = padded[plan.order[position], top : top + height, left : left + width]
    return picture[:, ::-1] if plan.flips[position] else picture


@pytest.mark.parametrize("padding", [0, 1, 4, 16])
@pytest.mark.parametrize("flips", ["none", "random", "alternating"])
def test_every_picture_is_the_one_a_plain_loop_cuts(padding: int, flips: str) -> None:
    padded = pad(images(), padding)
    plan = plan_epoch(a_recipe(crop_padding=padding, flips=flips), PICTURES, 3)
    shown = cut(padded, plan, 0, PICTURES)
    for position in range(PICTURES):
        np.testing.assert_array_equal(shown[position], cut_plainly(padded, plan, position))


@pytest.mark.parametrize("shape", [(8, 8, 1), (12, 20, 3), (9, 7, 2)])
@pytest.mark.parametrize("padding", [0, 3])
def test_images_of_any_shape_keep_it(padding: int, shape: tuple[int, ...]) -> None:
    source = np.random.default_rng(5).integers(0, 256, (PICTURES, *shape), np.uint8)
    border = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    padded = pad(source, padding)
    np.testing.assert_array_equal(padded, np.pad(source, border, mode="reflect"))
    plan = plan_epoch(a_recipe(crop_padding=padding, flips="random"), PICTURES, 3)
    shown = cut(padded, plan, 0, PICTURES)
    assert shown.shape == source.shape
    for position in range(PICTURES):
        np.testing.assert_array_equal(shown[position], cut_plainly(padded, plan, position))


@pytest.mark.parametrize("border", [0, 1, 17, PICTURES - 1, PICTURES])
def test_two_stretches_show_what_one_shows(border: int) -> None:
    padded, plan = pad(images(), 4), plan_epoch(a_recipe(), PICTURES, 0)
    parts = (cut(padded, plan, 0, border), cut(padded, plan, border, PICTURES))
    np.testing.assert_array_equal(np.concatenate(parts), cut(padded, plan, 0, PICTURES))


def test_cutting_changes_no_source_picture() -> None:
    for padding in (0, 4):
        padded = pad(images(), padding)
        before = padded.copy()
        cut(padded, plan_epoch(a_recipe(crop_padding=padding), PICTURES, 1), 0, PICTURES)
        np.testing.assert_array_equal(padded, before)


def test_the_border_mirrors_the_picture_without_repeating_its_edge() -> None:
    expected = np.pad(images(), ((0, 0), (4, 4), (4, 4), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(pad(images(), 4), expected)


def test_a_plan_follows_from_seed_and_epoch() -> None:
    first, again = (plan_epoch(a_recipe(seed=9), PICTURES, 4) for _ in range(2))
    for name in ("order", "rows", "columns", "flips"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


@pytest.mark.parametrize("change", [{"seed": 10, "epoch": 4}, {"seed": 9, "epoch": 5}])
def test_another_seed_or_epoch_gives_another_plan(change: dict[str, int]) -> None:
    first = plan_epoch(a_recipe(seed=9), PICTURES, 4)
    other = plan_epoch(a_recipe(seed=change["seed"]), PICTURES, change["epoch"])
    assert not np.array_equal(first.order, other.order)
    assert not np.array_equal(first.rows, other.rows)
    assert not np.array_equal(first.columns, other.columns)


def test_every_picture_is_shown_once_in_an_epoch() -> None:
    plan = plan_epoch(a_recipe(), PICTURES, 2)
    assert sorted(plan.order) == list(range(PICTURES))


def test_alternating_flips_mirror_each_picture_in_every_second_epoch() -> None:
    seen = np.zeros((4, PICTURES), bool)
    for epoch in range(4):
        plan = plan_epoch(a_recipe(flips="alternating"), PICTURES, epoch)
        seen[epoch, plan.order] = plan.flips
    np.testing.assert_array_equal(seen[0], ~seen[1])
    np.testing.assert_array_equal(seen[0], seen[2])
    np.testing.assert_array_equal(seen[1], seen[3])
    assert 0 < seen[0].sum() < PICTURES


def test_every_shift_there_is_comes_up() -> None:
    plan = plan_epoch(a_recipe(crop_padding=4), 5000, 0)
    assert set(plan.rows) == set(plan.columns) == set(range(9))
