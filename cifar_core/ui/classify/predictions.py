"""What the models say of a picture: in a sentence, as bars, as a table, beside the picture."""

from __future__ import annotations

import html
import io
from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from cifar_core import formats, services
from cifar_core.charts import bars
from cifar_core.charts.theme import Title
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.words import disagreement, prediction_sentence
from cifar_core.glossary import explain
from cifar_core.inference.novelty import NoneOfThese
from cifar_core.inference.upload import Picture
from cifar_core.runs.reading import Run
from cifar_core.services import Fit, Prediction
from cifar_core.ui.classify.explanations import explanation_section
from cifar_core.ui.classify.upload_box import Brought
from cifar_core.ui.kit import caches
from cifar_core.ui.kit.downloads import draw_chart
from cifar_core.ui.kit.image_browser import CALIBRATED
from cifar_core.ui.kit.images import enlarge, image_html
from cifar_core.ui.kit.page import guard
from cifar_core.ui.kit.tables import csv_download, file_name, plain
from cifar_core.ui.kit.theme import RIGHT_SIGN, WRONG_SIGN, is_dark

NONE_SIGN = "?"
"""Marks “perhaps none of the ten”, beside its words."""

SIDE = 192
"""Side of the pictures shown: six times 32."""

CAUTION = (
    "A high probability is no proof. The networks know these ten classes only and always choose "
    "among them, whatever the picture shows; and they have learnt from small photographs alone, "
    "so they err more often on yours."
)


def foreign_sentence(verdict: NoneOfThese) -> str:
    """Says whether a picture perhaps shows none of the ten, and how often that is wrong."""
    if not verdict.verdict:
        return f"Not strange enough to be called none of the ten.{_stranger(verdict)}"
    wrong = ""
    if verdict.false_alarm_rate is not None:
        share = formats.percent(verdict.false_alarm_rate)
        wrong = f" A false alarm for {share} of the test pictures, which do show one of the ten."
    return f"{NONE_SIGN} Perhaps none of the ten.{_stranger(verdict)}{wrong}"


def _stranger(verdict: NoneOfThese) -> str:
    """Says how strange a picture is beside those that were held out of the training."""
    if verdict.stranger_than is None:
        return ""
    share = verdict.stranger_than
    than = "all" if share == 1 else "none" if share == 0 else f"{share:.0%}"
    return f" Stranger than {than} of the pictures held out of the training."


def origin_sentence(answer: Prediction) -> str:
    """Says where an answer's probabilities come from."""
    calibrated = (
        CALIBRATED
        if answer.is_calibrated
        else "Probabilities not calibrated: they may promise too much."
    )
    mirrored = " Averaged with the answer for the mirrored picture." if answer.flip else ""
    return calibrated + mirrored


def mirror_switch(models: Sequence[Run], labels: Mapping[str, str]) -> bool:
    """Draws the switch that averages answers with those for the mirrored picture."""
    gains = []
    for run in models:
        figures = services.read_evaluation(run)
        if figures is not None:
            alone, both = map(formats.percent, (figures.accuracy, figures.accuracy_mirrored))
            # A help text is Markdown, and a run's name comes from a person.
            name = plain(labels[run.id])
            gains.append(f"{name}: {both} of the test pictures right, not {alone}.")
    return st.toggle(
        "Average with the mirror image",
        key="mirror",
        help=" ".join([explain("test-time augmentation"), *gains]),
    )


def answer_section(
    brought: Brought,
    models: Sequence[Run],
    labels: Mapping[str, str],
    *,
    fit: Fit,
    mirror: bool = False,
) -> list[Prediction]:
    """Draws one picture and what each model says of it; a failure costs this picture alone.

    Returns:
        The answers that were drawn; none where the picture could not be read.
    """
    answers: list[Prediction] = []
    with st.container(border=True), guard():
        picture = brought.read()
        st.html(f'<p class="lab-name">{html.escape(picture.name)}</p>')
        # A picture of the dataset stands alone; any other has its original beside it.
        share = 2 if picture.pixels.shape == CIFAR10.image_shape else 1
        pictures, words = st.columns([1, share], gap="medium")
        seen = services.network_input(picture.pixels, fit=fit)
        with pictures:
            st.html(picture_pair(picture, seen))
        with words:
            opened = [caches.open_model(run) for run in models]
            answers += services.predict([seen], opened, fit=fit, flip=mirror)[0]
            _verdicts(answers, labels, brought.label)
        # One chart has room beside the pictures, several stand beside each other below.
        places = [words] if len(answers) == 1 else st.columns(len(answers))
        for place, answer in zip(places, answers, strict=True):
            with place:
                _bars(answer, brought.key, labels[answer.run.id], alone=len(answers) == 1)
        _table(answers, labels, brought.key)
        explanation_section(brought.key, seen, models, labels)
    return answers


