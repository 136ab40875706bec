"""``python -m benchmarks.gallery``: how long the server takes for pages of the gallery.

Each turn is a visitor of their own who opens an address with random choices: any page, split,
class, batch, right or wrong answers, doubtful labels. Measured from the request until the last
element has arrived, so the script, its caches and the messages on the wire are inside; what the
browser draws is not. Where other programs take the processor, a page that waits for it takes
longer; the processor time beside it does not. The first turns, in which the server loads its
modules, are left out.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import argparse
import random
import sys
from urllib.parse import urlencode

from benchmarks.figures import percentile
from benchmarks.web import Server, Visitor
from cifar_core.dataset import CIFAR10
from cifar_core.settings import current

SEED = 20_261_127
WARM_UP = 8
PAGES_OF_ALL = {"train": 1042, "test": 209}
LIMIT_SECONDS = 0.3


def queries(count: int) -> list[str]:
    """Returns so many random addresses of the gallery, always the same ones."""
    chance = random.Random(SEED)  # noqa: S311 - a sample, no secret
    made = []
    for turn in range(count):
        split = chance.choice(("train", "test"))
        choices: dict[str, str | int] = {"split": split}
        if turn % 2:
            choices["class"] = chance.choice(CIFAR10.class_names)
            choices["page"] = chance.randrange(1, PAGES_OF_ALL[split] // 10)
        else:
            choices["page"] = chance.randrange(1, PAGES_OF_ALL[split] + 1)
        if turn % 5 == 3:
            choices |= {"answered": chance.choice(("right", "wrong")), "page": 1}
        if turn % 5 == 4:
            choices |= {"label": "doubtful", "page": 1}
        made.append(urlencode(choices))
    return made


def main(arguments: list[str] | None = None) -> int:
    """Measures, prints median, 95th percentile and worst, and returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gallery", description=__doc__)
    parser.add_argument("--turns", type=int, default=200)
    options = parser.parse_args(arguments)
    took: list[float] = []
    with Server({"CIFAR_LAB_DATA": str(current().data_dir)}) as server:
        server.visit().close()
        before = 0.0
        for turn, query in enumerate(queries(WARM_UP + options.turns)):
            if turn == WARM_UP:
                before = server.processor_seconds() or 0.0
            visitor = Visitor(server.port)
            answer = visitor.open(query=query)
            visitor.close()
            if answer.errors:
                print(f"{query}: {answer.errors}", file=sys.stderr)
                return 1
            took.append(answer.seconds)
        spent = (server.processor_seconds() or 0.0) - before
    seconds = took[WARM_UP:]
    worst = percentile(seconds, 0.95)
    print(
        f"{len(seconds)} pages of the gallery: median {percentile(seconds, 0.5):.3f} s, "
        f"95th percentile {worst:.3f} s, longest {max(seconds):.3f} s; "
        f"{spent / len(seconds):.3f} s of one processor each"
    )
    return 0 if worst <= LIMIT_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
