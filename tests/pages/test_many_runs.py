"""More runs than a browser draws at once: a page of them, a search, and no choice is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.runs.folder import Label, State
from cifar_core.ui.kit.runs import search
from tests.pages.shown import new_page
from tests.pages.train.tool import make_run, table

COUNT, SHOWN = 8, 3


@pytest.fixture(autouse=True)
def _runs(runs_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Eight runs, the last the newest; lists of three."""
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(search, "MOST_SHOWN", SHOWN)
    for number in range(COUNT):
        run = make_run(runs_dir, f"cnn4-standard-{number}", State.STOPPED, epoch=1)
        run.write_label(Label(f"{'odd' if number % 2 else 'even'} {number}", "", 1000.0 + number))


def names(app: AppTest) -> list[str]:
    assert not app.exception
    return [name.split()[-1] for name in table(app)["Run"]]


def choices(app: AppTest, key: str) -> list[str]:
    assert not app.exception
    field = app.multiselect(key=key) if key == "compare_runs" else app.selectbox(key=key)
    return [label.split(" ·")[0].split()[-1] for label in field.options]


def all_runs(app: AppTest) -> list[str]:
    """The runs in the table of Compare that chooses among all."""
    (found,) = [item.value for item in app.dataframe if "Made" in item.value]
    return [name.split()[-1] for name in found["Run"]]


def test_the_list_shows_the_newest_and_the_others_page_by_page() -> None:
    app = new_page("train").run()
    assert names(app) == ["7", "6", "5"]
    assert names(app.number_input(key="train_page_of_3").set_value(3).run()) == ["1", "0"]


def test_the_list_is_searched_as_a_whole() -> None:
    app = new_page("train").run()
    assert names(app.text_input(key="train_search").set_value("EVEN").run()) == ["6", "4", "2"]
    assert names(app.number_input(key="train_page_of_2").set_value(2).run()) == ["0"]
    assert names(app.text_input(key="train_search").set_value("odd standard-3").run()) == ["3"]
    app.text_input(key="train_search").set_value("nothing").run()
    assert not app.exception


def test_few_runs_have_neither_search_nor_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_SHOWN", COUNT)
    app = new_page("train").run()
    assert len(names(app)) == COUNT
    assert [item.key for item in app.text_input if item.key and "search" in item.key] == []


def test_results_offers_the_newest_and_what_is_searched_for() -> None:
    app = new_page("results").run()
    assert choices(app, "results_run") == ["7", "6", "5"]
    app.text_input(key="results_search").set_value("even").run()
    assert choices(app, "results_run") == ["7", "6", "4", "2"]
    assert app.selectbox(key="results_run").value == "cnn4-standard-7"


def test_results_keeps_an_old_run_that_is_chosen() -> None:
    app = new_page("results", run="cnn4-standard-1").run()
    assert app.selectbox(key="results_run").value == "cnn4-standard-1"
    assert choices(app, "results_run") == ["7", "6", "5", "1"]
    app.text_input(key="results_search").set_value("even").run()
    assert app.selectbox(key="results_run").value == "cnn4-standard-1"


def test_compare_keeps_old_runs_that_are_chosen() -> None:
    app = new_page("compare", runs="cnn4-standard-0,cnn4-standard-6").run()
    assert app.multiselect(key="compare_runs").value == ["cnn4-standard-0", "cnn4-standard-6"]
    assert choices(app, "compare_runs") == ["7", "6", "5", "0"]


def test_the_table_of_compare_is_searched_as_a_whole() -> None:
    app = new_page("compare", runs="cnn4-standard-0,cnn4-standard-6").run()
    assert all_runs(app) == ["7", "6", "5", "0"]
    app.text_input(key="compare_filter").set_value("odd").run()
    assert all_runs(app) == ["7", "5", "3"]
