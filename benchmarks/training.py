"""The part ``train``: T, K, P and G in turns, network by network."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from benchmarks.compared import COMPARED
from benchmarks.figures import training_ratios
from benchmarks.turns import Contender, Pace, rounds
from cifar_core.networks.description import load_description


def measure(pace: Pace, *, torch_python: str | None) -> dict[str, Any]:
    """Returns the ratios and rates of both networks.

    Args:
        pace: How long to measure.
        torch_python: Interpreter of the environment with PyTorch; None leaves P out.
    """
    with contextlib.ExitStack() as stack:

        def enter(module: str, **how: Any) -> Contender:
            contender = stack.enter_context(Contender(module, **how))
            contender.wait_until_ready()  # one after the other: PyTorch tries two ways by time
            return contender

        contenders = {"T": enter("tutorial"), "K": enter("lab")}
        if torch_python is not None:
            # Not resolved: what a link to an interpreter is called decides its environment.
            python = str(Path(torch_python).absolute())
            trial = {"BENCH_TRIAL_SECONDS": str(pace.seconds / 2)}
            contenders["P"] = enter("pytorch", python=python, environ=trial)
        contenders["G"] = enter("gemm")
        told = rounds(contenders, list(COMPARED), turns=pace.turns, seconds=pace.seconds)
        hello = {name: contender.hello for name, contender in contenders.items()}
    figures = {
        name: training_ratios(told[name], load_description(name).training_flops)
        for name in COMPARED
    }
    return {"networks": figures, "contenders": hello}
