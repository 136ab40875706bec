"""Each part of a report says what belongs to it: names, settings, classes, at most three verdicts.

The report is made of five runs whose names, networks and figures all differ.
"""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import pytest

from cifar_core import services
from cifar_core.charts import theme
from cifar_core.dataset import CIFAR10
from cifar_core.dataset.sample import load_sample
from cifar_core.formats import percent
from cifar_core.networks import NETWORKS
from cifar_core.report import document, figures, judgement
from cifar_core.report.subjects import EXAMPLES, Subject, gather, wrong_examples
from tests.report.oracle import Page, items_of, rows_of, text_of
from tools.fabricate import Fake, fabricate

FAKES = (
    Fake(run_id="a", name="Alder", network="cnn4", accuracy=0.55, seed=11, epochs=2),
    Fake(run_id="b", name="Birch", network="cnn6", accuracy=0.65, seed=12, epochs=1),
    Fake(run_id="c", name="Cedar", network="cnn4", accuracy=0.75, seed=13, epochs=1),
    Fake(run_id="d", name="Doum", network="cnn6", accuracy=0.85, seed=14, epochs=1),
    Fake(run_id="e", name="Elm", network="cnn4", accuracy=0.95, seed=15, epochs=1),
)


@pytest.fixture(scope="module")
def subjects(tmp_path_factory: pytest.TempPathFactory) -> list[Subject]:
    folder: Path = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR_LAB_RUNS", str(folder))
        for fake in FAKES:
            fabricate(folder, fake)
        return gather([services.read_run(fake.run_id) for fake in FAKES])


@pytest.fixture(scope="module")
def page(subjects: list[Subject]) -> Page:
    return Page(document.write(subjects, load_sample(), made_at=datetime.now(UTC)).encode())


@pytest.fixture(scope="module")
def stage(page: Page) -> list[Element]:
    return page.slides()


def test_a_drawings_region_is_named_after_its_network(page: Page) -> None:
    networks = page.section("networks")
    regions = [one for one in networks.iter("div") if "drawing" in one.get("class", "").split()]
    for region, name in zip(regions, ("cnn4", "cnn6"), strict=True):
        assert NETWORKS[name].title in region.attrib["aria-label"]


def test_every_setting_of_every_run_is_in_the_table_to_repeat_it(
    subjects: list[Subject], page: Page
) -> None:
    shown = page.table("again")
    for subject in subjects:
        values = {key.replace("_", " "): row[subject.name] for key, row in shown.items()}
        assert values == {
            key.replace("_", " "): str(value) for key, value in subject.recipe.to_json().items()
        }
    assert len({tuple(row.values()) for row in shown.values()}) == len(shown)


def test_the_columns_of_the_confusion_matrix_are_the_classes_in_order(
    subjects: list[Subject], page: Page
) -> None:
    for subject in subjects:
        table = next(one for part in page.of_runs()[subject.name] for one in part.iter("table"))
        (_, *columns), *rows = rows_of(table)
        assert tuple(columns) == tuple(CIFAR10.class_names)
        assert tuple(row[0] for row in rows) == tuple(CIFAR10.class_names)
        cells = [[int(cell.replace(",", "")) for cell in row[1:]] for row in rows]
        assert cells == subject.matrix.tolist()


def test_each_accuracy_is_drawn_with_its_runs_name_and_its_networks_colour(
    subjects: list[Subject],
) -> None:
    drawn = figures.accuracies(subjects).data[: len(subjects)]
    assert [row.y[0] for row in drawn] == [subject.name for subject in subjects]
    colours = [theme.network_colour(subject.network) for subject in subjects]
    assert [row.marker.color for row in drawn] == colours
    assert len(set(colours)) == 2


def test_each_large_figure_stands_with_the_name_of_its_run(
    subjects: list[Subject], stage: list[Element]
) -> None:
    (listed,) = [one for one in stage[0].iter("ul") if one.get("class") == "figures"]
    shown = {text_of(item[1]): text_of(item[0]) for item in listed}
    for subject in subjects[:3]:
        assert shown[subject.name] == percent(subject.accuracy.value)
    assert not shown.keys() & {subject.name for subject in subjects[3:]}
    assert [item.get("class") for item in listed] == ["cnn4", "cnn6", "cnn4", "tutorial"]


def test_the_slides_have_the_first_three_verdicts_and_thresholds(
    subjects: list[Subject], stage: list[Element]
) -> None:
    shown = [text_of(one) for slide in stage for one in slide.iter("p")]
    verdicts = judgement.verdicts(subjects)
    assert len(verdicts) == 4
    assert [sentence in shown for sentence in verdicts] == [True, True, True, False]
    items = [item for slide in stage for item in items_of(slide)]
    kept = [judgement.kept(subject) in items for subject in subjects]
    assert kept == [True, True, True, False, False]


def test_among_equally_confident_mistakes_the_first_images_are_shown(
    subjects: list[Subject],
) -> None:
    subject, test = subjects[0], load_sample().test
    labels = subject.answers.labels
    here = np.sort(test.indices)
    confident = here[::3]  # each as much as the others, among less confident ones
    guesses = (labels.astype(np.int64) + 1 + np.arange(len(labels)) % 4) % 10
    top = np.where(np.isin(np.arange(len(labels)), confident), 0.875, 0.5)
    shares = np.repeat((1 - top[:, None]) / 9, 10, axis=1).astype(np.float16)
    shares[np.arange(len(labels)), guesses] = top
    subject = dataclasses.replace(
        subject,
        answers=dataclasses.replace(subject.answers, probabilities=shares),
        figures=dataclasses.replace(subject.figures, temperature=None),
    )
    shown = wrong_examples(subject, test)
    first = confident[:EXAMPLES]
    assert np.array_equal(shown.images, test.images[np.searchsorted(here, first)])
    assert shown.guesses.tolist() == guesses[first].tolist()
    assert shown.truths.tolist() == labels[first].tolist()
    assert shown.sure.tolist() == [0.875] * EXAMPLES
