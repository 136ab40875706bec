"""The parts of the Overview page: the comparison, what is running now, where to go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import streamlit as st

from cifar_core import formats
from cifar_core.charts.intervals import NamedShare, interval_chart
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.arrays import Dataset
from cifar_core.evaluation import published
from cifar_core.evaluation.comparison import mcnemar
from cifar_core.evaluation.metrics import Share
from cifar_core.networks import NETWORKS
from cifar_core.runs.conditions import caveat, time_caveat
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run
from cifar_core.ui.kit.downloads import chart_format, draw_chart
from cifar_core.ui.kit.images import enlarge, image_html
from cifar_core.ui.kit.page import guard, origin_line, page_link
from cifar_core.ui.kit.runs import labels, results
from cifar_core.ui.kit.runs.picker import short_names
from cifar_core.ui.kit.tables import plain
from cifar_core.ui.kit.theme import is_dark

TICK_SECONDS = 4.0

MOST_LIVE: Final = 3
"""Living runs that the page shows; the Train page has them all."""

WAYS: Final = (
    ("Dataset", "pages/dataset.py", "Look through the pictures"),
    ("Networks", "pages/networks.py", "See what the networks are made of"),
    ("Train", "pages/train.py", "Start a training and watch it learn"),
    ("Results", "pages/results.py", "Find where a network fails"),
    ("Compare", "pages/compare.py", "Put runs side by side"),
    ("Classify", "pages/classify.py", "Have your own picture named"),
    ("Report", "pages/report.py", "Take the findings away, or present them"),
    ("Glossary", "pages/glossary.py", "Look up a term of the field"),
)


def class_strip(dataset: Dataset) -> None:
    """Draws one test picture of each class above the colour its class has on every chart."""
    items = []
    for label, name in enumerate(CIFAR10.class_names):
        place = int(np.flatnonzero(dataset.test.labels == label)[0])
        colour = f"border-bottom-color:{CIFAR10.class_colours[label]}"
        shown = image_html(enlarge(dataset.test.images[place], 2), "", style=colour)
        items.append(f"<figure>{shown}<figcaption>{name}</figcaption></figure>")
    st.html(f'<div class="lab-strip"><div>{"".join(items)}</div></div>')


def headline(runs: Sequence[Run]) -> None:
    """Draws the comparison: each network's accuracy and time, the tutorial's beside it.

    The reference stands behind them, marked: it answers the question for none of them.

    Args:
        runs: Finished runs, one per network.
    """
    answered = [(run, answers) for run in runs if (answers := results.final_answers(run))]
    names = {key: name.removeprefix("Shipped ") for key, name in short_names(runs).items()}
    names |= {run.id: f"{names[run.id]}, the reference" for run in runs if run.is_reference}
    shares = {run.id: results.shown_share(answers) for run, answers in answered}
    own = [run for run, _ in answered if not run.is_reference]
    beside = [run for run, _ in answered if run.is_reference]
    with st.container(horizontal=True, gap="medium", key="overview_figures"):
        for run in own:
            _figure(names[run.id], shares[run.id], run)
        _published_figure()
        for run in beside:
            _figure(names[run.id], shares[run.id], run)
    rows = [
        *(_row(run, names[run.id], shares[run.id]) for run in own),
        *_published_rows(),
        *(_row(run, names[run.id], shares[run.id]) for run in beside),
    ]
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        draw_chart(
            interval_chart(rows, dark=is_dark()),
            key="overview_accuracies",
            name="accuracies",
            alt="; ".join(f"{row.name}: {row.share.words()}" for row in rows) + ".",
        )
    with right:
        if len(own) == 2:
            (one, a), (other, b) = (pair for pair in answered if pair[0] in own)
            difference = mcnemar(a.labels, a.probabilities.argmax(1), b.probabilities.argmax(1))
            st.text(difference.sentence(names[one.id], names[other.id]))
            unlike = caveat(one, other)
            if unlike:
                st.text(unlike)
        page_link("pages/compare.py", "Compare them in detail")
        page_link("pages/report.py", "Present it, slide by slide", present="1")
    sources = "; ".join(answers.origin for _, answers in answered) + "."
    origin_line(" ".join(filter(None, [time_caveat([run for run, _ in answered]), sources])))
    chart_format()


def _row(run: Run, name: str, accuracy: Share) -> NamedShare:
    return NamedShare(name, run.recipe.network if run.recipe else "", accuracy)


def _published_rows() -> list[NamedShare]:
    return [
        NamedShare(
            f"Tutorial, {NETWORKS[network].title}",
            "tutorial",
            published.published(network).accuracy,
        )
        for network in published.BEST_EPOCHS
    ]


def _published_figure() -> None:
    """Draws the better of the accuracies that the tutorial printed."""
    best = max(
        (published.published(network) for network in published.BEST_EPOCHS),
        key=lambda known: known.accuracy.value,
    )
    st.metric(
        f"The tutorial's {NETWORKS[best.network].title}",
        best.accuracy.words(),
        width="content",
        help="The better of its two networks, counted from the confusion matrix it printed. "
        "It published no times.",
    )


def _figure(name: str, accuracy: Share, run: Run) -> None:
    took = formats.duration(run.status.running_seconds)
    st.metric(
        name,
        accuracy.words(),
        delta=f"learnt in {took}",
        delta_color="off",
        delta_arrow="off",
        width="content",
        help=f"{accuracy.right:,} of {accuracy.total:,} test pictures right. Such a range "
        "holds the true accuracy on pictures of this kind 95 times of 100.",
    )


def running_now() -> None:
    """Draws what is training at the moment; refreshes itself while something is."""
    alive = _alive()
    pause = TICK_SECONDS if alive else None
    st.fragment(_running, run_every=pause)(bool(alive))


def _alive() -> list[Run]:
    return [run for run in results.list_runs() if run.state.is_alive]


def _running(drawn_alive: bool) -> None:
    with guard():
        alive = _alive()
        if bool(alive) != drawn_alive:
            st.rerun()
        if not alive:
            st.text("Nothing is training.")
            page_link("pages/train.py", "Start a training")
            return
        for run in alive[:MOST_LIVE]:
            _line(run)
        if len(alive) > MOST_LIVE:
            st.text(f"And {len(alive) - MOST_LIVE} more.")
        page_link("pages/train.py", "Watch")


def _line(run: Run) -> None:
    words = [str(run.name), labels.state_words(run)]
    if run.state is not State.QUEUED:
        words.append(f"{labels.epoch_words(run)} epochs")
        if run.status.accuracy is not None and run.recipe:
            share = formats.percent(run.status.accuracy)
            words.append(f"{share} of the {run.recipe.monitored_split} pictures right")
        left = labels.time_words(run.status.eta_seconds)
        if left != formats.UNKNOWN:
            words.append(f"{left} to go")
    st.progress(labels.share_done(run), text=plain(" · ".join(words)))


def ways() -> None:
    """Draws a way to every page, each with what one does there."""
    for first in range(0, len(WAYS), 4):
        for place, (page, file, deed) in zip(st.columns(4), WAYS[first : first + 4], strict=False):
            with place, st.container(gap="xxsmall"):
                page_link(file, page)
                st.caption(deed)