def picture_pair(picture: Picture, network_input: NDArray[np.uint8]) -> str:
    """Returns the HTML of the original beside the 32×32 pixels that a network sees of it."""
    seen = enlarge(network_input, SIDE // CIFAR10.image_shape[0])
    pixels = _figure(seen, "png", "What the networks see: 32 × 32", name="lab-pixels")
    frame = f'<div class="lab-pair" style="--side: {SIDE}px">'
    if picture.pixels.shape == CIFAR10.image_shape:
        return f"{frame}{pixels}</div>"
    size = f"{picture.width:,} × {picture.height:,} pixels, {picture.format}"
    caption = "; ".join([f"The original: {size}", *picture.notes])
    buffer = io.BytesIO()
    Image.fromarray(picture.pixels).save(buffer, "JPEG", quality=88)
    return f"{frame}{_figure(buffer.getvalue(), 'jpeg', caption)}{pixels}</div>"


def _figure(data: bytes, kind: str, caption: str, *, name: str = "") -> str:
    shown = image_html(data, caption, kind=kind, class_=name)
    return f"<figure>{shown}<figcaption>{html.escape(caption)}</figcaption></figure>"


def _verdicts(answers: Sequence[Prediction], labels: Mapping[str, str], truth: int | None) -> None:
    """Draws the answers in sentences, the truth where it is known, and a disagreement."""
    lines = []
    if truth is not None:
        name = html.escape(CIFAR10.class_names[truth])
        lines.append(f'<p class="lab-answer">The dataset says: <strong>{name}</strong>.</p>')
    for answer in answers:
        sentence = prediction_sentence(labels[answer.run.id], answer.probabilities)
        if truth is not None:
            right = int(np.argmax(answer.probabilities)) == truth
            sentence = f"{RIGHT_SIGN if right else WRONG_SIGN} {sentence}"
        lines.append(f'<p class="lab-answer">{html.escape(sentence)}</p>')
        if answer.ood is not None:
            kind = "lab-foreign" if answer.ood.verdict else "lab-origin"
            foreign = html.escape(foreign_sentence(answer.ood))
            lines.append(f'<p class="{kind}">{foreign}</p>')
        lines.append(f'<p class="lab-origin">{html.escape(origin_sentence(answer))}</p>')
    apart = disagreement({labels[item.run.id]: item.probabilities for item in answers})
    if apart:
        lines.append(f'<p class="lab-apart" role="note">{html.escape(apart)}</p>')
    st.html("".join(lines))
    if any(answer.ood is not None for answer in answers):
        st.caption("What “none of the ten” means", help=explain("out-of-distribution"))


def _bars(answer: Prediction, key: str, label: str, *, alone: bool) -> None:
    draw_chart(
        bars.probability_bars(
            answer.probabilities,
            # Beside each other, the same class stands at the same height.
            order=bars.LARGEST_FIRST if alone else "dataset",
            title=Title("How probable each class is", run=label),
            dark=is_dark(),
        ),
        key=f"bars_{key}_{answer.run.id}",
        name=file_name("probabilities", label),
        alt=prediction_sentence(label, answer.probabilities),
    )


def _table(answers: Sequence[Prediction], labels: Mapping[str, str], key: str) -> None:
    import pandas as pd

    with st.expander("The probabilities as a table"):
        table = pd.DataFrame(
            {labels[answer.run.id]: answer.probabilities.astype(float) for answer in answers},
            index=pd.Index(CIFAR10.class_names, name="class"),
        )
        st.dataframe(table.style.format("{:.1%}"), height="content", width="content")
        csv_download(table.reset_index(), "probabilities", key=f"csv_{key}")
