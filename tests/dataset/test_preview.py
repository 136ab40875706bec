from __future__ import annotations

import numpy as np
import pytest

from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.dataset.augmentation import cut, pad, plan_epoch
from cifar_core.dataset.preview import preview
from cifar_core.dataset.sample import load_labels, load_sample
from cifar_core.dataset.splits import divide, positions
from cifar_core.recipes import Recipe, recipe

EPOCHS = 3


@pytest.mark.parametrize(
    "chosen",
    [
        recipe("standard", "cnn4"),
        recipe("standard", "cnn4", training_pictures=3000),
        recipe("tutorial", "cnn4"),
    ],
    ids=["held out", "few", "all"],
)
def test_the_learned_pictures_are_those_of_a_training(chosen: Recipe) -> None:
    labels, test = load_labels()
    blank = np.zeros((50_000, 1), np.uint8)
    dataset = Dataset(
        Split("train", blank, labels, np.arange(50_000)),
        Split("test", blank[:10_000], test, np.arange(10_000)),
        is_sample=False,
        source="",
        digest="",
    )
    assert (positions(chosen, labels)[0] == divide(chosen, dataset)[0].indices).all()


def test_a_picture_is_shown_as_the_pipeline_cuts_it() -> None:
    chosen = recipe("standard", "cnn4", training_pictures=200)
    labels, _ = load_labels()
    learned = positions(chosen, labels)[0]
    pictures = np.random.default_rng(0).integers(0, 256, (200, 32, 32, 3), dtype=np.uint8)
    padded = pad(pictures, chosen.crop_padding)
    place = 77
    shown = preview(chosen, labels, int(learned[place]), pictures[place], EPOCHS)
    for epoch, item in enumerate(shown):
        plan = plan_epoch(chosen, len(learned), epoch)
        turn = int(np.flatnonzero(plan.order == place)[0])
        assert (item.pixels == cut(padded, plan, turn, turn + 1)[0]).all()
        assert item.step == turn // chosen.batch_size + 1


def test_the_words_of_a_shift_are_what_happened_to_the_pixels() -> None:
    chosen = recipe("standard", "cnn4")
    labels, _ = load_labels()
    sample = load_sample().train
    index = int(next(i for i in sample.indices if i in positions(chosen, labels)[0]))
    pixels = sample.picture(index)
    for item in preview(chosen, labels, index, pixels, 6):
        still = pixels[:, ::-1] if item.is_mirrored else pixels
        moved = np.roll(still, (item.down, item.right), axis=(0, 1))
        assert (item.pixels[8:24, 8:24] == moved[8:24, 8:24]).all()


def test_a_held_out_picture_is_never_shown() -> None:
    chosen = recipe("standard", "cnn4")
    labels, _ = load_labels()
    held = np.setdiff1d(np.arange(50_000), positions(chosen, labels)[0])
    assert preview(chosen, labels, int(held[0]), np.zeros((32, 32, 3), np.uint8), 2) == []
