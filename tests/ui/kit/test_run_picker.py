from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import streamlit as st
from streamlit.runtime.context import ContextProxy

from cifar_core import services
from cifar_core.networks import NETWORKS
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run
from cifar_core.ui.compare import runs_picker
from cifar_core.ui.kit.runs.picker import default_runs, run_label, run_labels, short_names, watch
from tools.fabricate import Fake, fabricate


def chosen(runs_dir: Path, *fakes: Fake) -> set[str]:
    for fake in fakes:
        fabricate(runs_dir, fake)
    return {run.id for run in default_runs(services.list_runs(with_shipped=False))}


def test_a_visitor_finds_one_run_of_each_network_compared(runs_dir: Path) -> None:
    fakes = [Fake(run_id="a"), Fake(run_id="b"), Fake(run_id="six", network="cnn6")]
    ids = chosen(runs_dir, *fakes)
    assert "six" in ids
    assert len(ids) == 2


def test_a_first_try_stands_aside_for_a_full_run(runs_dir: Path) -> None:
    toy = Fake(run_id="toy", epochs=2, accuracy=0.5, created_at=1_799_000_000.0)
    full = Fake(run_id="full", epochs=4, accuracy=0.8)
    assert chosen(runs_dir, toy, full, Fake(run_id="six", network="cnn6")) == {"full", "six"}


def test_an_own_run_that_is_better_than_another_is_compared(runs_dir: Path) -> None:
    fakes = [Fake(run_id=f"run-{n}", accuracy=n / 10) for n in (6, 8, 5, 7)]
    assert chosen(runs_dir, *fakes) == {"run-8", "run-7"}


def test_the_test_split_has_no_say_in_what_is_compared(runs_dir: Path) -> None:
    watched = Fake(run_id="watched", recipe="tutorial-repaired", accuracy=0.9)
    held_out = Fake(run_id="held-out", accuracy=0.6)
    six = Fake(run_id="six", network="cnn6")
    assert chosen(runs_dir, watched, held_out, six) == {"held-out", "six"}


def test_the_reference_is_compared_last_and_marked(runs_dir: Path) -> None:
    for network in ("cnn7", "cnn6", "cnn4"):
        fabricate(runs_dir, Fake(run_id=network, network=network))
    runs = default_runs(services.list_runs(with_shipped=False))
    assert [run.id for run in runs] == ["cnn4", "cnn6", "cnn7"]
    assert ["the reference" in run_label(run) for run in runs] == [False, False, True]


@pytest.mark.parametrize("network", NETWORKS)
def test_where_one_network_has_all_finished_runs_two_of_them_are_compared(
    runs_dir: Path, network: str
) -> None:
    fakes = [Fake(run_id=run_id, network=network) for run_id in ("a", "b", "c")]
    assert len(chosen(runs_dir, *fakes)) == 2


def test_a_run_that_is_not_finished_fills_no_gap(runs_dir: Path) -> None:
    ids = chosen(runs_dir, Fake(run_id="done"), Fake(run_id="half", state=State.STOPPED))
    assert ids == {"done"}


def test_a_history_that_came_without_its_network_is_called_by_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = tmp_path / "came-with-the-lab"
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(models))
    fabricate(models, Fake(run_id="cnn4", name="CNN-4, shipped"))
    (models / "cnn4" / "model.tflite").touch()
    fabricate(models, Fake(run_id="cnn4-quick", name="CNN-4, quick"))
    names = short_names(services.list_runs())
    assert names == {"cnn4": "Shipped CNN-4", "cnn4-quick": "CNN-4, quick"}


def test_two_runs_of_one_name_are_told_apart(runs_dir: Path) -> None:
    for run_id in ("cnn4-standard-1", "cnn4-quick-1"):
        fabricate(runs_dir, Fake(run_id=run_id, name="mine"))
    runs = services.list_runs(with_shipped=False)
    for names in (run_labels(runs), short_names(runs)):
        assert len(set(names.values())) == 2
        assert all(run_id in name for run_id, name in names.items())


def test_a_run_alone_with_its_name_carries_no_id(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one", name="mine"))
    assert "one" not in run_labels(services.list_runs(with_shipped=False))["one"]


def test_the_table_tells_moments_in_the_time_of_the_visitor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = {}
    for zone in ("Asia/Tokyo", None):
        monkeypatch.setattr(ContextProxy, "timezone", zone)
        form = runs_picker._made_column()["type_config"]
        told[zone] = form["timezone"], form["format"].endswith("[UTC]")
    assert told == {"Asia/Tokyo": ("Asia/Tokyo", False), None: (None, True)}


@pytest.mark.parametrize(
    ("state", "epoch", "reruns"),
    [(State.RUNNING, 2, False), (State.RUNNING, 3, True), (State.FINISHED, 2, True)],
)
def test_a_page_is_rerun_once_a_living_run_has_gone_on(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch, state: State, epoch: int, reruns: bool
) -> None:
    for run_id in ("living", "still", "ended"):
        fabricate(runs_dir, Fake(run_id=run_id))
    living, still, ended = map(services.read_run, ("living", "still", "ended"))
    still = dataclasses.replace(still, state=State.RUNNING)

    def at(state: State, epoch: int) -> Run:
        status = dataclasses.replace(living.status, epoch=epoch)
        return dataclasses.replace(living, state=state, status=status)

    now = {"living": at(state, epoch), "still": still}
    rerun: list[bool] = []
    monkeypatch.setattr(services, "read_run", now.__getitem__)
    monkeypatch.setattr(st, "fragment", lambda work, **_: work)  # it looks at once
    monkeypatch.setattr(st, "rerun", lambda: rerun.append(True))
    watch(ended)
    watch(at(State.RUNNING, 2), still, ended)
    assert bool(rerun) == reruns
