"""The report as a presentation: one thought, one picture, one sentence per slide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cifar_core.charts.network import network_svg
from cifar_core.dataset.arrays import Dataset
from cifar_core.evaluation import published
from cifar_core.formats import percent
from cifar_core.networks import NETWORKS
from cifar_core.networks.description import load_description
from cifar_core.report import judgement, sections
from cifar_core.report.markup import chart, class_pictures, gallery, listed, paragraph, safe
from cifar_core.report.subjects import Subject, best_of, right_examples, wrong_examples

UNLIKE = (
    "They were not all trained alike, so the differences are not those of the networks alone; the "
    "report says how."
)
"""Below the verdicts where a run had other settings, epochs or images than the next."""

TALLEST = 540
"""Pixels of the stage a chart may take; the stage is about 720 high."""

TALLEST_WITH_TEXT = 460
"""The same with a line of text below it."""


def slides(subjects: Sequence[Subject], dataset: Dataset, heights: Mapping[str, int]) -> str:
    """Returns the slides, in the order of a talk."""
    best = best_of(subjects)
    place = list(subjects).index(best)
    test = dataset.test
    made = [
        _slide("How well do small networks learn to see?", _headline(subjects), kind="opening"),
        _slide(
            "Ten kinds of things, 60,000 tiny pictures",
            class_pictures(sections.one_per_class(dataset), factor=5),
            paragraph(
                f"The networks learn from {sections.learnt_words(subjects)} training pictures and "
                "are asked about the 10,000 test pictures."
            ),
        ),
        _slide("What learns here", _drawings(subjects)),
        _slide("They learn epoch by epoch", _large("learning", heights, "Accuracy by epoch")),
        _slide(
            "How many they get right",
            _large("accuracy", heights, "Accuracies with their intervals", TALLEST_WITH_TEXT),
            paragraph("The bars are 95% intervals. Guessing gives 10%."),
        ),
        _slide(
            f"Where {best.name} goes wrong",
            _large(f"matrix-{place}", heights, f"Confusion matrix of {best.name}"),
            listed(judgement.confusions(best, 4)),
            kind="two",
        ),
        _slide(
            f"Right, and most sure of it: {best.name}",
            gallery(right_examples(best, test), factor=5),
        ),
        _slide(
            f"Wrong, and most sure of it: {best.name}",
            gallery(wrong_examples(best, test), factor=5),
        ),
    ]
    if len(subjects) > 1:
        sentences = judgement.verdicts(subjects)[:3]
        if judgement.caveats(subjects):
            sentences.append(UNLIKE)
        made.append(_slide("Is the difference real?", *map(paragraph, sentences), kind="text"))
    made.append(
        _slide(
            "How sure can one be?",
            _large("reliability", heights, "Confidence against accuracy"),
            listed([judgement.kept(subject) for subject in subjects[:3]]),
            kind="two",
        )
    )
    made.append(
        _slide(
            "What these figures do not say",
            listed(judgement.limit_sentences(subjects)),
            kind="text",
        )
    )
    return "\n".join(made)


def _slide(title: str, *parts: str, kind: str = "") -> str:
    body = "\n".join(parts)
    return (
        f'<section class="slide {kind}" hidden><h2 tabindex="-1">{safe(title)}</h2>'
        f'<div class="matter">{body}</div></section>'
    )


def _headline(subjects: Sequence[Subject]) -> str:
    """Returns the accuracies in large figures, the tutorial's behind them, then the reference's."""
    figures = [
        (subject.said, percent(subject.accuracy.value), subject.network) for subject in subjects[:3]
    ]
    beside = [
        figure
        for figure, subject in zip(figures, subjects, strict=False)
        if subject.run.is_reference
    ]
    figures = [figure for figure in figures if figure not in beside]
    tutorial = max(
        (published.published(network) for network in published.BEST_EPOCHS),
        key=lambda known: known.accuracy.value,
    )
    title = NETWORKS[tutorial.network].title
    figures.append((f"the tutorial's {title}", percent(tutorial.accuracy.value), "tutorial"))
    figures += beside
    items = "".join(
        f'<li class="{safe(network)}"><strong>{share}</strong><span>{safe(name)}</span></li>'
        for name, share, network in figures
    )
    return (
        f'<ul class="figures">{items}</ul>'
        f"{paragraph('of 10,000 pictures that they had never seen, named rightly.')}"
    )


def _drawings(subjects: Sequence[Subject]) -> str:
    parts = []
    for name in sections.used_networks(subjects):
        described = load_description(name)
        words = (
            f"{described.title}: {described.parameters:,} parameters, "
            f"{described.macs / 1e6:,.1f} million multiply-adds per picture."
        )
        parts += [paragraph(words), f'<div class="drawing">{network_svg(described)}</div>']
    return "".join(parts)


def _large(name: str, heights: Mapping[str, int], alt: str, tallest: int = TALLEST) -> str:
    """Returns a chart enlarged as a whole, as far as the stage is high."""
    factor = min(1.7, tallest / heights[name])
    size = f"--factor:{factor:.3f};height:{factor * heights[name]:.0f}px"
    return f'<div class="frame" style="{size}">{chart(name, alt=alt, height=heights[name])}</div>'
