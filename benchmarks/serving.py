"""The part ``serve``: one picture, batches and the whole test split, against ``model.predict``."""

from __future__ import annotations

import itertools
import statistics
import tempfile
from typing import Any

from benchmarks.compared import COMPARED
from benchmarks.figures import percentile, ratio, summarise
from benchmarks.turns import Contender, Pace, rounds


def measure(pace: Pace) -> dict[str, Any]:
    """Returns how fast both networks answer, here and in Keras, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {"BENCH_FOLDER": folder}
        with Contender("predict", environ=environ) as keras:
            keras.wait_until_ready()  # the networks are exported now
            with Contender("classify", environ=environ) as ours:
                ours.wait_until_ready()
                told = rounds(
                    {"keras": keras, "ours": ours},
                    list(COMPARED),
                    turns=pace.turns,
                    seconds=pace.brief_seconds,
                    split=pace.split,
                )
                hello = ours.hello
    return {"networks": {name: _figures(told[name]) for name in COMPARED}, "ours": hello}


def _figures(told: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    medians = {
        name: [statistics.median(turn["single_seconds"]) for turn in turns]
        for name, turns in told.items()
    }
    figures: dict[str, Any] = {"predict/ours": ratio(medians["keras"], medians["ours"])}
    for name, turns in told.items():
        calls = list(itertools.chain.from_iterable(turn["single_seconds"] for turn in turns))
        figures[name] = {
            "calls": len(calls),
            "single_seconds": {
                "median": statistics.median(calls),
                "p95": percentile(calls, 0.95),
            },
        }
    figures["keras"]["many_images_per_second"] = summarise(
        [turn["many_images_per_second"] for turn in told["keras"]]
    )
    figures["ours"]["split_seconds"] = summarise([turn["split_seconds"] for turn in told["ours"]])
    figures["ours"]["batch_images_per_second"] = summarise(
        [turn["batch_images_per_second"] for turn in told["ours"]]
    )
    return figures
