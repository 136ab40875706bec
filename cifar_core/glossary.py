"""The terms of the field that the pages use, each with one plain sentence.

The same sentence stands as help beside a figure and in the glossary, so a term means one thing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

GLOSSARY: Final[Mapping[str, str]] = {
    "accuracy": "Share of the images whose class was predicted correctly.",
    "activation": "What a layer gives for one image: large where it finds what it looks for.",
    "activation function": (
        "A simple rule after a layer, such as ReLU (negative numbers become 0); without one, many "
        "layers could do no more than a single one."
    ),
    "augmentation": (
        "Showing each training image a little shifted or flipped, differently in every epoch, so "
        "that the network learns more from the same images."
    ),
    "average precision": (
        "Area under the precision–recall curve of a class: 100% if all its images are ranked "
        "before every other image."
    ),
    "batch normalisation": (
        "A layer that brings each channel to a mean of 0 and a spread of 1, which makes training "
        "faster and steadier."
    ),
    "batch size": "Number of training images after which the weights are changed once.",
    "calibration error (ECE)": (
        "Mean distance between confidence (“90%”) and accuracy over 15 groups of predictions; "
        "below 2% is good."
    ),
    "checkpoint": "Saved state of a run, from which it resumes exactly where it stopped.",
    "confidence": "Probability that a network gives to the class it predicts.",
    "confidence interval": (
        "Range around a measured figure; drawn this way, it holds the true figure on images of "
        "this kind 95 times of 100."
    ),
    "confusion matrix": (
        "Table that counts how often each true class (row) was predicted as each class (column); "
        "the diagonal is correct."
    ),
    "convolution": (
        "A layer that slides small filters over the image and notes where each of them fits."
    ),
    "coverage": (
        "Share of the predictions kept when those below a chosen confidence are left out."
    ),
    "dropout": (
        "A layer that sets a random share of its inputs to 0 during training, so that the network "
        "relies on no single one."
    ),
    "embedding": (
        "The numbers that a network makes of an image before its last layer; similar images lie "
        "close together in this feature space."
    ),
    "epoch": "One pass through all training images.",
    "F1": "Harmonic mean of precision and recall: high only if both are.",
    "filter": "Small grid of weights that a convolution slides over its input to find one pattern.",
    "label error": "An image whose label in the dataset is probably wrong.",
    "learning rate": (
        "Size of the step by which the weights are changed after each batch: too large and "
        "training fails, too small and it takes long."
    ),
    "loss": (
        "The figure that training makes small: cross-entropy, which is large when the true class "
        "was given a small probability."
    ),
    "macro avg": "Mean over the ten classes, each counted the same.",
    "McNemar's test": (
        "Compares two networks on the same images by those that exactly one of them predicts "
        "correctly, and says whether chance alone could explain the difference."
    ),
    "momentum": "Share of the last step that the next step keeps, so that training goes smoothly.",
    "multiply-adds (MACs)": (
        "Multiplications, each with an addition, to predict one image: the network's arithmetic."
    ),
    "near-duplicate": "An image of the test split that is nearly the same as a training image.",
    "one-hot encoding": (
        "A label as ten numbers, 1 at the place of its class and 0 elsewhere: what the network's "
        "ten outputs are compared with."
    ),
    "out-of-distribution": (
        "Unlike anything in the training images, such as a photograph of none of the ten classes."
    ),
    "overfitting": (
        "Doing much better on the training images than on new ones, because they were memorised."
    ),
    "parameters": "Numbers that a network keeps; training learns them, unless they are fixed.",
    "PCA": (
        "Principal component analysis: a map of the embedding along the directions in which it "
        "varies most."
    ),
    "precision": "Of the images predicted as this class, the share that show it.",
    "queue time": "Time a run waited for its device, apart from the training time.",
    "recall": "Of the images that show this class, the share predicted as it.",
    "receptive field": "Square of the image that one number of a layer's output can depend on.",
    "saliency (occlusion)": (
        "Map of the places that mattered: how far the confidence falls when each is covered."
    ),
    "seed": (
        "Number that starts every random choice of a run; the same seed repeats the same choices."
    ),
    "softmax": "Turns ten scores into ten probabilities that add up to 100%.",
    "support": "Number of images that show this class.",
    "t-SNE": (
        "A map of the embedding that keeps neighbours together; how far apart two groups lie says "
        "little."
    ),
    "temperature": (
        "One number, fitted on the validation split, that lowers (above 1) or raises (below 1) "
        "every confidence and changes no prediction."
    ),
    "test split": (
        "The 10,000 images that no network learns from; the lab's own recipes measure them once, "
        "at the end."
    ),
    "test-time augmentation": (
        "Averaging the predictions for an image and its mirror image, which is usually a "
        "little more accurate and takes twice as long."
    ),
    "top-5 accuracy": "Share of the images whose true class is among the five best guesses.",
    "training time": "Time a run computed on its device, without the time in the queue.",
    "validation split": (
        "Training images held out from learning, on which a run is measured after every epoch."
    ),
    "weight decay": "Pulls all weights a little towards 0 at each step, against overfitting.",
    "weighted avg": "Mean over the classes, each counted by its number of images.",
}
"""By term, in alphabetical order of the terms as they are read."""


def define(term: str) -> str:
    """Returns the sentence that explains a term.

    Raises:
        KeyError: The glossary does not have the term.
    """
    return GLOSSARY[term]


def explain(term: str) -> str:
    """Returns a term with its sentence, for a place that calls it something else."""
    return f"{term[0].upper()}{term[1:]}: {define(term)}"


def explain_found(words: str) -> str | None:
    """Returns the sentences of the terms that occur in a text, for the help beside it.

    Returns:
        A paragraph for each term; None where no term occurs, so that no question mark is drawn.
    """
    found = [
        explain(term)
        for term in GLOSSARY
        if re.search(rf"\b{re.escape(term.partition(' (')[0])}\b", words, re.IGNORECASE)
    ]
    return "\n\n".join(found) or None
