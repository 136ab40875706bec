"""A report on two runs whose figures all differ, made once."""

from __future__ import annotations

import pytest

from cifar_core import services
from tests.pages.oracle_runs import FIRST, SECOND, make_runs
from tests.report.oracle import Page
from tests.report.reported import Reported

NAMES = {"first": FIRST.name, "second": SECOND.name}


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """The second run stands first: the report keeps the order it is asked for."""
    folder = tmp_path_factory.mktemp("reported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR_LAB_RUNS", str(folder / "runs"))
        patch.setenv("CIFAR_LAB_MODELS", str(folder / "models"))
        patch.setenv("CIFAR_LAB_DATA", str(folder / "none"))  # the sample, whose places differ
        files = make_runs(folder / "runs", SECOND, FIRST)
        asked = [services.read_run(run_id) for run_id in ("second", "first")]
        content = services.make_report(asked)
    return Reported(Page(content), {NAMES[run_id]: found for run_id, found in files.items()})
