"""One picture of the dataset: its pixels, what is known of it, what the networks say of it."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core import services
from cifar_core.analysis.neighbours import nearest
from cifar_core.charts import bars
from cifar_core.charts.theme import Title
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.evaluation.words import disagreement, prediction_sentence, with_article
from cifar_core.networks import NETWORKS
from cifar_core.services import Prediction
from cifar_core.ui.dataset import analysis_results
from cifar_core.ui.dataset.image_pairs import pair_gallery
from cifar_core.ui.dataset.near_duplicates import note_of, side_of
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.downloads import chart_format, draw_chart
from cifar_core.ui.kit.images import gallery, picture_address
from cifar_core.ui.kit.page import guard, origin_line
from cifar_core.ui.kit.runs.labels import model_labels
from cifar_core.ui.kit.tables import file_name
from cifar_core.ui.kit.theme import RIGHT_SIGN, WRONG_SIGN, is_dark

MOST_MODELS = 6
NEIGHBOURS = 12
CHANNELS = ("red", "green", "blue")


def facts(split: Split, index: int, label: int) -> str:
    """Says what a picture is, in a sentence."""
    shows = f"The dataset says it shows {with_article(label)}."
    if split.name == "test":
        return f"Test picture {index}. {shows} No network here has learned from it."
    batch = index // CIFAR10.batch_images + 1
    return f"Training picture {index}, batch {batch}. {shows}"


def pixels_section(split: Split, index: int) -> None:
    """The picture enlarged, its three channels, and its numbers."""
    position = split.position(index)
    pixels = np.asarray(split.images[position])
    label = int(split.labels[position])
    left, right = st.columns([2, 3], gap="medium")
    with left:
        gallery(pixels[None], factor=8, truths=[CIFAR10.class_names[label]])
        st.text(facts(split, index, label))
    with right:
        st.text("Its three channels: how much red, green and blue each pixel has.")
        gallery(
            channels(pixels),
            [f"{name}, mean {pixels[..., k].mean():.0f}" for k, name in enumerate(CHANNELS)],
            factor=4,
        )
        with st.expander("The numbers a network reads"):
            _numbers(pixels)


def channels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns a picture (32, 32, 3) as three, each with one channel alone: (3, 32, 32, 3)."""
    made = np.zeros((3, *pixels.shape), np.uint8)
    for channel in range(3):
        made[channel, ..., channel] = pixels[..., channel]
    return made


def _numbers(pixels: NDArray[np.uint8]) -> None:
    import pandas as pd

    name = st.segmented_control(
        "Channel", CHANNELS, default="red", required=True, key="channel", bind="query-params"
    )
    values = pixels[..., CHANNELS.index(name or "red")]
    table = pd.DataFrame(
        values, index=pd.RangeIndex(32, name="row"), columns=[str(n) for n in range(32)]
    )
    st.dataframe(table, height=320)


def answers_section(split: Split, index: int) -> None:
    """What every trained network says of the picture, calibrated where that was fitted."""
    models = services.list_models()
    if not models:
        st.text("There is no trained network to ask yet.")
        return
    labels = model_labels(models)
    names = list(labels.values())
    chosen = st.multiselect(
        "Networks", names, default=names[: len(NETWORKS)], max_selections=MOST_MODELS,
        key="networks", placeholder="Choose networks to ask",
    )  # fmt: skip
    position = split.position(index)
    truth = int(split.labels[position])
    answers: list[Prediction] = []
    for run in models:
        if labels[run.id] in chosen:
            with guard():
                image = np.asarray(split.images[position])
                answers += services.predict([image], [caches.open_model(run)])[0]
    if answers:
        _sentences(answers, labels, truth, split.name)
        for place, answer in zip(st.columns(max(2, len(answers))), answers, strict=False):
            with place:
                _bars(answer, labels[answer.run.id], split.name, index)
        chart_format()


