"""What browser tests share that look at a confusion matrix and the pictures behind its cells."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import numpy as np
from playwright.sync_api import expect

from cifar_core import services
from cifar_core.evaluation.calibration import apply_temperature
from cifar_core.runs.results import Predictions

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CELL_CENTRE = """(plot, [column, row]) => {
  const box = plot.getBoundingClientRect(), {xaxis, yaxis} = plot._fullLayout;
  return [box.x + xaxis._offset + xaxis.c2p(column), box.y + yaxis._offset + yaxis.c2p(row)];
}"""


AT_REST = """() => {
  const isBusy = document.querySelector('[data-test-script-state=running]')
    || !document.querySelector('.js-plotly-plot');
  window.restingSince = isBusy ? undefined : window.restingSince ?? performance.now();
  return !isBusy && performance.now() - window.restingSince > 1000;
}"""
"""A page that has just been opened is quiet for a moment before its script begins."""


def matrix_at(page: Page, place: int = 0) -> Locator:
    """Waits until the chart at a place of the page is drawn whole."""
    chart = page.locator(".js-plotly-plot").nth(place)
    chart.locator(".heatmaplayer image, .heatmaplayer path").first.wait_for(state="attached")
    return chart


def click_cell(page: Page, *, true: int, predicted: int, place: int = 0) -> None:
    """Clicks a cell of the matrix at a place, as soon as the page is at rest."""
    page.evaluate("() => { window.restingSince = undefined; }")
    page.wait_for_function(AT_REST)
    chart = matrix_at(page, place)
    chart.scroll_into_view_if_needed()
    x, y = chart.evaluate(CELL_CENTRE, [predicted, true])
    page.mouse.move(x, y)
    page.locator(".hoverlayer .hovertext").first.wait_for()
    chart.evaluate("chart => chart.isOld = true")
    page.mouse.click(x, y)
    # The chart is drawn anew, with the cell framed: a click before that would be lost.
    page.wait_for_function(
        "place => !(document.querySelectorAll('.js-plotly-plot')[place] ?? {isOld: true}).isOld",
        arg=place,
    )


def expect_pictures(page: Page, wanted: list[int], split: str = "test") -> None:
    """Waits until the gallery shows exactly these pictures."""
    notes = page.locator(".lab-gallery .lab-note")
    expect(notes).to_have_text([re.compile(rf"{split}\s{index}$") for index in wanted])


def wanted_test_indices(run_id: str, *, true: int, predicted: int) -> list[int]:
    """Returns the first page of a cell's test pictures, the surest calibrated answer first."""
    run = services.read_run(run_id)
    answers, figures = services.read_test_predictions(run), services.read_evaluation(run)
    assert figures is not None
    assert figures.temperature is not None
    calibrated = apply_temperature(answers.probabilities, figures.temperature).astype(np.float32)
    served = dataclasses.replace(answers, probabilities=calibrated)
    return wanted_indices(served, true=true, predicted=predicted)


def wanted_indices(answers: Predictions, *, true: int, predicted: int) -> list[int]:
    """Returns the first page of a cell's pictures, straight from the answers."""
    guesses = answers.probabilities.argmax(axis=1)
    places = np.flatnonzero((answers.labels == true) & (guesses == predicted))
    order = np.argsort(-answers.probabilities[places].max(axis=1), kind="stable")
    return [int(index) for index in answers.indices[places[order]][:12]]
