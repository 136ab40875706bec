"""Real trainings in surroundings that would change their bits: other cores, a person's Keras."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cifar_core import files, services
from cifar_core.recipes import recipe
from cifar_core.runs.folder import State
from tests.training.test_real_run import expect_equal, wait, wait_for_release, wait_for_step

pytestmark = [pytest.mark.slow, pytest.mark.data]

FEW = {"epochs": 2, "training_pictures": 1500, "validation_pictures": 100, "batch_size": 50}


@contextmanager
def one_core() -> Iterator[None]:
    """Lets this process, and what it starts, use a single core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def stopped_run() -> str:
    """Starts a run and stops it in its second epoch."""
    run_id = services.start_run(recipe("standard", "cnn4", **FEW))
    wait_for_step(run_id, 0)
    services.stop_run(run_id)
    wait_for_release(wait(run_id, State.STOPPED))
    return run_id


def test_a_run_resumed_with_another_number_of_cores_and_threads_is_the_same_to_the_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "2")  # on a machine with one core too
    undisturbed = wait(services.start_run(recipe("standard", "cnn4", **FEW)), State.FINISHED)
    run_id = stopped_run()
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    with one_core():
        services.resume_run(run_id)
        resumed = wait(run_id, State.FINISHED)
    assert (resumed.status.cores, resumed.status.threads) == (1, 2)
    assert resumed.status.caution == ""
    expect_equal(resumed, undisturbed)


def test_a_person_s_keras_and_variables_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {**FEW, "epochs": 1}
    plain = wait(services.start_run(recipe("standard", "cnn4", **few)), State.FINISHED)
    config = {
        "image_data_format": "channels_first",
        "floatx": "float64",
        "epsilon": 1e-2,
        "backend": "torch",
    }
    for place in (tmp_path / ".keras", tmp_path / "other"):
        place.mkdir()
        (place / "keras.json").write_text(json.dumps(config))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "other"))
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    monkeypatch.setenv("TF_XLA_FLAGS", "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit")
    run = wait(services.start_run(recipe("standard", "cnn4", **few)), State.FINISHED)
    expect_equal(run, plain)
    assert "ONEDNN_MAX_CPU_ISA" in services.read_log(run.id)
    recorded = files.read_json(run.folder.manifest_path)["surroundings"]
    assert recorded["TF_NUM_INTRAOP_THREADS"] == str(run.status.threads)
