"""What the runs were set to: the settings that differ side by side, the identical ones folded."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from cifar_core import formats
from cifar_core.glossary import explain_found
from cifar_core.runs.reading import Run
from cifar_core.runs.results import data_digest
from cifar_core.ui.kit.runs.labels import machine_words, network_title, recipe_title
from cifar_core.ui.kit.tables import csv_download

if TYPE_CHECKING:
    import pandas as pd

WORDS: Final = {
    "name": "Recipe",
    "initialisation": "First weights",
    "dropout": "Dropout, times the network's own",
    "crop_padding": "Shifted by up to",
    "flips": "Mirrored",
    "monitored_split": "Watched on",
    "precision": "Asked to compute in",
    "warmup": "Warm-up",
    "bias_rate": "Rate of biases, times the learning rate",
    "lookahead": "Back to the average every so many steps",
}
"""Settings whose word in the file would not help a reader."""

VALUES: Final = {
    "inverse-time": "inverse time",
    "none": "no",
    "random": "at random",
    "alternating": "every second epoch",
    "auto": "the fastest here",
    "keras": "Keras' own",
    "whitening": "from the pictures' patches",
    "identity": "from the pictures' patches, channels passed on",
}
"""Values whose word in the file would not help a reader."""

ZEROS: Final = {"training_pictures": "all", "crop_padding": "no", "lookahead": "never"}
"""What a zero means, where it is no number."""


def settings_panel(runs: Sequence[Run], names: dict[str, str]) -> None:
    """Draws the settings in which the runs differ; the identical ones are counted."""
    import pandas as pd

    table, same = differing_settings(runs, names)
    if table.empty:
        st.text("These runs have identical settings.")
    else:
        words = explain_found(", ".join(table["Setting"]))
        columns = {"Setting": st.column_config.TextColumn(help=words)}
        st.dataframe(table, hide_index=True, height="content", column_config=columns)
        csv_download(table, "settings", key="settings_csv")
    unreadable = [names[run.id] for run in runs if run.recipe is None]
    if unreadable:
        st.text(f"The recipe cannot be read of: {', '.join(unreadable)}.")
    if same:
        with st.expander(f"{len(same)} settings are the same in all"):
            st.dataframe(
                pd.DataFrame({"Setting": list(same), "Value": list(same.values())}),
                hide_index=True,
                height="content",
            )


def differing_settings(
    runs: Sequence[Run], names: dict[str, str]
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Returns the settings that differ, a column per run, and the identical ones."""
    import pandas as pd

    columns = {run.id: _settings(run) for run in runs if run.recipe is not None}
    rows, same = [], {}
    for setting in next(iter(columns.values()), {}):
        values = [column[setting] for column in columns.values()]
        if len(set(values)) == 1:
            same[setting] = values[0]
        else:
            rows.append([setting, *values])
    heads = ["Setting", *(names[run_id] for run_id in columns)]
    return pd.DataFrame(rows, columns=heads), same


def _settings(run: Run) -> dict[str, str]:
    """Returns the settings of a run in words, by their words."""
    assert run.recipe is not None
    known = {
        WORDS.get(key, key.replace("_", " ").capitalize()): _words(key, value)
        for key, value in run.recipe.to_json().items()
    }
    known[WORDS["name"]] = recipe_title(run.recipe)
    known["Network"] = network_title(run.recipe)
    known["Device"] = machine_words(run)
    known["Computed in"] = run.status.precision or formats.UNKNOWN
    known["Data digest"] = data_digest(run) or formats.UNKNOWN
    return known


def _words(key: str, value: Any) -> str:
    """Returns a value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not value:
        return ZEROS.get(key, "0") if value is not None else formats.UNKNOWN
    if key == "crop_padding":
        return f"{value} pixels"
    if key == "warmup":
        return f"{value:.0%} of the training"
    if isinstance(value, (int, float)):
        return f"{value:,}" if isinstance(value, int) else f"{Decimal(repr(value)):f}"
    return VALUES.get(value, str(value))
