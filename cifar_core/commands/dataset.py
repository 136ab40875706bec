"""Commands on the dataset: fetch it, and what was found in it."""

from __future__ import annotations

import argparse

from cifar_core import services
from cifar_core.commands.answers import INTERRUPTED, Add, answer
from cifar_core.console import tell
from cifar_core.dataset import CIFAR10, statistics
from cifar_core.dataset.mirrors import Progress


def add_to(add: Add) -> None:
    """Adds the commands on the dataset."""
    add(show_data, "data", "find or download the dataset")
    add(analyse, "analyse", "let the best network look at all pictures: map, near-duplicates")
    add(show_duplicates, "duplicates", "list near-duplicates between test and training pictures")
    made = add(show_doubts, "doubts", "list labels that are probably wrong")
    made.add_argument("--pictures", choices=("test", "validation"), default="test")


def show_data(options: argparse.Namespace) -> int:
    """``data``: finds or downloads the dataset and says what is there."""
    told = ""

    def show(step: Progress) -> None:
        nonlocal told
        if step.refused != told:
            told = step.refused
            tell(f"Not used: {told}")
        tell(step.message, same_line=True)

    dataset = services.fetch_dataset(show)
    counts = statistics.class_counts()
    facts = {
        "source": dataset.source,
        "digest": dataset.digest,
        "sha256": dict(dataset.digests),
        "train": len(dataset.train.labels),
        "test": len(dataset.test.labels),
        "classes": list(CIFAR10.class_names),
        "counts": {
            name: [int(count) for count in row]
            for name, row in zip(statistics.COUNT_ROWS, counts, strict=True)
        },
    }
    return answer(
        options,
        facts,
        f"{facts['train']:,} training and {facts['test']:,} test pictures\n"
        f"from {dataset.source}, data {dataset.digest}, digests checked",
    )


def analyse(options: argparse.Namespace) -> int:
    """``analyse``: lets the best network look at all pictures: neighbours, map, near-duplicates."""
    services.start_analysis()
    try:
        services.wait_for_analysis(lambda message: tell(message, same_line=True))
    except KeyboardInterrupt:
        services.stop_analysis()
        tell("The analysis is stopped.")
        return INTERRUPTED
    return show_duplicates(options)


def show_duplicates(options: argparse.Namespace) -> int:
    """``duplicates``: lists test pictures that the training split holds nearly the same."""
    found = services.read_pairs()
    lines = [pair.words() for pair in found.pairs]
    return answer(options, found.facts(), "\n".join([*lines, f"by {found.origin.words()}"]))


def show_doubts(options: argparse.Namespace) -> int:
    """``doubts``: lists labels that are probably wrong, the most doubtful first."""
    found = services.find_doubtful_labels(options.pictures)
    return answer(options, found.facts(), "\n".join([*found.lines(), found.origin]))
