"""A report on two runs whose figures all differ, made once."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest

from cifar_core import services
from tests.pages.oracle import Answers, RunFiles
from tests.pages.oracle_images import tempered
from tests.pages.oracle_runs import FIRST, SECOND, make_runs
from tests.report.oracle import Page

NAMES = {"first": FIRST.name, "second": SECOND.name}


@dataclass(frozen=True, eq=False)
class Reported:
    """A report and the files it was made from, by the name each run has in it."""

    page: Page
    runs: dict[str, RunFiles]

    def test(self, name: str) -> Answers:
        return self.runs[name].test()

    def calibrated(self, name: str) -> Answers:
        """Returns the answers with the temperature applied, in double precision."""
        answers = self.test(name)
        shares = tempered(answers.shares, self.runs[name].temperature)
        return dataclasses.replace(answers, shares=shares)


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
