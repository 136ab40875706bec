"""What surrounds a training: taken away, chosen, recorded, and chosen again."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from cifar_core.errors import RunError
from cifar_core.recipes import recipe
from cifar_core.runs import manager, surroundings
from cifar_core.runs.devices import usable_cores

HOSTILE = {
    "KERAS_FLOATX": "float16",
    "KERAS_HOME": "/somebody/.keras",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
    "TF_USE_LEGACY_KERAS": "1",
    "JAX_ENABLE_X64": "1",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "OMP_NUM_THREADS": "7",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "ONEDNN_DEFAULT_FPMATH_MODE": "ANY",
    "DNNL_DEFAULT_FPMATH_MODE": "BF16",
    "OPENBLAS_CORETYPE": "Prescott",
    "NPY_DISABLE_CPU_FEATURES": "AVX2",
    "NVIDIA_TF32_OVERRIDE": "1",
}


def test_variables_that_change_arithmetic_are_taken_away_and_named(tmp_path: Path) -> None:
    environ = {**HOSTILE, "PATH": "/bin", "TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu"}
    stray = surroundings.clear(environ, tmp_path)
    assert set(stray) == set(HOSTILE)
    assert environ == {
        "PATH": "/bin",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_PLATFORMS": "cpu",
        "KERAS_HOME": str(tmp_path),
    }


@pytest.mark.parametrize("asked", ["", "0", "-3", "two", "99999"])
def test_a_run_begins_with_as_many_threads_as_cores(asked: str) -> None:
    environ = {"TF_NUM_INTRAOP_THREADS": asked}
    surroundings.settle(environ, {})
    assert surroundings.threads(environ) == usable_cores()
    assert environ["TF_NUM_INTRAOP_THREADS"] == environ["NPROC"] == str(usable_cores())


def test_a_run_begins_with_the_threads_that_a_person_asks_for() -> None:
    environ = {"NPROC": "5", "KERAS_BACKEND": "jax"}
    surroundings.settle(environ, {})
    assert surroundings.threads(environ) == 5


def test_a_run_goes_on_with_what_was_recorded_when_it_began() -> None:
    began = {"TF_NUM_INTRAOP_THREADS": "3", "XLA_FLAGS": "--one"}
    surroundings.settle(began, {})
    recorded = surroundings.observe(began, "a processor")
    later = {"TF_NUM_INTRAOP_THREADS": "8", "TF_ENABLE_ONEDNN_OPTS": "0", "XLA_FLAGS": "--two"}
    surroundings.settle(later, recorded)
    assert later == began
    assert surroundings.differences(recorded, surroundings.observe(later, "a processor")) == ""


def test_what_cannot_be_chosen_again_is_said() -> None:
    environ: dict[str, str] = {}
    surroundings.settle(environ, {})
    recorded = {**surroundings.observe(environ, "a processor"), "keras": "3.1"}
    said = surroundings.differences(recorded, surroundings.observe(environ, "another"))
    assert "device was a processor and is another" in said
    assert "keras was 3.1" in said


def test_of_a_checkpoint_that_records_nothing_nothing_is_said() -> None:
    assert surroundings.differences({}, {"device": "a processor"}) == ""


@pytest.mark.parametrize("asked", ["torch", "numpy", "Tensorflow", "tensorflow;rm"])
def test_a_wrong_backend_is_refused_at_once_with_those_possible(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", asked)
    with pytest.raises(RunError) as error:
        manager.start(runs_dir, recipe("standard", "cnn4"), device="cpu")
    assert asked in error.value.what
    assert "tensorflow" in error.value.expected
    assert "KERAS_BACKEND" in error.value.remedy
    assert not list(runs_dir.glob("[a-z]*"))


@pytest.mark.parametrize("asked", ["jax", " jax ", "jax\n"])
def test_a_backend_may_have_spaces_around_it(asked: str) -> None:
    assert surroundings.check_backend({"KERAS_BACKEND": asked}) == "jax"


def test_only_the_backends_that_are_installed_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "jax" or None)
    with pytest.raises(RunError) as error:
        surroundings.check_backend({"KERAS_BACKEND": "torch"})
    assert error.value.expected.endswith(": jax.")


def test_this_process_keeps_its_own_variables() -> None:
    before = dict(os.environ)
    surroundings.settle({}, {})
    assert dict(os.environ) == before
