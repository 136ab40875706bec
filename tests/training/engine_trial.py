"""Puts the engine of the backend in use through its paces and prints what came out as JSON.

Run by test_engines.py: ``python tests/training/engine_trial.py NETWORK PRECISION``.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np

from cifar_core.dataset.augmentation import plan_epoch
from cifar_core.dataset.sample import load_sample
from cifar_core.recipes import Recipe, recipe
from cifar_core.training.engine import Engine
from cifar_core.training.engines import make_engine

PICTURES = 42
BATCH = 8
EPOCHS = 40


def wanted(network: str, seed: int) -> Recipe:
    return recipe(
        "standard",
        network,
        batch_size=BATCH,
        epochs=EPOCHS,
        seed=seed,
        schedule="inverse-time",
        learning_rate=0.01,
        bias_rate=1,  # 64 times the rate is for batches of 256, not of 8
        label_smoothing=0.0,
    )


def make(network: str, precision: str, seed: int = 1) -> Engine:
    train = load_sample().train
    images, labels = train.images[:PICTURES], train.labels[:PICTURES]
    return make_engine(wanted(network, seed), images, labels, precision=precision)


def digest(engine: Engine) -> str:
    parts = sorted(engine.read().items())
    return hashlib.sha256(b"".join(name.encode() + a.tobytes() for name, a in parts)).hexdigest()


def train(
    engine: Engine, network: str, *borders: int, seed: int = 1, epoch: int = 0
) -> list[float]:
    plan = plan_epoch(wanted(network, seed), PICTURES, epoch)
    losses: list[float] = []
    for first, last in pairwise(borders):
        losses += [float(loss) for loss in engine.train(plan, epoch, first, last).losses]
    return losses


def main(network: str, precision: str) -> None:
    engine = make(network, precision)
    losses = train(engine, network, 0, 5)
    one_seed = digest(engine)
    losses += train(engine, network, 5, 6)
    begun = engine.read()
    train(engine, network, 0, 6, epoch=1)
    in_one = digest(engine)
    engine.write(begun)
    train(engine, network, 0, 2, 5, 6, epoch=1)
    in_parts = digest(engine)
    plan = plan_epoch(wanted(network, 1), PICTURES, 2)
    last = engine.train(plan, 2, 5, 6)
    late_losses: list[float] = []
    for epoch in range(3, EPOCHS):
        late_losses = train(engine, network, 0, 6, epoch=epoch)
    other = make(network, precision, seed=2)
    train(other, network, 0, 5, seed=2)
    sums = engine.predict(load_sample().test.images[:2]).sum(axis=1)
    facts = {
        "in_one": in_one,
        "in_parts": in_parts,
        "in_another_process": in_another_process(network, precision, begun),
        "one_seed": one_seed,
        "other_seed": digest(other),
        "first_loss": float(np.mean(losses)),
        "last_loss": float(np.mean(late_losses)),
        "steps": len(losses),
        "right_of_last_step": int(last.right[0]),
        "size_of_last_step": PICTURES - 5 * BATCH,
        "probability_sums": [float(value) for value in sums],
    }
    print(json.dumps(facts))


def in_another_process(network: str, precision: str, begun: dict[str, np.ndarray]) -> str:
    """Goes on from a checkpoint in a fresh process and returns the digest it ends with."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "begun.npz"
        np.savez(path, allow_pickle=False, **begun)
        command = [sys.executable, __file__, network, precision, str(path)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return answer.stdout.split()[-1]


def go_on(network: str, precision: str, path: str) -> None:
    """Goes on from a checkpoint and prints the digest it ends with."""
    engine = make(network, precision)
    with np.load(path, allow_pickle=False) as begun:
        engine.write(begun)
    train(engine, network, 0, 6, epoch=1)
    print(digest(engine))


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) == 3 else go_on(*sys.argv[1:])
