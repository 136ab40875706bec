"""A run in few words: a line while it goes on, a row in a list, plain values for JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from cifar_core import formats
from cifar_core.evaluation.evaluation import Evaluation
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run, Unlisted

MOST_NAMES = 5

HEADS = ("RUN", "STATE", "EPOCH", "ACCURACY", "NAME")


def unlisted(found: Unlisted) -> list[str]:
    """Says in sentences which folders among the runs are in no list, and why."""
    said = []
    if found.misnamed:
        said.append(
            f"Not listed, for their folders are not named as runs are: {_names(found.misnamed)}. "
            "Rename each with letters, digits, dots, dashes and underscores, a letter or digit "
            "first."
        )
    if found.foreign:
        said.append(f"Folders here that are no runs of the lab: {_names(found.foreign)}.")
    return said


def left_over(run_id: str, names: Sequence[str]) -> str:
    """Says which files stay of a run that was deleted."""
    return f"Not written by the lab, so left in the folder {run_id}: {_names(names)}."


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{name[:80]}”" for name in names[:MOST_NAMES])
    more = len(names) - MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown


def facts(run: Run, figures: Evaluation | None) -> dict[str, Any]:
    """Returns what is known of a run as plain values.

    Args:
        run: The run.
        figures: Its final figures, if it has them.
    """
    evaluation = None
    if figures is not None:
        evaluation = {
            "split": figures.split,
            "pictures": figures.pictures,
            "accuracy": figures.accuracy,
            "interval": list(figures.interval),
        }
    return {
        "run": run.id,
        "name": run.name,
        "state": str(run.state),
        "reason": run.reason,
        "remedy": run.remedy,
        "shipped": run.is_shipped,
        "recipe": run.recipe.to_json() if run.recipe else None,
        "monitored_split": run.recipe.monitored_split if run.recipe else None,
        "status": dataclasses.asdict(run.status),
        "evaluation": evaluation,
        "note": run.label.note,
    }


def table(rows: Iterable[tuple[Run, Evaluation | None]]) -> list[str]:
    """Returns a headed list of runs in columns, one line each.

    Args:
        rows: Runs, each with its final figures if it has them.
    """
    cells = [HEADS, *(_cells(run, figures) for run, figures in rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    return [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def progress(run: Run, ahead: int) -> str:
    """Returns where a living run stands.

    Args:
        run: The run.
        ahead: How many runs have the device before it, while it waits.
    """
    status = run.status
    if run.state is State.QUEUED:
        return f"waiting, {ahead} before it"
    share = status.step / status.steps_per_epoch if status.steps_per_epoch else 0.0
    parts = [f"{run.state}: {status.phase}", f"epoch {status.epoch + share:.1f}"]
    if status.images_per_second:
        parts.append(f"{status.images_per_second:,.0f} images/s")
    if status.accuracy is not None:
        split = f"{run.recipe.monitored_split} " if run.recipe else ""
        parts.append(f"{formats.percent(status.accuracy)} of the {split}pictures right")
    if status.eta_seconds is not None:
        parts.append(f"{formats.duration(status.eta_seconds)} to go")
    return ", ".join(parts)


def _cells(run: Run, figures: Evaluation | None) -> tuple[str, ...]:
    epochs = f"{run.status.epoch}/{run.recipe.epochs if run.recipe else '?'}"
    if figures is not None:
        accuracy = f"{formats.percent(figures.accuracy)} {figures.split}"
    else:
        split = run.recipe.monitored_split if run.recipe and run.status.accuracy is not None else ""
        accuracy = f"{formats.percent(run.status.accuracy)} {split}"
    return run.id, str(run.state), epochs, accuracy.rstrip(), _one_line(run.name)


def _one_line(text: str) -> str:
    """Returns text that cannot move a terminal's cursor: what is not printable is spelt out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
