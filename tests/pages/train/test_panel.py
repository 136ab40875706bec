"""One run on the Train page: progress, curves, log."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from cifar_core import recipes, services
from cifar_core.dataset.sample import load_sample
from cifar_core.errors import RunError
from cifar_core.runs.folder import Label, MetricRow, RunFolder, State, Status
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.train import run_details
from tests.pages.shown import new_page
from tests.pages.train.tool import (
    alive,
    button,
    make_run,
    page,
    shown,
    table,
)
from tools.fabricate import Fake, fabricate

SERVERS = "%-d %b %Y %H:%M %Z"
"""How a moment is told to whose zone is not known: in this machine's, by its name."""


@pytest.mark.parametrize("run_id", ["nobody", "../../etc", "<script>", "x" * 5000])
def test_an_address_of_no_run_gets_a_sentence(run_id: str) -> None:
    app = page(run=run_id)
    assert not app.exception
    assert "There is no run" in shown(app)
    assert "<script>" not in " ".join(element.proto.body for element in app.get("html"))


def test_a_start_is_told_in_the_time_of_the_visitor(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = datetime(2024, 3, 5, 23, 21, tzinfo=UTC).timestamp()
    run = make_run(runs_dir, "cnn4-standard-1", State.STOPPED, epoch=1)
    run.write_label(Label("", "", late))
    told = {}
    for zone in ("Asia/Tokyo", "America/New_York", "nowhere", "../../etc/passwd", None):
        monkeypatch.setattr(ContextProxy, "timezone", zone)
        monkeypatch.setattr(ContextProxy, "timezone_offset", -345)  # Nepal
        told[zone] = re.findall(r"started ([^·]*?) ·", shown(page(run="cnn4-standard-1")))
    assert told["Asia/Tokyo"] == ["6 Mar 2024 08:21"]
    assert told["America/New_York"] == ["5 Mar 2024 18:21"]
    assert told["nowhere"] == told["../../etc/passwd"] == ["6 Mar 2024 05:06"]
    assert told[None] == [f"{datetime.fromtimestamp(late).astimezone():{SERVERS}}"]


def test_a_failed_run_shows_its_reason_and_the_next_step(runs_dir: Path) -> None:
    make_run(
        runs_dir, "cnn4-standard-1", State.FAILED, reason="The disk is full.", remedy="Make room."
    )
    app = page(run="cnn4-standard-1")
    assert "The disk is full." in shown(app)
    assert "Make room." in shown(app)


def test_a_living_run_shows_progress_times_and_curves(runs_dir: Path) -> None:
    folder = make_run(
        runs_dir,
        "cnn4-standard-1",
        State.RUNNING,
        epoch=1,
        step=88,
        steps_per_epoch=352,
        setup_seconds=8.0,
        running_seconds=90.0,
        closing_seconds=2.0,
        waiting_seconds=60.0,
        eta_seconds=300.0,
        images_per_second=480.4,
        accuracy=0.5,
        best_accuracy=0.5,
        best_epoch=1,
    )
    step = {"loss": 2.0, "accuracy": 0.3, "learning_rate": 0.1, "images_per_second": 480.0}
    folder.append_metrics([MetricRow(kind="step", epoch=0.5, seconds=50.0, **step)])
    with alive(folder):
        app = page(run="cnn4-standard-1")
    assert not app.exception
    figures = {item.label: item.value for item in app.metric}
    assert figures["Training"] == "1 min 40 s"
    assert figures["Waited"] == "1 min"
    assert figures["Time left"] == "5 min"
    assert figures["Accuracy"] == "50.0% ± 1.4"
    assert figures["Pictures per second"] == "480"
    assert figures["Best, epoch 1"] == "50.0%"
    assert len(app.get("vega_lite_chart")) == 2


def test_the_end_of_a_watched_run_is_told_once(runs_dir: Path) -> None:
    folder = make_run(runs_dir, "cnn4-standard-1", State.RUNNING)
    with alive(folder):
        app = page(run="cnn4-standard-1")
        assert not app.toast
        folder.write_status(Status(state=State.STOPPED))
    app.run()
    assert ["has stopped" in item.value for item in app.toast] == [True]
    assert not app.run().toast


def test_a_waiting_run_says_how_many_are_before_it(runs_dir: Path) -> None:
    runs_dir.mkdir()
    first = services.start_run(recipes.recipe("standard", "cnn4"))
    second = services.start_run(recipes.recipe("standard", "cnn6"))
    with alive(RunFolder(runs_dir / first)), alive(RunFolder(runs_dir / second)):
        app = page(run=second)
        assert "Waiting, 1 before it" in shown(app)
        assert "Waiting, next" in list(table(app)["State"])[1]


def test_the_log_is_shown_as_it_was_printed(runs_dir: Path) -> None:
    folder = make_run(runs_dir, "cnn4-standard-1", State.FAILED)
    folder.log_path.write_bytes(b"<b>bold</b> # no heading\n\xff\xfe")
    app = new_page("train")
    app.query_params["run"] = "cnn4-standard-1"
    app.session_state["panel_open_log"] = True
    app.run()
    assert "<b>bold</b> # no heading" in app.code[0].value


def test_through_the_app_the_page_is_the_same() -> None:
    app = new_page("app").run()
    app.switch_page("pages/train.py").run()
    assert not app.exception
    assert app.title[0].value == "Train"
    assert button(app, "Start training")


def test_a_run_shown_by_the_address_is_json_safe(runs_dir: Path) -> None:
    folder = make_run(runs_dir, "cnn4-standard-1", State.STOPPED)
    row = {"kind": "epoch", "epoch": 1, "loss": float("nan"), "accuracy": 0.1}
    rest = {"learning_rate": 0.1, "images_per_second": 1.0, "seconds": 1.0}
    folder.metrics_path.write_text(json.dumps({**row, **rest}) + "\n")
    assert not page(run="cnn4-standard-1").exception


@pytest.mark.parametrize("run_id", ["a" * 5000, "../runs", "a/b", "", "\0"])
def test_an_impossible_run_id_is_answered_in_a_sentence(run_id: str) -> None:
    with pytest.raises(RunError):
        services.read_run(run_id)


def open_drawer(run_id: str, name: str) -> AppTest:
    app = new_page("train")
    app.query_params["run"] = run_id
    app.session_state[f"panel_open_{name}"] = True
    return app.run()


@pytest.mark.parametrize(("recipe", "split"), [("standard", "Validation"), ("tutorial", "Test")])
def test_the_figures_of_every_epoch_name_the_split_that_is_watched(
    runs_dir: Path, recipe: str, split: str
) -> None:
    fabricate(runs_dir, Fake(run_id="one", recipe=recipe))
    (table,) = [
        item.value for item in open_drawer("one", "figures").dataframe if "Seconds" in item.value
    ]
    assert [name for name in map(str, table) if name.endswith("accuracy")] == [
        "Training accuracy",
        f"{split} accuracy",
    ]


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab has the shipped sample and no more."""
    monkeypatch.setattr(services, "open_dataset", load_sample)


@pytest.mark.usefixtures("sample")
def test_ten_pictures_are_followed_epoch_by_epoch(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    app = open_drawer("one", "pictures")
    assert not app.exception
    run = services.read_run("one")
    found = services.read_predictions(run)
    epochs, answers = services.read_course(run, found, range(len(found.labels)))
    assert epochs.tolist() == [1, 2, 3]
    assert (answers[-1] == found.probabilities).all()
    assert (answers[0] == services.read_predictions(run, epoch=1).probabilities).all()
    assert "the first of each class among them" in shown(app)
    table = run_details.course_table(epochs, answers[:, :2], found.labels[:2])
    assert table["Epoch"].tolist() == [1, 2, 3]
    assert table.iloc[-1, 1] == pytest.approx(found.probabilities[0, found.labels[0]])


@pytest.mark.usefixtures("sample")
def test_where_no_watched_picture_is_at_hand_the_drawer_says_so(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one", changes={"validation_pictures": 10}))
    app = open_drawer("one", "pictures")
    assert not app.exception
    assert "None of the watched pictures is in the sample" in shown(app)


def test_a_shipped_history_says_that_its_answers_stayed_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    words = shown(open_drawer("cnn4-quick-1", "pictures"))
    assert "came with the lab without its answers" in words
    assert "Wait" not in words


def test_the_source_of_a_run_names_its_cores_threads_and_load(runs_dir: Path) -> None:
    make_run(
        runs_dir,
        "cnn4-standard-1",
        State.STOPPED,
        cores=6,
        threads=3,
        load_at_start=0.44,
        load_median=5.21,
    )
    words = shown(page(run="cnn4-standard-1"))
    for figure in ("6 cores", "3 threads", "load 0.4 before, 5.2 during"):
        assert figure in words


def test_the_time_of_a_run_is_explained_by_its_parts(runs_dir: Path) -> None:
    make_run(
        runs_dir,
        "cnn4-standard-1",
        State.STOPPED,
        setup_seconds=11.0,
        running_seconds=29.0,
        closing_seconds=40.0,
    )
    (figure,) = [item for item in page(run="cnn4-standard-1").metric if item.label == "Training"]
    assert figure.value == "1 min 20 s"
    for part in ("11 s", "29 s", "40 s"):
        assert part in figure.help
