from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core import services
from cifar_core.runs import reading
from cifar_core.runs.folder import State
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.overview import sections, tour
from tests.pages.shown import new_page, words_of
from tools.fabricate import Fake, fabricate


def open_app() -> AppTest:
    return new_page("app").run()


def links_of(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.get("page_link")]


def test_the_lab_opens_on_the_overview() -> None:
    app = open_app()
    assert not app.exception
    assert app.title[0].value == "Overview"


def test_without_any_run_it_leads_to_training() -> None:
    app = open_app()
    assert "No network has been trained here yet." in words_of(app)
    assert "Start a training" in links_of(app)


def test_it_shows_the_shipped_models_without_the_dataset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "none"))
    app = open_app()
    assert not app.exception
    shown = {metric.label: metric.value for metric in app.metric}
    for name, network in (("CNN-4", "cnn4"), ("CNN-6", "cnn6")):
        figures = services.read_evaluation(services.read_run(network))
        assert figures is not None
        assert shown[name].startswith(f"{100 * figures.accuracy:.1f}% ± ")
    assert shown["The tutorial's CNN-6"].startswith("68.7% ± ")
    assert "That is a real difference" in words_of(app)


def test_every_figure_has_its_origin(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    app = open_app()
    assert services.read_test_predictions(services.read_run("one")).origin in words_of(app).replace(
        "&quot;", '"'
    )


def test_the_chart_holds_the_runs_and_the_tutorials_figures(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one", name="mine"))
    chart = json.loads(open_app().get("plotly_chart")[0].proto.spec)
    assert [trace["y"][0] for trace in chart["data"]] == [
        "mine",
        "Tutorial, CNN-4",
        "Tutorial, CNN-6",
    ]


def test_the_reference_stands_beside_the_comparison_and_is_marked(runs_dir: Path) -> None:
    for network, accuracy in (("cnn7", 0.93), ("cnn6", 0.8), ("cnn4", 0.7)):
        fabricate(runs_dir, Fake(run_id=network, network=network, accuracy=accuracy))
    app = open_app()
    chart = json.loads(app.get("plotly_chart")[0].proto.spec)
    names = ["CNN-4", "CNN-6", "Tutorial, CNN-4", "Tutorial, CNN-6", "CNN-7, the reference"]
    assert [trace["y"][0] for trace in chart["data"]] == names
    labels = ["CNN-4", "CNN-6", "The tutorial's CNN-6", "CNN-7, the reference"]
    assert [metric.label for metric in app.metric] == labels
    assert "CNN-4 names" in words_of(app)
    assert "CNN-7" not in " ".join(text.value for text in app.text)


def test_nothing_ticks_while_nothing_trains(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    app = open_app()
    assert "Nothing is training." in words_of(app)


def test_a_living_run_is_shown_with_its_progress(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_dir, Fake(run_id="living", name="a <b> run", done=1, state=State.RUNNING))
    living = reading.read(runs_dir, "living")
    alive = reading.Run(living.folder, State.RUNNING, living.recipe, living.status, living.label)
    monkeypatch.setattr(sections, "_alive", lambda: [alive] * 5)
    app = open_app()
    assert not app.exception
    texts = [element.proto.text for element in app.get("progress")]
    assert len(texts) == sections.MOST_LIVE
    assert r"a \<b\> run" in texts[0]
    assert "And 2 more." in words_of(app)


def test_the_five_steps_lead_through_the_lab() -> None:
    app = open_app()
    app.button(key="tour_start").click().run()
    for place, step in enumerate(tour.STEPS, start=1):
        app.switch_page(step.file).run()
        assert not app.exception
        assert f"**Step {place} of 5.**" in " ".join(element.value for element in app.markdown)


def test_who_wants_no_steps_is_asked_no_more() -> None:
    app = open_app()
    app.button(key="tour_dismiss").click().run()
    assert not [button for button in app.button if button.key == "tour_start"]
    app.switch_page("pages/networks.py").run()
    assert "Step" not in " ".join(element.value for element in app.markdown)
    app.switch_page("pages/overview.py").run()
    assert [button for button in app.button if button.key == "tour_again"]


def test_off_the_tour_no_page_speaks_of_it() -> None:
    app = open_app()
    app.switch_page("pages/networks.py").run()
    assert "**Step" not in " ".join(element.value for element in app.markdown)
