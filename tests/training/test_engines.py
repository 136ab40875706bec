"""The real engines obey the law that everything follows from (recipe, epoch, step).

Each backend runs in a process of its own, as a worker does: a Keras backend is chosen once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TRIAL = Path(__file__).with_name("engine_trial.py")

pytestmark = pytest.mark.slow


def try_engine(backend: str, network: str, precision: str) -> dict[str, Any]:
    env = {**os.environ, "KERAS_BACKEND": backend, "CUDA_VISIBLE_DEVICES": "-1"}
    env |= {"JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
    env["PYTHONPATH"] = str(TRIAL.parents[2])
    answer = subprocess.run(
        [sys.executable, str(TRIAL), network, precision],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-3000:]
    return dict(json.loads(answer.stdout.splitlines()[-1]))


@pytest.fixture(
    scope="module",
    params=[
        ("tensorflow", "cnn4", "float32"),
        ("jax", "cnn4", "float32"),
        ("tensorflow", "cnn7", "bfloat16"),
        pytest.param(("tensorflow", "cnn6", "bfloat16"), marks=pytest.mark.full),
        pytest.param(("jax", "cnn7", "float32"), marks=pytest.mark.full),
    ],
    ids="-".join,
)
def trial(request: pytest.FixtureRequest) -> dict[str, Any]:
    return try_engine(*request.param)


def test_any_number_of_steps_per_call_gives_the_same_weights_to_the_bit(
    trial: dict[str, Any],
) -> None:
    assert trial["in_one"] == trial["in_parts"]


def test_a_fresh_process_goes_on_from_a_checkpoint_to_the_same_bits(trial: dict[str, Any]) -> None:
    assert trial["in_another_process"] == trial["in_one"]


def test_another_seed_gives_other_weights(trial: dict[str, Any]) -> None:
    assert trial["other_seed"] != trial["one_seed"]


def test_training_lowers_the_loss(trial: dict[str, Any]) -> None:
    assert trial["last_loss"] < trial["first_loss"] - 0.03  # 240 small steps with dropout


def test_a_last_batch_of_two_pictures_is_a_step_like_the_others(trial: dict[str, Any]) -> None:
    assert trial["steps"] == 6
    assert trial["right_of_last_step"] <= trial["size_of_last_step"] == 2


def test_probabilities_sum_to_one(trial: dict[str, Any]) -> None:
    assert trial["probability_sums"] == pytest.approx([1.0, 1.0], abs=1e-3)
