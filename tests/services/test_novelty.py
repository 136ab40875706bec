from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from cifar_core import files, services
from cifar_core.dataset import arrays
from cifar_core.dataset.arrays import Dataset, Split
from cifar_core.dataset.sample import load_sample
from cifar_core.errors import RunError
from cifar_core.inference import novelty
from cifar_core.networks import NETWORKS
from cifar_core.runs import digests
from cifar_core.settings import PROJECT_DIR

MODELS = PROJECT_DIR / "models"
SHIPPED = [name for name in NETWORKS if (MODELS / name).is_dir()]


class Sealed:
    """Pictures that nobody may look at."""

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise AssertionError("the test pictures were read")

    __getitem__ = __len__ = __iter__ = __array__


@pytest.fixture
def run_id(runs_dir: Path) -> str:
    """A finished run that held 200 pictures out, with the shipped network."""
    folder = runs_dir / "held-1"
    shutil.copytree(MODELS / "cnn4", folder)
    recipe = json.loads((folder / "recipe.json").read_text())
    (folder / "recipe.json").write_text(json.dumps(recipe | {"validation_pictures": 200}))
    digests.record(folder, [folder / "recipe.json"])
    return folder.name


@pytest.fixture
def sealed(monkeypatch: pytest.MonkeyPatch) -> Sealed:
    """The sample in the place of the full dataset, its test pictures sealed."""
    sample, test = load_sample(), Sealed()
    split = Split("test", test, sample.test.labels, sample.test.indices)  # type: ignore[arg-type]
    dataset = Dataset(sample.train, split, False, "sample", sample.digest)
    monkeypatch.setattr(arrays, "open_full", lambda *_: dataset)
    monkeypatch.setattr(arrays, "verify", lambda _: None)
    return test


def test_the_threshold_is_set_without_a_look_at_the_test_pictures(
    run_id: str, sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[tuple[novelty.Novelty, object]] = []

    def measure(made: novelty.Novelty, _: object, test: object) -> novelty.Novelty:
        measured.append((made, test))
        return made

    monkeypatch.setattr(novelty, "measure", measure)
    made = services.fit_novelty(services.read_run(run_id))
    assert measured == [(made, sealed)]  # everything was set when they were first handed over
    assert np.isfinite(made.threshold)


def test_what_is_made_again_is_recorded_and_used(run_id: str, sealed: Sealed) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(novelty, "measure", lambda made, *_: made)
        made = services.fit_novelty(services.read_run(run_id))
    run = services.read_run(run_id)
    recorded = files.read_json(run.folder.manifest_path)["sha256"]["novelty.npz"]
    assert recorded == files.sha256_of(run.folder.novelty_path)
    used = services.open_model(run).novelty
    assert used is not None
    assert used.threshold == made.threshold


def test_a_run_that_held_nothing_out_is_refused_in_sentences(run_id: str, sealed: Sealed) -> None:
    path = services.read_run(run_id).folder.recipe_path
    recipe = json.loads(path.read_text()) | {"monitored_split": "test", "validation_pictures": 0}
    path.write_text(json.dumps(recipe))
    digests.record(path.parent, [path])
    with pytest.raises(RunError, match="held no pictures out"):
        services.fit_novelty(services.read_run(run_id))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_model_can_say_none_of_these_within_a_megabyte(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(MODELS))
    model = services.open_model(services.read_run(name))
    assert model.novelty is not None
    assert 0.03 < model.novelty.false_alarm_rate < 0.07
    assert model.run.folder.novelty_path.stat().st_size < 1_000_000
