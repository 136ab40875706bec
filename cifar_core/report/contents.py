"""The contents of a report: what its templates draw, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cifar_core import formats
from cifar_core.charts.network import network_svg
from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.evaluation import published
from cifar_core.evaluation.classification import averages, class_report
from cifar_core.evaluation.learning import epoch_time
from cifar_core.evaluation.metrics import Share
from cifar_core.networks import NETWORKS, Network
from cifar_core.networks.description import NetworkDescription, load_description
from cifar_core.report import judgement
from cifar_core.report.example_images import ExampleImage, class_images, example_images
from cifar_core.report.judgement import Row
from cifar_core.report.subjects import Subject, best_of, right_examples, wrong_examples
from cifar_core.runs.conditions import time_caveat

LARGEST: Final = 1.7
"""By how much the stage enlarges a chart at most."""

STAGE_HEIGHTS: Final = {"accuracy": 460}
"""Pixels of the stage that a chart with text below it may take."""

STAGE_HEIGHT: Final = 540
"""The same of any other chart; the stage is about 720 high."""


@dataclass(frozen=True)
class ChartPlace:
    """The place of a chart.

    Attributes:
        name: Its name among the figures of the document.
        height: Pixels it takes.
        factor: By how much the stage enlarges it.
    """

    name: str
    height: int
    factor: float

    @property
    def stage_height(self) -> float:
        """Pixels it takes on the stage."""
        return self.factor * self.height


@dataclass(frozen=True, eq=False)
class RunContents:
    """What a report tells of one run; sentences and rows as :mod:`judgement` makes them."""

    subject: Subject
    chart: ChartPlace
    epoch_seconds: float | None
    confusions: list[str]
    matrix: Sequence[Row]
    classes: Sequence[Row]
    averages: Sequence[Row]
    correct: list[ExampleImage]
    mistaken: list[ExampleImage]
    kept: str
    command: str


@dataclass(frozen=True)
class Published:
    """The accuracy that the tutorial printed for a network."""

    title: str
    accuracy: Share


@dataclass(frozen=True)
class NetworkContents:
    """A network of the report, its convolution layers counted, its drawing as SVG."""

    network: Network
    described: NetworkDescription
    convolutions: int
    multiply_adds: str
    drawing: str


@dataclass(frozen=True, eq=False)
class Contents:
    """Everything a report tells.

    Attributes:
        runs: Its runs, in the order they are told of.
        best: The run whose mistakes the slides show.
        ranked: The runs by accuracy, the reference behind the others.
        tutorial: What the tutorial printed.
        networks: The networks of the runs, in the lab's order.
        charts: The places of the charts, by name.
        class_images: One test image of each class.
        data_digest: Of the dataset the images come from.
        training_images: How many images were trained on, in words.
        watching: Names of the runs that watched the test split while they were trained.
        epoch_columns: Names of the columns of ``epochs``, two for each run.
        epochs: Accuracy of every run after every epoch.
        verdicts: Whether each run truly differs from the next.
        caveats: How each run was trained otherwise than the next.
        time_caveat: Why times cannot be compared; empty where they can.
        origin: Where the numbers come from, a column for each run.
        settings: Every setting, a column for each run.
    """

    runs: list[RunContents]
    best: RunContents
    ranked: list[Subject]
    tutorial: list[Published]
    networks: list[NetworkContents]
    charts: Mapping[str, ChartPlace]
    class_images: list[ExampleImage]
    data_digest: str
    training_images: str
    watching: list[str]
    epoch_columns: list[str]
    epochs: Sequence[Row]
    verdicts: list[str]
    caveats: list[str]
    time_caveat: str
    origin: Sequence[Row]
    settings: Sequence[Row]


def contents_of(
    subjects: Sequence[Subject], dataset: Dataset, heights: Mapping[str, int]
) -> Contents:
    """Returns everything a report on some runs tells.

    Args:
        subjects: The runs.
        dataset: Where example images come from.
        heights: Pixels that each chart takes, by name.
    """
    charts = {name: _place(name, height) for name, height in heights.items()}
    runs = [
        _run_contents(subject, dataset.test, charts[f"matrix-{place}"])
        for place, subject in enumerate(subjects)
    ]
    best = best_of(subjects)
    return Contents(
        runs=runs,
        best=next(run for run in runs if run.subject is best),
        ranked=sorted(subjects, key=lambda one: (one.run.is_reference, -one.accuracy.value)),
        tutorial=[
            Published(NETWORKS[network].title, published.published(network).accuracy)
            for network in published.BEST_EPOCHS
        ],
        networks=_networks(subjects),
        charts=charts,
        class_images=class_images(dataset.test),
        data_digest=dataset.digest,
        training_images=_training_images(subjects),
        watching=[one.name for one in subjects if one.recipe.monitored_split == "test"],
        epoch_columns=[
            f"{subject.name}, {split}"
            for subject in subjects
            for split in (subject.recipe.monitored_split, "training")
        ],
        epochs=_epochs(subjects),
        verdicts=judgement.verdicts(subjects),
        caveats=judgement.caveats(subjects),
        time_caveat=time_caveat([subject.run for subject in subjects]),
        origin=_beside([judgement.origin(subject) for subject in subjects]),
        settings=_beside([subject.recipe.to_json() for subject in subjects]),
    )


def _place(name: str, height: int) -> ChartPlace:
    tallest = STAGE_HEIGHTS.get(name, STAGE_HEIGHT)
    return ChartPlace(name, height, min(LARGEST, tallest / height))


def _run_contents(subject: Subject, test: Split, chart: ChartPlace) -> RunContents:
    report = class_report(subject.matrix, test.spec.class_names)
    took = epoch_time(subject.learning.epoch_seconds)
    rows = [tuple(f"{int(cell):,}" for cell in row) for row in subject.matrix]
    return RunContents(
        subject=subject,
        chart=chart,
        epoch_seconds=took.median_seconds if took else None,
        confusions=judgement.confusions(subject),
        matrix=list(zip(test.spec.class_names, rows, strict=True)),
        classes=judgement.class_rows(report),
        averages=judgement.class_rows(averages(report)),
        correct=example_images(right_examples(subject, test), test.spec.class_names),
        mistaken=example_images(wrong_examples(subject, test), test.spec.class_names),
        kept=judgement.kept(subject),
        command=judgement.command(subject.recipe),
    )


def _networks(subjects: Sequence[Subject]) -> list[NetworkContents]:
    """Returns the networks of the runs, each once, in the lab's order."""
    used = {subject.network for subject in subjects}
    found = []
    for name in filter(used.__contains__, NETWORKS):
        described = load_description(name)
        found.append(
            NetworkContents(
                network=NETWORKS[name],
                described=described,
                convolutions=sum(layer.kind == "Conv2D" for layer in described.layers),
                multiply_adds=f"{described.macs / 1e6:,.1f} million",
                drawing=network_svg(described),
            )
        )
    return found


def _training_images(subjects: Sequence[Subject]) -> str:
    """Returns how many images were trained on: ``45,000 of the 50,000``, ``the 50,000``."""
    counts = sorted({subject.recipe.learnt_pictures for subject in subjects})
    whole = f"the {subjects[0].recipe.spec.train_images:,}"
    if counts == [subjects[0].recipe.spec.train_images]:
        return whole
    ends = " to ".join(f"{count:,}" for count in dict.fromkeys((counts[0], counts[-1])))
    return f"{ends} of {whole}"


def _epochs(subjects: Sequence[Subject]) -> list[Row]:
    """Returns the accuracy of every run after every epoch, monitored and training in turns."""
    columns = [
        dict(zip(subject.learning.epochs, shares, strict=True))
        for subject in subjects
        for shares in (subject.learning.accuracy, subject.learning.train_accuracy)
    ]
    return [
        (str(epoch), tuple(formats.percent(column.get(epoch)) for column in columns))
        for epoch in sorted({epoch for column in columns for epoch in column})
    ]


def _beside(columns: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Returns a row for each key of the first mapping, with the value of each."""
    return [
        (key.replace("_", " "), tuple(column.get(key, "") for column in columns))
        for key in columns[0]
    ]
