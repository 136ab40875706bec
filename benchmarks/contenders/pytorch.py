"""P: the same layers in PyTorch, tuned by hand: channels last, bfloat16, batches of 128.

It gets the better of eager and ``torch.compile``, found out before the first turn, a fused
optimizer, and pictures that lie ready as tensors: it neither shifts nor mirrors them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import torch  # type: ignore[import-not-found,unused-ignore]
from torch import nn  # type: ignore[import-not-found,unused-ignore]

from benchmarks.contenders import Figures, Measure, Order, compete, rate

BATCH = 128
BATCHES = 8
TRIAL_SECONDS = float(os.environ.get("BENCH_TRIAL_SECONDS", "2"))

Step = Callable[[], None]


def cnn4() -> nn.Sequential:
    """The layers of cifar_core/networks/cnn4.py, to logits."""
    return nn.Sequential(
        *(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Dropout(0.25)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU()),
        *(nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten()),
        *(nn.Linear(2304, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10)),
    )


def cnn6() -> nn.Sequential:
    """The layers of cifar_core/networks/cnn6.py, to logits."""
    layers: list[Any] = []
    for before, after in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(), nn.Dropout(0.2)]
        layers += [nn.Conv2d(after, after, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Dropout(0.2), nn.Linear(2048, 1024), nn.ReLU()]
    return nn.Sequential(*layers, nn.Dropout(0.2), nn.Linear(1024, 10))


NETWORKS: dict[str, Callable[[], nn.Sequential]] = {"cnn4": cnn4, "cnn6": cnn6}


def limit_norms(layer: Any, limit: float = 3.0) -> None:
    """Keeps the norm of the weights that reach each unit at most at the limit."""
    with torch.no_grad():
        norms = layer.weight.norm(dim=1, keepdim=True)
        layer.weight.mul_(norms.clamp(max=limit) / (norms + 1e-7))


def training_step(name: str, *, compiled: bool) -> Step:
    """Returns a function that trains one batch."""
    torch.manual_seed(1)
    model = NETWORKS[name]().to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=0.01, momentum=0.9, nesterov=True, fused=True
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1)
    forward = torch.compile(model) if compiled else model
    batches = _endless_batches()

    def step() -> None:
        pictures, labels = next(batches)
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = forward(pictures)
        loss_of(logits.float(), labels).backward()
        optimizer.step()
        if name == "cnn6":
            limit_norms(model[-4])

    return step


def _endless_batches() -> Iterator[tuple[Any, Any]]:
    generator = torch.Generator().manual_seed(1)
    ready = [
        (
            torch.rand(BATCH, 3, 32, 32, generator=generator).to(memory_format=torch.channels_last),
            torch.randint(0, 10, (BATCH,), generator=generator),
        )
        for _ in range(BATCHES)
    ]
    while True:
        yield from ready


def best_step(name: str) -> tuple[Step, Figures]:
    """Returns the faster of eager and compiled, and what each of them reached."""
    steps, speeds, notes = {}, {}, {}
    for kind in ("eager", "compile"):
        try:
            step = training_step(name, compiled=kind == "compile")
            for _ in range(3):
                step()
        except Exception as error:  # noqa: BLE001 - no C++ compiler, no support: eager it is
            notes["compile_failed"] = f"{type(error).__name__}: {str(error)[:200]}"
            continue
        steps[kind] = step
        speeds[kind] = max(rate(BATCH, step, TRIAL_SECONDS / 2) for _ in range(2))
    best = max(speeds, key=lambda kind: speeds[kind])
    return steps[best], {"chosen": best, "trial": speeds, **notes}


def prepare() -> tuple[Measure, Figures]:
    """Builds, compiles and tries both networks."""
    if hasattr(os, "sched_getaffinity"):
        torch.set_num_threads(len(os.sched_getaffinity(0)))
    chosen = {name: best_step(name) for name in NETWORKS}

    def measure(order: Order) -> Figures:
        step, _ = chosen[order["network"]]
        return {"images_per_second": rate(BATCH, step, order["seconds"])}

    said = {name: words for name, (_, words) in chosen.items()}
    return measure, {"torch": torch.__version__, "batch_size": BATCH, **said}


if __name__ == "__main__":
    compete(prepare)
