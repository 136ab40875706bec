from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.settings import PROJECT_DIR
from tests.pages.shown import open_page
from tools.fabricate import Fake, fabricate


def kinds_of(app: AppTest) -> set[str]:
    waiting: list[Any] = [app.main]
    keys = set()
    while waiting:
        block = waiting.pop()
        keys.add(getattr(block, "key", None))
        waiting += getattr(block, "children", {}).values()
    return {str(key).removeprefix("advice_") for key in keys if str(key).startswith("advice_")}


@pytest.mark.parametrize(("name", "fit"), [("cnn4", "gap"), ("cnn6", "gap"), ("cnn7", "by-heart")])
def test_no_included_model_is_told_what_its_clean_figures_contradict(
    name: str, fit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    found = kinds_of(open_page("results", run=name, view="Advice"))
    assert {fit, "scheduled", "weakest-class", "confusion"} <= found
    assert not found & {"underfitting", "sound-fit", "overfitting", "rising", "flat"}


def test_a_run_whose_clean_accuracy_is_unknown_is_not_told_that_it_underfits(
    runs_dir: Path,
) -> None:
    fabricate(runs_dir, Fake(run_id="only", accuracy=0.8, epochs=6))
    found = kinds_of(open_page("results", run="only", view="Advice"))
    assert "scheduled" in found
    assert not found & {"underfitting", "sound-fit", "gap", "rising"}
