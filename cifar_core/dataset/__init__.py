"""CIFAR-10 itself: names, counts and the digests that prove a copy is the real one.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

from __future__ import annotations

from collections.abc import Mapping

CLASS_NAMES: tuple[str, ...] = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
"""The ten classes in the dataset's own order; a label is an index into it."""

PICTURE_SHAPE = (32, 32, 3)
TRAIN_PICTURES = 50_000
TEST_PICTURES = 10_000
TRAIN_BATCHES = 5
BATCH_PICTURES = 10_000

DIGESTS: Mapping[str, str] = {
    "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
}
"""SHA-256 of each array's bytes: uint8, pictures (n, 32, 32, 3), in the official order."""
