from __future__ import annotations

import json
import math
import os
import re
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.train import live_points
from cifar_core.ui.train.live_chart import specification
from cifar_core.ui.train.live_points import Line, Value
from tests.waiting import await_server, killed_at_the_end, start_mortal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Each tick of the fragment adds half an epoch; the app never asks for the clock.
APP = """
import math
import streamlit as st
from cifar_core.ui.train.live_chart import live_curves
from cifar_core.ui.train.live_points import Line

st.session_state.setdefault("ticks", 20)

@st.fragment(run_every=1)
def panel():
    st.session_state.ticks += 1
    halves = range(st.session_state.ticks)
    shares = [0.8 - 0.7 * math.exp(-half / 20) for half in halves]
    lines = {
        "train": Line([half / 2 for half in halves], shares),
        "validation": Line(
            [half / 2 for half in halves[2::2]], [share - 0.02 for share in shares[2::2]]
        ),
    }
    live_curves(lines, key="curves", value="accuracy", colour="#0f8a5f", epochs=100)
    st.text(f"ticks {st.session_state.ticks}")

panel()
"""

LINES = """() => [...document.querySelectorAll('.st-key-curves .mark-line path')]
    .map(path => path.getAttribute('d').split('L').length)"""
FAINT = """() => [...document.querySelectorAll('.st-key-curves .mark-line path')]
    .map(path => Number(path.getAttribute('opacity') ?? 1) < 0.2)"""
AXES = """() => [...document.querySelectorAll('.st-key-curves .role-axis-label text')]
    .map(text => text.textContent).sort().join(' ')"""
MORE_THAN = """number => {
    const paths = [...document.querySelectorAll('.st-key-curves .mark-line path')];
    return paths.reduce((sum, path) => sum + path.getAttribute('d').split('L').length, 0) > number;
}"""


def rows(*measurements: tuple[float, float | None, str]) -> dict[str, Line]:
    """Returns (epoch, value, series) as lines."""
    return {
        name: Line(
            [epoch for epoch, _, series in measurements if series == name],
            [value for _, value, series in measurements if series == name],
        )
        for name in dict.fromkeys(series for _, _, series in measurements)
    }


def prepare(lines: dict[str, Line], value: Value, until: float | None = None) -> pd.DataFrame:
    """Returns the points that are sent, as a table one can ask."""
    return pd.DataFrame(live_points.prepare(lines, value, until).to_pandas())


@pytest.mark.parametrize(("value", "best"), [("accuracy", 2.0), ("loss", 1.0)])
def test_the_best_validation_is_marked_by_what_best_means(value: Value, best: float) -> None:
    points = prepare(
        rows(
            (1, 0.2, "validation"),
            (2, 0.9, "validation"),
            (3, 0.5, "validation"),
            (3, 0.99, "train"),
        ),
        value,
    )
    assert points.loc[points["mark"] == "best", "epoch"].tolist() == [best]
    assert points.loc[points["mark"] == "last", "epoch"].tolist() == [3.0, 3.0]


def test_the_labels_of_two_ends_stand_apart() -> None:
    points = prepare(rows((1, 0.5, "train"), (1, 0.51, "validation")), "accuracy")
    assert dict(zip(points["series"], points["side"], strict=True)) == {
        "train": "below",
        "validation": "above",
    }


def sides(points: pd.DataFrame) -> dict[str, str]:
    """Returns where the labels stand, by series and mark."""
    marked = points[points["mark"] != ""]
    names = marked["series"].astype(str) + " " + marked["mark"].astype(str)
    return dict(zip(names, marked["side"], strict=True))


def test_labels_do_not_lie_on_each_other_where_a_run_stands_still_at_the_bottom() -> None:
    measured = [(epoch, 0.1, "test") for epoch in (1, 2, 3)] + [(3.4, 0.101, "train")]
    points = prepare(rows(*measured), "accuracy", until=10)
    assert sides(points) == {"test best": "unsaid", "test last": "above", "train last": "higher"}


@pytest.mark.parametrize(
    ("best", "last", "train", "side"),
    [
        ((5, 0.9), (30, 0.6), (30, 0.5), "above"),  # far from it, and higher
        ((28, 0.61), (30, 0.6), (30, 0.5), "unsaid"),
        ((16, 0.61), (30, 0.6), (30, 0.5), "unsaid"),  # they run towards each other
        ((2, 0.61), (30, 0.6), (30, 0.5), "above"),
        ((28, 0.9), (30, 0.6), (30, 0.5), "above"),
    ],
)
def test_the_best_epoch_is_said_where_it_has_room(
    best: tuple[float, float], last: tuple[float, float], train: tuple[float, float], side: str
) -> None:
    measured = rows((*best, "validation"), (*last, "validation"), (*train, "train"))
    assert sides(prepare(measured, "accuracy", until=30))["validation best"] == side


@pytest.mark.parametrize("loss", [0.0, math.inf])
def test_a_loss_of_nothing_or_without_end_does_not_confuse_the_labels(loss: float) -> None:
    points = prepare(rows((1, 0.0, "train"), (1, 0.0, "test"), (2, loss, "test")), "loss")
    assert sorted(points.loc[points["mark"] == "last", "side"]) == ["above", "higher"]


def test_every_place_a_label_can_have_is_drawn_and_the_unsaid_are_not() -> None:
    chart = json.dumps(specification("loss", colour="#0f8a5f", height=320))
    places = re.findall(r"datum.mark == '(\w+)' && datum.side == '(\w+)'", chart)
    assert sorted(places) == [
        ("best", "above"), ("last", "above"), ("last", "below"), ("last", "higher")
    ]  # fmt: skip


