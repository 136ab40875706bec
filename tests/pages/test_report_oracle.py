"""What the page Report hands out: the report of the chosen runs, the chosen model's files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.oracle import (
    CLASSES,
    RunFiles,
    accuracy_words,
    calibration_error,
)
from tests.pages.oracle_runs import (
    FIRST,
    SECOND,
    THIRD,
    add_files,
    make_runs,
    percent,
    seconds_of,
    status_of,
)
from tests.pages.shown import Downloads, open_page
from tests.report.oracle import Page
from tools.fabricate import Fake

MODELS = ("model.keras", "model.tflite")
WEAKER = Fake(run_id="weaker", name="Weaker", accuracy=0.5, seed=12, epochs=2)


@pytest.fixture
def runs(runs_dir: Path) -> dict[str, RunFiles]:
    made = make_runs(runs_dir, FIRST, SECOND, THIRD, WEAKER)
    for run_id in ("first", "second", "weaker"):
        add_files(made[run_id], **{name: f"{run_id} {name}".encode() for name in MODELS})
    return made


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ({}, ["Mine", "Another"]),
        ({"runs": "second,first"}, ["Another", "Mine"]),
        ({"runs": "weaker,second"}, ["Weaker", "Another"]),
        ({"runs": "weaker,third"}, ["Weaker"]),
    ],
)
def test_the_report_is_on_the_runs_of_the_address_in_their_order(
    runs: dict[str, RunFiles], downloads: Downloads, address: dict[str, str], wanted: list[str]
) -> None:
    open_page("report", **address)
    page = Page(downloads.by_key("report_save"))
    own = {name: row for name, row in page.table("answer").items() if "Tutorial" not in name}
    assert list(own) == wanted
    by_name = {files.read("label.json")["name"]: files for files in runs.values()}
    for name, row in own.items():
        right = int(by_name[name].test().is_right.sum())
        assert list(row.values())[2] == accuracy_words(right, 10_000)


def test_the_report_that_is_read_or_presented_is_the_one_that_is_saved(
    runs: dict[str, RunFiles], downloads: Downloads
) -> None:
    app = open_page("report", runs="second,weaker")
    app.toggle(key="report_read").set_value(True).run()
    saved = downloads.by_key("report_save").decode()
    assert app.get("iframe")[0].proto.srcdoc == saved
    staged = open_page("report", runs="second,weaker", present="1").get("iframe")[0].proto.srcdoc
    assert Page(staged.encode()).figures.keys() == Page(saved.encode()).figures.keys()
    assert Page(staged.encode()).table("answer") == Page(saved.encode()).table("answer")


def chosen(app: AppTest) -> str:
    """Returns the model that the page names."""
    assert not app.exception
    return str(app.selectbox(key="report_model").value)


@pytest.mark.parametrize("run_id", ["first", "second", "weaker"])
def test_the_files_are_those_of_the_model_in_the_address(
    runs: dict[str, RunFiles], downloads: Downloads, run_id: str
) -> None:
    assert chosen(open_page("report", model=run_id)) == run_id
    recorded = runs[run_id].read("manifest.json")["sha256"]
    for name in MODELS:
        content = downloads.by_key(f"file_{name}")
        assert hashlib.sha256(content).hexdigest() == recorded[name]
        assert content == f"{run_id} {name}".encode()
        assert run_id in downloads.names[f"file_{name}"]
        assert downloads.names[f"file_{name}"].endswith(name)


def cells_of(card: str) -> list[list[str]]:
    """Returns the rows of a card's tables."""
    rows = [line.strip("|").split("|") for line in card.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows]


@pytest.mark.parametrize("run_id", ["first", "second"])
def test_the_card_has_the_models_own_figures(
    runs: dict[str, RunFiles], downloads: Downloads, run_id: str
) -> None:
    files = runs[run_id]
    open_page("report", model=run_id)
    card = downloads.by_key("file_card").decode()
    _, *rows = cells_of(card)
    answers = files.test()
    before, after = calibration_error(answers), calibration_error(files.served())
    assert [value for _, value in rows[:5]] == [
        accuracy_words(int(answers.is_right.sum()), 10_000),
        percent(answers.top5),
        percent(files.evaluation["accuracy_mirrored"]),
        percent(before),
        percent(after),
    ]
    assert f"{files.temperature:.3f}" in rows[4][0]
    matrix = answers.matrix
    recall = matrix.diagonal() / matrix.sum(axis=1)
    precision = matrix.diagonal() / matrix.sum(axis=0)
    assert rows[6:] == [
        [name, percent(recall[place]), percent(precision[place])]
        for place, name in enumerate(CLASSES)
    ]
    recipe, status = files.recipe, status_of(files)
    opening = card.split("| Figure")[0]
    assert status["device_name"] in opening
    assert seconds_of(opening) == pytest.approx(status["running_seconds"], abs=0.6)
    assert f"{recipe['epochs']} epochs" in card
    assert f"seed {recipe['seed']}" in card
