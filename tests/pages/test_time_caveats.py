from __future__ import annotations

import pytest

from cifar_core import services
from cifar_core.settings import PROJECT_DIR
from tests.pages.shown import open_page, words_of

CORES = "1 core;"  # as the sentence names the machine of the first two of the three


@pytest.fixture(autouse=True)
def _included_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))


def test_compare_marks_times_of_unlike_machines_and_no_others() -> None:
    assert CORES in words_of(open_page("compare", runs="cnn4,cnn7"))
    assert CORES not in words_of(open_page("compare", runs="cnn4,cnn6"))


def test_overview_and_report_mark_them_too() -> None:
    assert CORES in words_of(open_page("overview"))
    runs = [services.read_run(name) for name in ("cnn4", "cnn7")]
    assert CORES.encode() in services.make_report(runs)
