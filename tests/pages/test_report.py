from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core import formats, services
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.report import report_panel
from tests.pages import shown
from tests.pages.shown import words_of
from tools.fabricate import Fake, fabricate

open_page = partial(shown.open_page, "report")


def buttons_of(app: AppTest) -> list[str]:
    return [element.proto.label for element in app.get("download_button")]


def test_without_runs_the_page_leads_to_training() -> None:
    app = open_page()
    assert not app.exception
    assert "No network has been trained here yet." in words_of(app)


def test_the_page_offers_the_report_on_the_best_run_of_each_network(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="weak", accuracy=0.5))
    fabricate(runs_dir, Fake(run_id="strong", accuracy=0.8))
    app = open_page()
    assert not app.exception
    assert app.multiselect(key="report_runs").value == ["strong"]
    assert "Save the report" in buttons_of(app)


def test_a_page_that_is_only_looked_at_makes_no_report(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_dir, Fake(run_id="one"))

    def refuse(runs: object) -> bytes:
        raise AssertionError("made")

    monkeypatch.setattr(services, "make_report", refuse)
    assert not open_page().exception


def test_the_address_restores_the_choice(runs_dir: Path) -> None:
    for run_id in ("one", "two"):
        fabricate(runs_dir, Fake(run_id=run_id))
    app = open_page(runs="two,gone,one")
    assert app.multiselect(key="report_runs").value == ["two", "one"]


def test_no_run_chosen_is_answered_in_a_sentence(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    app = open_page()
    app.multiselect(key="report_runs").set_value([]).run()
    assert "No run is chosen." in words_of(app)
    assert "Save the report" not in buttons_of(app)


def test_the_presentation_is_the_report_on_its_stage(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    app = open_page()
    app.button(key="report_present").click().run()
    assert app.query_params["present"] in ("1", ["1"])
    stage = app.get("iframe")[0].proto
    assert 'data-start="presenting"' in stage.srcdoc
    app.button(key="end_presentation").click().run()
    assert not app.get("iframe")
    assert "present" not in app.query_params


def test_the_report_is_made_once_for_the_same_files(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    made = []

    def make(runs: object) -> bytes:
        made.append(runs)
        return b"<body></body>"

    monkeypatch.setattr(services, "make_report", make)
    run = services.read_run("one")
    assert report_panel.report_of([run]) == report_panel.report_of([run])
    assert len(made) == 1
    run.folder.label_path.write_text('{"name": "another name"}')
    report_panel.report_of([run])
    assert len(made) == 2


def test_a_model_is_offered_with_its_file_and_its_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    app = open_page()
    assert not app.exception
    assert "model.tflite (1.3 MB)" in buttons_of(app)
    card = " ".join(element.value for element in app.markdown)
    assert "CNN-4, recipe" in card
    figures = services.read_evaluation(services.read_run("cnn4"))
    assert figures is not None
    assert formats.percent(figures.accuracy, figures.interval) in card


def test_the_files_that_the_card_points_to_are_offered_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    offered = {name.split(" ")[0] for name in buttons_of(open_page())}
    run = services.read_run("cnn4")
    named = set(re.findall(r"\b\w+\.(?:json|tflite|keras)\b", services.read_card(run)))
    assert {"recipe.json", "manifest.json", "model.tflite"} <= named <= offered
    for name in services.FACTS_FILES:
        assert services.read_facts_file(run, name) == (run.folder.path / name).read_bytes()


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The included models, by id."""
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    return [run.id for run in services.list_models()]


def card_of(app: AppTest) -> str:
    """Returns the id of the run whose card the page shows."""
    text = " ".join(element.value for element in app.markdown)
    return str(re.findall(r"cifar_core evaluate (\S+)`", text)[0])


def test_the_address_chooses_the_model(models: list[str]) -> None:
    for run_id in models:
        app = open_page(model=run_id)
        assert app.selectbox(key="report_model").value == run_id
        assert card_of(app) == run_id


def test_a_chosen_model_stays_in_the_address_and_reopens(models: list[str]) -> None:
    app = open_page()
    app.selectbox(key="report_model").select(models[-1]).run()
    kept = app.query_params["model"]
    assert kept in (models[-1], [models[-1]])
    assert card_of(open_page(model=models[-1])) == card_of(app) == models[-1]


def test_an_address_of_no_model_opens_the_first_until_one_is_chosen(models: list[str]) -> None:
    app = open_page(model="<b>gone")
    assert not app.exception
    assert app.selectbox(key="report_model").value == models[0]
    assert "“<b>gone”" in words_of(app)
    app.selectbox(key="report_model").select(models[-1]).run()
    assert app.query_params["model"] in (models[-1], [models[-1]])
    assert "gone" not in words_of(app)


def test_the_page_says_what_is_in_a_report(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    (told,) = [one for one in open_page().expander if one.markdown]
    (items,) = told.markdown
    assert items.value.strip() == report_panel.CONTENTS.strip()
