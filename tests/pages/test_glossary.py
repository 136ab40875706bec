from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.glossary import GLOSSARY, define
from cifar_core.runs.folder import State
from cifar_core.settings import PROJECT_DIR
from tools.fabricate import Fake, fabricate

FROM_THE_GLOSSARY = {
    "Test accuracy": "confidence interval",
    "Among its first five": "top-5 accuracy",
    "With mirror image": "test-time augmentation",
    "Calibration error": "calibration error (ECE)",
    "Calibration error, as trained": "calibration error (ECE)",
    "Temperature": "temperature",
    "Validation accuracy, epoch 2": "accuracy",
    "Parameters": "parameters",
    "Multiply-adds per picture": "multiply-adds (MACs)",
}
"""Metrics that are a term: their help holds its sentence. Any other's help is its own."""


def open_page(name: str, **address: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT_DIR / "pages" / f"{name}.py"), default_timeout=60)
    for key, value in address.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def shown(app: AppTest) -> dict[str, str]:
    """Returns the terms on the page, each with its sentence."""
    body = next(item.proto.body for item in app.get("html") if "<dt>" in item.proto.body)
    pairs = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", body)
    return {html.unescape(term): html.unescape(sentence) for term, sentence in pairs}


def test_the_page_shows_every_term_with_its_sentence() -> None:
    assert shown(open_page("glossary")) == dict(GLOSSARY)


def test_the_address_keeps_what_is_looked_for() -> None:
    found = shown(open_page("glossary", find="PRECISION recall"))
    assert set(found) == {"average precision", "F1"}


def test_a_term_that_is_not_there_is_answered_in_a_sentence() -> None:
    app = open_page("glossary", find="<b>nothing")
    assert any("No term" in item.proto.body for item in app.get("html"))


def test_the_navigation_leads_to_the_glossary() -> None:
    app = AppTest.from_file(str(PROJECT_DIR / "app.py"), default_timeout=60).run()
    app.switch_page("pages/glossary.py").run()
    assert [title.value for title in app.title] == ["Glossary"]


@pytest.fixture
def _runs(runs_dir: Path) -> None:
    """A run of each network, and one that has stopped half way."""
    fabricate(runs_dir, Fake(run_id="four", sharpness=2.0))
    fabricate(runs_dir, Fake(run_id="six", network="cnn6", accuracy=0.8))
    fabricate(runs_dir, Fake(run_id="part", done=2, state=State.STOPPED))


@pytest.mark.usefixtures("_runs")
@pytest.mark.parametrize(
    ("page", "address", "terms"),
    [
        ("overview", {}, 0),
        ("networks", {}, 2),
        ("train", {"run": "part"}, 0),
        ("results", {"run": "four"}, 4),
        ("results", {"run": "four", "view": "Confidence"}, 6),
        ("results", {"run": "part"}, 2),
        ("compare", {"runs": "four,six", "look": "Tutorial"}, 0),
    ],
)
def test_every_metric_has_its_help_and_a_terms_is_the_glossarys(
    page: str, address: dict[str, str], terms: int
) -> None:
    metrics = {item.label: item.proto.help for item in open_page(page, **address).metric}
    assert metrics
    assert [label for label, text in metrics.items() if len(text.split()) < 3] == []
    known = [label for label in metrics if label in FROM_THE_GLOSSARY]
    assert len(known) >= terms
    for label in known:
        assert define(FROM_THE_GLOSSARY[label]) in metrics[label]


def helps_of(app: AppTest) -> str:
    """Returns the help of all texts, fields and columns of tables."""
    fields = [*app.caption, *app.text, *app.radio, *app.metric]
    return " ".join(
        [field.proto.help for field in fields] + [table.proto.columns for table in app.dataframe]
    )


@pytest.mark.usefixtures("_runs")
@pytest.mark.parametrize(
    ("page", "address", "terms"),
    [
        ("networks", {"network": "CNN-6"}, ["dropout", "convolution"]),
        ("networks", {"network": "CNN-7"}, ["convolution", "batch normalisation"]),
        ("train", {}, ["batch normalisation"]),
        ("compare", {"runs": "four,six", "training": "true"}, ["dropout", "augmentation"]),
        ("compare", {"runs": "four,less", "look": "Settings"}, ["dropout", "seed"]),
        ("classify", {"from": "A test picture"}, ["out-of-distribution"]),
    ],
)
def test_a_term_is_explained_where_it_first_stands(
    page: str,
    address: dict[str, str],
    terms: list[str],
    runs_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if page == "classify":
        monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    fabricate(runs_dir, Fake(run_id="less", seed=2, changes={"dropout": 0.4}))
    shown = helps_of(open_page(page, **address))
    assert [term for term in terms if define(term) not in shown] == []


def test_the_quick_recipe_explains_the_dropout_it_speaks_of() -> None:
    app = open_page("train")
    assert define("dropout") not in helps_of(app)
    app.selectbox(key="train_recipe").set_value("quick").run()
    assert define("dropout") in helps_of(app)
