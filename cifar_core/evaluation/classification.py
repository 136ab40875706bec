"""The classification report: precision, recall and F1 of each class, and their averages.

What ``sklearn.metrics.classification_report`` gives (tested to 1e-9, its text to the letter),
without loading it: it takes a second and 150 MB of the web process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike

from cifar_core.evaluation.predictions import Floats, Integers, checked_matrix

if TYPE_CHECKING:
    import pandas as pd

SHARES: Final = ("precision", "recall", "F1")
"""The columns that are shares from 0 to 1."""

ACCURACY, MACRO, WEIGHTED = AVERAGES = ("accuracy", "macro avg", "weighted avg")
"""The rows below the classes, named as scikit-learn names them."""


def class_report(matrix: ArrayLike, class_names: Sequence[str]) -> pd.DataFrame:
    """Returns precision, recall, F1 and support of each class.

    Args:
        matrix: Counts (classes, classes), rows true classes, columns predicted ones.
        class_names: What the classes are called.

    Returns:
        A row per class with the columns ``class`` (name), ``precision``, ``recall``, ``F1`` (from 0
        to 1; 0 where undefined) and ``support`` (images of the class).
    """
    import pandas as pd

    counts = checked_matrix(matrix)
    correct, predicted, support = np.diag(counts), counts.sum(axis=0), counts.sum(axis=1)
    return pd.DataFrame(
        {
            "class": list(class_names),
            "precision": _shares(correct, predicted),
            "recall": _shares(correct, support),
            "F1": _shares(2 * correct, predicted + support),
            "support": support,
        }
    )


def averages(report: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows below the classes: accuracy, macro and weighted average.

    Args:
        report: As :func:`class_report` returns it; further columns are averaged too.

    Returns:
        Three rows with the same columns. The macro average counts every class the same, the
        weighted one by its support. The accuracy stands in the column ``F1``, as scikit-learn
        prints it, and the other shares of its row are not a number.
    """
    import pandas as pd

    support = report["support"].to_numpy()
    total = int(support.sum())
    shares = report.drop(columns=["class", "support"])
    # Without an image there is nothing to weigh; every share is 0 then.
    weights = support / total if total else np.zeros(len(support))
    weighted = {name: float(np.nan_to_num(values) @ weights) for name, values in shares.items()}
    accuracy = dict.fromkeys(shares, float("nan")) | {"F1": weighted["recall"]}
    rows = (accuracy, shares.mean().to_dict(), weighted)
    return pd.DataFrame(
        [{"class": name, **row, "support": total} for name, row in zip(AVERAGES, rows, strict=True)]
    )[list(report.columns)]


def with_averages(report: pd.DataFrame) -> pd.DataFrame:
    """Returns a report with its averages below it, in scikit-learn's order."""
    import pandas as pd

    return pd.concat([report, averages(report)], ignore_index=True)


def to_dict(report: pd.DataFrame) -> dict[str, Any]:
    """Returns a report as scikit-learn's ``output_dict``: a dict per row, accuracy as a number."""
    rows = {
        row["class"]: {
            "precision": row["precision"],
            "recall": row["recall"],
            "f1-score": row["F1"],
            "support": row["support"],
        }
        for row in with_averages(report).to_dict("records")
    }
    return {**rows, ACCURACY: rows[ACCURACY]["f1-score"]}


def to_text(report: pd.DataFrame, *, digits: int = 3) -> str:
    """Returns a report as text, laid out as scikit-learn prints it."""
    heads = ("precision", "recall", "f1-score", "support")
    width = max(map(len, (*report["class"], *AVERAGES)))
    lines = [" " * (width + 1) + "".join(f" {head:>9}" for head in heads), ""]
    for row in with_averages(report).to_dict("records"):
        if row["class"] == ACCURACY:
            lines.append("")
        cells = [
            " " * 10 if np.isnan(row[name]) else f" {row[name]:9.{digits}f}" for name in SHARES
        ]
        lines.append(f"{row['class']:>{width}} {''.join(cells)} {row['support']:>9}")
    return "\n".join(lines) + "\n"


def _shares(parts: Integers, wholes: Integers) -> Floats:
    """Returns parts of wholes; 0 where there is no whole."""
    shares: Floats = parts / np.maximum(wholes, 1)
    return shares
