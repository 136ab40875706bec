"""The images: what a dataset is, where its copies come from, how they are divided and shifted."""

from cifar_core.dataset.spec import ARRAY_NAMES, CIFAR10, DATASETS, DatasetSpec

__all__ = ["ARRAY_NAMES", "CIFAR10", "DATASETS", "DatasetSpec"]