def _sentences(answers: list[Prediction], labels: dict[str, str], truth: int, split: str) -> None:
    lines = []
    for answer in answers:
        sign = RIGHT_SIGN if int(answer.probabilities.argmax()) == truth else WRONG_SIGN
        lines.append(f"{sign} {prediction_sentence(labels[answer.run.id], answer.probabilities)}")
        if not answer.is_calibrated:
            lines[-1] += " (Not calibrated.)"
    lines.append(disagreement({labels[item.run.id]: item.probabilities for item in answers}))
    st.html("".join(f"<p style='margin:0'>{html.escape(line)}</p>" for line in lines if line))
    if split == "train":
        origin_line(
            "Most networks have learned from this picture: that they name it says little. "
            "Probabilities calibrated unless said otherwise."
        )
    else:
        origin_line("Probabilities calibrated unless said otherwise.")


def _bars(answer: Prediction, label: str, split: str, index: int) -> None:
    draw_chart(
        bars.probability_bars(
            answer.probabilities,
            order="dataset",
            title=Title("How probable each class is", run=label, split=split),
            dark=is_dark(),
        ),
        key=f"bars_{answer.run.id}",
        name=file_name("probabilities", split, index, label),
        alt=prediction_sentence(label, answer.probabilities),
    )


def known_section(dataset: Dataset, split: Split, index: int) -> None:
    """Whether the picture has a near-duplicate in the other split, or a doubtful label."""
    label = int(split.labels[split.position(index)])
    found = [
        pair
        for pair in analysis_results.pairs().pairs
        if index == (pair.test if split.name == "test" else pair.train)
    ]
    other = dataset.train if split.name == "test" else dataset.test
    twins = [(pair.train if split.name == "test" else pair.test) for pair in found]
    if not found:
        st.text("Near-duplicates in the other split: none was found.")
    else:
        st.text(f"The {other.name} split holds it nearly the same, number {_numbered(twins)}.")
    here = [(pair, twin) for pair, twin in zip(found, twins, strict=True) if twin in other.indices]
    if here:
        pair_gallery(
            [(side_of(split, index), side_of(other, twin)) for _, twin in here],
            [note_of(pair) for pair, _ in here],
        )
    st.text(doubt_words(split.name, index, label))


def _numbered(numbers: list[int]) -> str:
    return ", ".join(str(number) for number in numbers)


def doubt_words(split: str, index: int, label: int) -> str:
    """Says whether networks that did not learn from the picture doubt its label."""
    unseen = analysis_results.doubtful("test" if split == "test" else "validation")
    place = np.flatnonzero(unseen.indices == index)
    if len(place):
        seen = CIFAR10.class_names[int(unseen.suggested[place[0]])]
        return (
            f"Its label, {CIFAR10.class_names[label]}, is doubtful: networks that never learned "
            f"from it are confident that it shows {seen}. They may be wrong."
        )
    if split == "test":
        return "Its label is not among the doubtful ones."
    return (
        "Its label is not among the doubtful ones. Only training pictures that were held out "
        "can be judged; for those that were learned from there are no honest answers."
    )


def neighbours_section(split: Split, index: int) -> None:
    """The pictures whose features are most like this one's."""
    located = analysis_results.located()
    row = int(analysis_results.rows_of(located.dataset, split.name, np.array([index]))[0])
    if row < 0:
        st.text(
            "The network has looked at the 2,000 pictures of the sample only, and this one is "
            "not among them. The part Map of the Dataset page offers to look at all pictures."
        )
        return
    rows, alike = nearest(
        analysis_results.directions(located),
        row,
        among=np.arange(len(located.places.features)),
        count=NEIGHBOURS,
    )
    pixels, labels, splits, indices = analysis_results.pictures_at(located.dataset, rows)
    gallery(
        pixels,
        [
            f"{name} {number}\nalike {cosine:.2f}"
            for name, number, cosine in zip(splits, indices, alike, strict=True)
        ],
        truths=[CIFAR10.class_names[label] for label in labels],
        links=[
            picture_address(name, int(number)) for name, number in zip(splits, indices, strict=True)
        ],
    )
    among = "2,000 pictures of the sample" if located.dataset.is_sample else "60,000 pictures"
    origin_line(
        f"Among the {among}; cosine of the features, 1 for the same; features by "
        f"{located.places.origin.words()}"
    )
