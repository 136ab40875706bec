"""The part ``overhead``: what a run that cannot be lost costs, as a share of its epochs.

The very course of a run, with checkpoints, metrics, predictions, status and heartbeat, is driven
with an engine whose every call is timed. What is left of the time when training and measuring
the watched split are taken out is the overhead.
"""

from __future__ import annotations

from typing import Any

from benchmarks.compared import COMPARED
from benchmarks.figures import summarise
from benchmarks.turns import Contender, Pace


def measure(pace: Pace, *, is_quick: bool) -> dict[str, Any]:
    """Returns the overhead of an epoch of the recipe ``standard``.

    Args:
        pace: How many epochs, and of how many pictures.
        is_quick: Measure one epoch of the network with the shortest ones only.
    """
    names = list(COMPARED)[:1] if is_quick else list(COMPARED)
    epochs = 1 if is_quick else 3
    figures = {}
    with Contender("overhead") as contender:
        contender.wait_until_ready()
        for name in names:
            told = contender.take_turn(network=name, epochs=epochs, pictures=pace.pictures)
            figures[name] = {
                "share": summarise(told["shares"]),
                "epoch_seconds": summarise(told["epoch_seconds"]),
            }
    return {"networks": figures}