def test_a_long_run_is_thinned_but_keeps_its_ends_and_every_validation() -> None:
    measured = [(step / 100, 0.5, "train") for step in range(10_000)]
    measured += [(float(epoch), 0.5, "validation") for epoch in range(1, 100)]
    points = prepare(rows(*measured), "accuracy")
    assert len(points) <= 1300
    assert (points["series"] == "validation").sum() == 99
    assert points["epoch"].max() == pytest.approx(99.99)


def test_before_the_first_measurement_there_is_nothing_to_mark() -> None:
    assert prepare(rows(), "loss").empty


def test_what_was_not_measured_is_left_out() -> None:
    points = prepare(
        rows((0, None, "train"), (1, float("nan"), "train"), (2, 0.5, "train")), "accuracy"
    )
    assert points["epoch"].tolist() == [2.0]


def test_the_axis_ends_where_the_run_will_end() -> None:
    chart = specification("accuracy", colour="#0f8a5f", height=320, epochs=30)
    assert chart["encoding"]["x"]["scale"]["domain"] == [0, 30]


def test_the_watched_split_is_called_by_its_name() -> None:
    chart = specification("accuracy", colour="#0f8a5f", height=320, watched="test")
    assert chart["encoding"]["color"]["scale"]["domain"] == ["training", "test"]
    assert "validation" not in json.dumps(chart)


def test_the_best_is_marked_whatever_the_watched_split_is_called() -> None:
    points = prepare(rows((1, 0.9, "test"), (2, 0.5, "test"), (2, 0.95, "train")), "accuracy")
    assert points.loc[points["mark"] == "best", "epoch"].tolist() == [1.0]


@pytest.mark.parametrize(("count", "has_dots"), [(1, True), (2, True), (8, True), (9, False)])
def test_a_line_too_short_to_be_seen_has_dots(count: int, has_dots: bool) -> None:
    points = prepare(rows(*((step / 10, 0.5, "train") for step in range(count))), "loss")
    assert points["few"].unique().tolist() == [has_dots]


def test_the_axes_leave_room_above_the_highest_point_for_its_label() -> None:
    accuracy = specification("accuracy", colour="#0f8a5f", height=320)
    assert accuracy["encoding"]["y"]["scale"]["domain"][1] > 1
    loss = json.dumps(specification("loss", colour="#0f8a5f", height=320))
    assert "headroom" in loss


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("live_chart")
    script = folder / "live_app.py"
    script.write_text(textwrap.dedent(APP), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script)]
    command += ["--server.address=127.0.0.1", f"--server.port={port}", "--server.headless=true"]
    command += ["--server.fileWatcherType=none", "--browser.gatherUsageStats=false"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_DIR)}
    url = f"http://127.0.0.1:{port}"
    with (folder / "server.log").open("wb") as log:
        server = start_mortal(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    with killed_at_the_end(server):
        await_server(url, server, folder / "server.log")
        yield url


@pytest.fixture
def page(address: str, browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    page.goto(address)
    page.wait_for_selector(".st-key-curves svg.marks .mark-line path", timeout=60_000)
    yield page
    page.close()


def wait_for_ticks(page: Page, number: int) -> None:
    """Waits until the chart has drawn what so many further ticks brought."""
    before = sum(page.evaluate(LINES))
    page.wait_for_function(MORE_THAN, arg=before + number, timeout=60_000)


def zoom_in(page: Page) -> None:
    before = page.evaluate(AXES)
    chart = page.locator(".st-key-curves svg.marks")
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"])
    page.keyboard.down("Control")
    for _ in range(6):
        page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    page.wait_for_function(f"before => ({AXES})() !== before", arg=before, timeout=60_000)
    # The last turns of the wheel are on their way: the view stands once it is reported.
    wait_for_ticks(page, 2)


@pytest.mark.browser
def test_new_points_arrive_and_the_zoom_stays(page: Page) -> None:
    whole = page.evaluate(AXES)
    zoom_in(page)
    zoomed = page.evaluate(AXES)
    assert zoomed != whole
    page.evaluate("document.querySelector('.st-key-curves svg.marks').dataset.seen = 'yes'")
    wait_for_ticks(page, 4)
    assert page.evaluate(AXES) == zoomed
    # The very element is still there: nothing was drawn anew, so nothing flickered.
    seen = page.evaluate("document.querySelector('.st-key-curves svg.marks').dataset.seen")
    assert seen == "yes"


@pytest.mark.browser
def test_a_double_click_shows_the_whole_run_again(page: Page) -> None:
    whole = page.evaluate(AXES)
    zoom_in(page)
    assert page.evaluate(AXES) != whole
    page.locator(".st-key-curves svg.marks").dblclick(position={"x": 500, "y": 150})
    page.wait_for_function(f"whole => ({AXES})() === whole", arg=whole, timeout=60_000)


@pytest.mark.browser
def test_a_series_shown_alone_stays_alone(page: Page) -> None:
    assert page.evaluate(FAINT) == [False, False]
    page.locator(".st-key-curves .role-legend-label text").filter(has_text="training").click()
    page.wait_for_function(f"() => ({FAINT})().includes(true)", timeout=60_000)
    alone = page.evaluate(FAINT)
    wait_for_ticks(page, 4)
    assert page.evaluate(FAINT) == alone
    assert sorted(alone) == [False, True]


@pytest.mark.browser
def test_pointing_at_a_measurement_shows_a_sentence(page: Page) -> None:
    box = page.locator(".st-key-curves svg.marks").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 120, box["y"] + 180)
    page.mouse.move(box["x"] + 124, box["y"] + 184, steps=3)
    tooltip = page.wait_for_selector("#vg-tooltip-element.visible", timeout=60_000)
    assert tooltip is not None
    text = tooltip.inner_text()
    assert text.startswith("Epoch ")
    assert text.endswith(" pictures right")
