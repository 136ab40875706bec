"""The slides of a report, in their order, held against the files of its runs."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from cifar_core import services
from tests.pages.oracle_images import numbers_in
from tests.pages.oracle_runs import TUTORIAL, make_runs, mcnemar, percent
from tests.report.oracle import Page, charts_in, galleries_in, items_of, text_of
from tests.report.reported import (
    ORDER,
    Reported,
    check_examples,
    check_threshold,
    pairs_of,
    right_places,
    wrong_places,
)
from tools.fabricate import Fake

BEST = "Another"


def headline(page: Page) -> list[tuple[str, str]]:
    """Returns name and figure of each large figure on the first slide."""
    first, *_ = page.slides()
    (figures,) = [one for one in first.iter("ul") if one.get("class") == "figures"]
    return [(text_of(item[1]), text_of(item[0])) for item in figures]


def slide_with(page: Page, chart: str) -> int:
    """Returns the place of the slide that shows a chart."""
    (place,) = [at for at, slide in enumerate(page.slides()) if chart in charts_in(slide)]
    return place


def test_the_first_slide_has_each_runs_own_accuracy_and_the_tutorials_better_one(
    reported: Reported,
) -> None:
    *own, (tutorial, figure) = headline(reported.page)
    assert own == [(name, percent(reported.test(name).accuracy)) for name in ORDER]
    network = max(TUTORIAL, key=TUTORIAL.__getitem__)
    assert network in tutorial
    assert figure == percent(TUTORIAL[network] / 10_000)


def test_the_charts_stand_in_the_order_of_the_document(reported: Reported) -> None:
    shown = [name for slide in reported.page.slides() for name in charts_in(slide)]
    assert shown == ["learning", "accuracy", "matrix-0", "reliability"]


def test_the_slide_of_mistakes_is_of_the_more_accurate_run(reported: Reported) -> None:
    slide = reported.page.slides()[slide_with(reported.page, "matrix-0")]
    assert BEST in text_of(slide[0])
    shown = [numbers_in(sentence) for sentence in items_of(slide)]
    assert shown == pairs_of(reported.test(BEST), 4)


def test_the_best_runs_matrix_is_shown_wherever_it_stands(runs_dir: Path) -> None:
    fakes = [
        Fake(run_id=f"run-{place}", name=f"Run {place}", accuracy=accuracy, seed=place, epochs=1)
        for place, accuracy in enumerate((0.5, 0.6, 0.8), start=1)
    ]
    files = make_runs(runs_dir, *fakes)
    page = Page(services.make_report([services.read_run(fake.run_id) for fake in fakes]))
    slide = page.slides()[slide_with(page, "matrix-2")]
    shown = [numbers_in(sentence) for sentence in items_of(slide)]
    assert shown == pairs_of(files["run-3"].test(), 4)
    tests = [(fake.name, files[fake.run_id].test()) for fake in fakes]
    (verdicts,) = [
        [text_of(one) for one in slide.iter("p")]
        for slide in page.slides()
        if text_of(slide).count("McNemar") == 2
    ]
    for sentence, ((one, a), (other, b)) in zip(verdicts, pairwise(tests), strict=True):
        only_a, only_b, _ = mcnemar(a, b)
        given = numbers_in(sentence.replace(one, "").replace(other, ""))
        wanted = [100 * a.accuracy, 100 * b.accuracy, (only_b - only_a) / 100]
        assert given[1:4] == pytest.approx(wanted, abs=0.051)
        assert sentence.index(one) < sentence.index(other)


def test_the_slides_of_images_are_the_best_runs_most_confident_ones(reported: Reported) -> None:
    (right,), (wrong,) = filter(None, map(galleries_in, reported.page.slides()))
    check_examples(reported, BEST, right, right_places(reported, BEST))
    check_examples(reported, BEST, wrong, wrong_places(reported, BEST))


def test_the_comparison_slide_says_what_the_document_says(reported: Reported) -> None:
    sentence, *_ = reported.page.sentences("comparison")
    shown = [text_of(one) for slide in reported.page.slides() for one in slide.iter("p")]
    assert shown.count(sentence) == 1


def test_the_slide_of_confidence_has_each_runs_own_threshold(reported: Reported) -> None:
    slide = reported.page.slides()[slide_with(reported.page, "reliability")]
    for name, sentence in zip(ORDER, items_of(slide), strict=True):
        check_threshold(reported, name, sentence)
