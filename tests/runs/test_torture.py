"""A share of `make torture`: every experiment, with fewer tries."""

from __future__ import annotations

from pathlib import Path

import pytest

from cifar_core.runs import reading
from tests.torture.experiments import EXPERIMENTS, Experiment


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda item: "-".join(item.promises))
def test_a_share_of_the_torture_holds(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "A13" in experiment.promises:
        monkeypatch.setattr(reading, "STALLED_AFTER_SECONDS", 1.0)
    carry_out = experiment.share_of_it or experiment.carry_out
    outcomes = carry_out(experiment.share, 2, tmp_path)
    assert tuple(dict.fromkeys(outcome.promise for outcome in outcomes)) == experiment.promises
    for outcome in outcomes:
        assert outcome.tried > 0, outcome
        assert outcome.is_kept, outcome
