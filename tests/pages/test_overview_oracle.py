"""What Overview shows of runs, held against their files and the tutorial's printed matrices."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cifar_core.jobs.lock import try_lock
from cifar_core.runs.folder import RunFolder, State
from tests.pages.oracle import CLASSES, RunFiles, accuracy_words, images, labels, wilson
from tests.pages.oracle_images import numbers_in
from tests.pages.oracle_runs import (
    TUTORIAL,
    best_of,
    last_answers,
    make_runs,
    mcnemar,
    percent,
    seconds_of,
    status_of,
)
from tests.pages.shown import charts_of, html_of, metrics_of, open_page, words_of
from tools.fabricate import Fake

CHOSEN = Fake(run_id="chosen", name="Chosen", accuracy=0.67, seed=4, epoch_seconds=31.0)
BETTER_ON_TEST = Fake(
    run_id="later", name="Later", accuracy=0.7, epochs=8, best=6, seed=6, epoch_seconds=50.0
)
MONITORS_TEST = Fake(
    run_id="watcher", name="Watcher", recipe="tutorial-repaired", accuracy=0.75, seed=7
)
SIX = Fake(run_id="six", name="Six", network="cnn6", accuracy=0.735, seed=11, epoch_seconds=1_300.0)
SEVEN = Fake(
    run_id="seven", name="Seven", network="cnn7", accuracy=0.91, seed=2, epoch_seconds=9_000.0
)
SHOWN = ("chosen", "six", "seven")


@pytest.fixture
def runs(runs_dir: Path) -> dict[str, RunFiles]:
    return make_runs(runs_dir, CHOSEN, BETTER_ON_TEST, MONITORS_TEST, SIX, SEVEN)


def right_of(files: RunFiles) -> int:
    return int(files.test().is_right.sum())


def test_the_run_chosen_by_validation_is_not_the_best_on_the_test_images(
    runs: dict[str, RunFiles],
) -> None:
    assert right_of(runs["chosen"]) < right_of(runs["later"]) < right_of(runs["watcher"])
    last = last_answers(runs["chosen"]).accuracy
    assert last_answers(runs["later"]).accuracy < last < best_of(runs["later"])[1]


def test_each_network_has_the_figures_of_its_best_run_by_validation(
    runs: dict[str, RunFiles],
) -> None:
    app = open_page("overview")
    shown = {label.split(",")[0]: value for label, value in metrics_of(app).items()}
    wanted = {runs[name].read("label.json")["name"]: right_of(runs[name]) for name in SHOWN}
    right = {label: value for label, value in shown.items() if "tutorial" not in label}
    assert right == {name: accuracy_words(count, 10_000) for name, count in wanted.items()}
    took = {metric.label.split(",")[0]: metric.delta for metric in app.metric}
    for run_id in SHOWN:
        name, seconds = runs[run_id].read("label.json")["name"], status_of(runs[run_id])
        assert seconds_of(took[name]) == pytest.approx(seconds["running_seconds"], abs=30)


def test_the_headline_figures_are_those_of_evaluation_json(runs: dict[str, RunFiles]) -> None:
    for name in SHOWN:
        assert runs[name].evaluation["right"] == right_of(runs[name])


def test_the_tutorials_better_accuracy_stands_beside_them(runs: dict[str, RunFiles]) -> None:
    shown = [(item.label, item.value) for item in open_page("overview").metric]
    ((label, value),) = [item for item in shown if "tutorial" in item[0]]
    network = max(TUTORIAL, key=TUTORIAL.__getitem__)
    assert network in label
    assert value == accuracy_words(TUTORIAL[network], 10_000)


def test_the_chart_has_every_accuracy_with_its_wilson_interval(runs: dict[str, RunFiles]) -> None:
    (chart,) = charts_of(open_page("overview")).values()
    rows = [(trace["y"][0], trace) for trace in chart["data"]]
    own = [(runs[name].read("label.json")["name"], right_of(runs[name])) for name in SHOWN]
    wanted = [*own[:2], *TUTORIAL.items(), own[2]]
    for (shown, trace), (name, right) in zip(rows, wanted, strict=True):
        assert name in shown
        low, high = wilson(right, 10_000)
        (x,), error = trace["x"], trace["error_x"]
        assert x == pytest.approx(right / 100, abs=0.006)
        assert x + error["array"][0] == pytest.approx(100 * high, abs=0.002)
        assert x - error["arrayminus"][0] == pytest.approx(100 * low, abs=0.002)
        assert (trace["marker"]["symbol"] == "square") == (name in TUTORIAL)


def test_the_comparison_is_of_the_two_networks_that_answer_the_question(
    runs: dict[str, RunFiles],
) -> None:
    four, six = runs["chosen"].test(), runs["six"].test()
    only_four, only_six, p = mcnemar(four, six)
    (text,) = [item.value for item in open_page("overview").text if "McNemar" in item.value]
    total, first, second, lead, *_ = numbers_in(text)
    assert total == 10_000
    assert [first, second] == pytest.approx([100 * four.accuracy, 100 * six.accuracy], abs=0.051)
    assert lead == pytest.approx((only_six - only_four) / 100, abs=0.051)
    assert p < 0.001
    assert text.index("Chosen") < text.index("Six")


@pytest.mark.data
def test_the_strip_has_the_first_test_image_of_each_class() -> None:
    body = html_of(open_page("overview"))
    figures = re.findall(r'<figure><img src="data:image/png;base64,([^"]+)".*?</figure>', body)
    names = re.findall(r"<figcaption>(\w+)</figcaption>", body)
    assert names == list(CLASSES)
    for label, coded in enumerate(figures):
        pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(coded))))
        first = int(np.flatnonzero(labels()[1] == label)[0])
        assert np.array_equal(pixels[::2, ::2], images("test")[first])


def test_what_trains_now_stands_with_its_own_progress(runs_dir: Path) -> None:
    living: dict[str, dict[str, Any]] = {
        "part": {"epochs": 8, "done": 4, "best": 2, "accuracy": 0.2},
        "most": {"epochs": 5, "done": 4, "best": 2, "network": "cnn6", "accuracy": 0.3},
    }
    fakes = {
        run_id: dataclasses.replace(CHOSEN, run_id=run_id, name=run_id, state=State.RUNNING, **more)
        for run_id, more in living.items()
    }
    runs = make_runs(runs_dir, *fakes.values(), dataclasses.replace(SIX, state=State.STOPPED))
    left = {"part": 840.0, "most": 75.0}
    locks = []
    for run_id, seconds in left.items():
        status = status_of(runs[run_id])
        status |= {"eta_seconds": seconds, "heartbeat_at": time.time()}
        (runs[run_id].path / "status.json").write_text(json.dumps(status))
        locks.append(try_lock(RunFolder(runs[run_id].path).lock_path))
    bars = [item.proto for item in open_page("overview").get("progress")]
    shown = {bar.text.split(" ")[0]: bar for bar in bars}
    assert set(shown) == set(left)
    for run_id, bar in shown.items():
        fake = fakes[run_id]
        assert bar.value == round(100 * (fake.done or 0) / fake.epochs)
        text = bar.text.replace("\\", "")
        assert f"{fake.done} of {fake.epochs}" in text
        assert percent(last_answers(runs[run_id]).accuracy) in text
        assert percent(best_of(runs[run_id])[1]) not in text
        assert seconds_of(text) == left[run_id]


def test_nothing_trains_where_nothing_lives(runs: dict[str, RunFiles]) -> None:
    app = open_page("overview")
    assert not app.get("progress")
    assert words_of(app)
