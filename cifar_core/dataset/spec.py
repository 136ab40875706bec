"""A dataset as a value: names, shape, counts and digests; CIFAR-10 is the only one that ships.

Whoever reads, trains, measures or draws takes these from the spec of a recipe, a dataset or a
split. A further dataset is a further value in :data:`DATASETS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ARRAY_NAMES: Final = ("train_images", "train_labels", "test_images", "test_labels")
"""The arrays of a dataset, in the order in which its digest takes them."""


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """What is known of a dataset without opening it.

    Attributes:
        name: In recipes, and of its folder in the data folder.
        title: Its name on the pages.
        class_names: In the dataset's own order; a label is an index into them.
        class_colours: One per class, by label.
        class_groups: Labels that belong together, by what they are; none, or all in some group.
        image_shape: (height, width, channels) of each image, uint8.
        train_images: How many images the train split has.
        test_images: How many the test split has.
        train_batches: In how many equal parts the train split was published.
        digests: SHA-256 of each array's bytes, uint8 in the official order, by ARRAY_NAMES.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    class_colours: tuple[str, ...]
    class_groups: Mapping[str, tuple[int, ...]]
    image_shape: tuple[int, int, int]
    train_images: int
    test_images: int
    train_batches: int = 1
    digests: Mapping[str, str]

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.class_names)

    @property
    def class_orders(self) -> dict[str, tuple[int, ...]]:
        """Orders in which classes are shown, as labels, by their names."""
        orders = {"dataset": tuple(range(self.classes))}
        if self.class_groups:
            orders[" | ".join(self.class_groups)] = sum(self.class_groups.values(), ())
        return orders

    @property
    def batch_images(self) -> int:
        """How many images each published part of the train split has."""
        return self.train_images // self.train_batches

    @property
    def array_shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each array, by ARRAY_NAMES."""
        train, test = (self.train_images,), (self.test_images,)
        shapes = ((*train, *self.image_shape), train, (*test, *self.image_shape), test)
        return dict(zip(ARRAY_NAMES, shapes, strict=True))

    @property
    def digest(self) -> str:
        """16 hexadecimal digits that name the whole: the digest of the arrays' digests."""
        joined = "".join(self.digests[name] for name in ARRAY_NAMES)
        return hashlib.sha256(joined.encode("ascii")).hexdigest()[:16]

    def count(self, split: str) -> int:
        """Returns how many images a split has, ``train`` or ``test``."""
        return {"train": self.train_images, "test": self.test_images}[split]


CIFAR10: Final = DatasetSpec(
    name="cifar10",
    title="CIFAR-10",
    class_names=(
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ),
    # Found by a search for the ten that stay farthest apart to normal, red-blind, green-blind and
    # blue-blind eyes; lightness tells them apart where hue cannot.
    class_colours=(
        "#59dde9",  # airplane    vehicles: blues
        "#3550ae",  # automobile
        "#edc62e",  # bird        animals: warm
        "#f6908e",  # cat
        "#776100",  # deer
        "#932565",  # dog
        "#999300",  # frog
        "#b8637a",  # horse
        "#0889ca",  # ship
        "#87a8ff",  # truck
    ),
    class_groups={"vehicles": (0, 1, 8, 9), "animals": (2, 3, 4, 5, 6, 7)},
    image_shape=(32, 32, 3),
    train_images=50_000,
    test_images=10_000,
    train_batches=5,
    digests={
        "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
        "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
        "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
        "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
    },
)
"""A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009."""

DATASETS: Final[Mapping[str, DatasetSpec]] = {CIFAR10.name: CIFAR10}
"""By name, as recipes have it."""
