"""First weights: Keras' own, or ones that suit rectified units and the pictures.

Keras' default (Glorot) halves the signal at every rectified convolution, and pictures from 0 to
1 are nearly constant; six layers later there is little left to learn from, and a training stands
still for an epoch or two before it finds a way. ``whitening`` starts where it would get to.
"""

from __future__ import annotations

import keras
import numpy as np

from cifar_core.dataset.augmentation import Stream, generator
from cifar_core.recipes import Recipe

LOOKED_AT = 5000
"""Pictures from which the statistics of patches are taken."""

FLOOR = 5e-4
"""Added to every variance of a patch before it is divided by, so that noise stays small."""

FLOOR_NORMALISED = 5e-4 * 0.25**2
"""Jordan's 5e-4 (2024, airbench94) is for pixels divided by their deviation, a quarter."""


def initialise(model: keras.Model, recipe: Recipe, images: np.ndarray) -> None:
    """Gives a model the first weights that its recipe asks for.

    ``whitening`` gives the first convolution the principal components of the pictures' patches,
    each scaled to variance one and once with either sign, and a bias that takes off the mean
    (Page 2019, "How to train your ResNet 8"; Jordan 2024). The kernels after it get a normal
    distribution of variance 2 / fan-in (He and others 2015), the last layer keeps Keras' own.
    All of them are trained on, but for those that a network declares fixed.

    ``identity`` differs in the kernels after the first: the first filters of each pass their
    channel on as it is (Zagoruyko and Komodakis 2017, "DiracNets"; Jordan 2024), the others get
    variance 1 / (3 fan-in), PyTorch's default. For networks with batch normalisation.

    Args:
        model: A fresh network whose first layer with weights is a convolution.
        recipe: Gives kind and seed.
        images: Training images (n, h, w, c) uint8.
    """
    if recipe.initialisation == "keras":
        return
    random = generator(recipe.seed, Stream.INITIALISATION)
    first, *between, _last = (layer for layer in model.layers if hasattr(layer, "kernel"))
    keeps = recipe.initialisation == "identity"
    floor = FLOOR_NORMALISED if keeps else FLOOR
    first.set_weights(whitening(first.kernel.shape, images[:LOOKED_AT], floor=floor))
    for layer in between:
        shape = layer.kernel.shape
        spread = np.sqrt((1 / 3 if keeps else 2) / np.prod(shape[:-1]))
        kernel = random.normal(0, spread, shape)
        if keeps:
            passed_on = min(shape[-2:])
            kernel[..., :passed_on] = 0
            centre = tuple(side // 2 for side in shape[:-2])
            kernel[centre][np.arange(passed_on), np.arange(passed_on)] = 1
        layer.kernel.assign(kernel.astype(np.float32))


def whitening(shape: tuple[int, ...], images: np.ndarray, *, floor: float) -> list[np.ndarray]:
    """Returns kernel and bias of a convolution that whitens patches.

    Args:
        shape: Of the kernel: (height, width, channels, filters); filters are even and at most twice
            height * width * channels.
        images: Images (n, h, w, c) uint8.
        floor: Added to every variance, of pixels from 0 to 1.

    Returns:
        The kernel, of the shape given, and the bias (filters,), both float32.
    """
    height, width, channels, filters = shape
    windows = np.lib.stride_tricks.sliding_window_view(images, (height, width), axis=(1, 2))
    # Patches do not overlap, which a fifth of a million of them need not.
    patches = (
        windows[:, ::height, ::width]
        .transpose(0, 1, 2, 4, 5, 3)
        .reshape(-1, height * width * channels)
    )
    patches = patches.astype(np.float32) / 255
    mean = patches.mean(axis=0, dtype=np.float64)
    variances, directions = np.linalg.eigh(np.cov(patches, rowvar=False))  # smallest first
    strongest = slice(None, -filters // 2 - 1, -1)
    kernel = directions[:, strongest] / np.sqrt(variances[strongest] + floor)
    # An eigenvector's sign is arbitrary and differs between libraries of linear algebra.
    kernel *= np.sign(kernel[np.abs(kernel).argmax(axis=0), np.arange(filters // 2)])
    kernel = np.concatenate([kernel, -kernel], axis=1)
    return [kernel.reshape(shape).astype(np.float32), (-mean @ kernel).astype(np.float32)]
