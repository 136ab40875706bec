"""The services refuse a visitor also where a page shows the buttons by mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core import services
from cifar_core.dataset import arrays
from cifar_core.runs import devices, manager
from cifar_core.runs.devices import Device
from cifar_core.runs.folder import State
from tests.pages.shown import html_of, new_page
from tools.fabricate import Fake, fabricate

RUN = "cnn4-standard-00000001"
VICTOR = {"is_logged_in": True, "email": "victor@example.org", "email_verified": True}
ANNA = {**VICTOR, "email": "anna@example.org"}


class FullDataset:
    """Stands for the full dataset; the page asks only whether it is the sample."""

    is_sample = False


def nothing(*args: object) -> None:
    """Stands for what a page test must not do: start a process, read 180 MB."""


@pytest.fixture
def run(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stopped run in a lab whose only operator is Anna; no worker starts."""
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "anna@example.org")
    monkeypatch.setattr(services, "open_dataset", FullDataset)
    monkeypatch.setattr(arrays, "open_full", nothing)
    monkeypatch.setattr(devices, "list_devices", lambda: [Device("cpu", "A CPU", cores=2)])
    monkeypatch.setattr(manager, "launch", nothing)
    return fabricate(runs_dir, Fake(run_id=RUN, name="As it was", state=State.STOPPED)).path


def page(user: Mapping[str, Any]) -> AppTest:
    app = new_page("train")
    app.user = dict(user)
    app.query_params["run"] = RUN
    return app.run()


def click(*keys: str) -> Callable[[AppTest], AppTest]:
    def carry_out(app: AppTest) -> AppTest:
        for key in keys:
            next(item for item in app.button if str(item.key).startswith(key)).click().run()
        return app

    return carry_out


ACTIONS: Mapping[str, Callable[[AppTest], AppTest]] = {
    "start": click("train_start"),
    "resume": click("train_action_resume"),
    "delete": click("train_action_delete", "train_delete_confirm"),
    "rename": click("train_action_rename", "train_rename_save"),
}


def traces(run: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in run.parent.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ACTIONS)
def test_a_button_that_a_visitor_should_not_see_does_nothing(
    name: str, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "may_change", lambda: True)
    before = traces(run)
    app = ACTIONS[name](page(VICTOR))
    assert "may look and classify here only" in html_of(app)
    assert not app.exception
    assert traces(run) == before


@pytest.mark.parametrize("user", [VICTOR, {"is_logged_in": False}, {}])
def test_a_visitor_sees_the_runs_and_no_action(user: Mapping[str, Any], run: Path) -> None:
    app = page(user)
    assert "may look and classify here only" in html_of(app)
    assert len(app.dataframe[0].value) == 1
    assert not app.button


def test_an_operator_does_what_the_buttons_say(run: Path) -> None:
    ACTIONS["delete"](page(ANNA))
    assert not run.exists()


def test_who_is_taken_off_the_operators_is_refused_at_the_next_click(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page(ANNA)
    click("train_action_delete")(app)
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "bea@example.org")
    click("train_delete_confirm")(app)
    assert run.exists()
