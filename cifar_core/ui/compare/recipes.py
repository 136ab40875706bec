"""As printed, repaired, and ours: a table of what the recipes reached in the shipped runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from cifar_core import formats, services
from cifar_core.evaluation import published
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import recipe
from cifar_core.ui.kit.page import origin_line
from cifar_core.ui.kit.tables import csv_download, worded

if TYPE_CHECKING:
    import pandas as pd

TO_TUTORIAL: Final = "seconds to the tutorial's accuracy"


def recipes_panel() -> None:
    """Draws the tutorial's figures and what each recipe reached, accuracy and time."""
    evidence = services.list_evidence()
    if not evidence:
        return
    st.subheader("As printed, repaired, and trained well", anchor=False)
    reached = {item.recipe.name for item in evidence}
    words = ["The same layers in the same order, trained by this lab."]
    if "tutorial" in reached:
        words.append(
            "As printed the learning rate is too high for today's Keras: it names every picture "
            "alike."
        )
    if "tutorial-repaired" in reached:
        words.append("A tenth of it repairs that.")
    st.text(" ".join(words), width=680)
    table, shown = recipes_table(evidence)
    st.dataframe(
        worded(table, shown),
        hide_index=True,
        height="content",
        width="content",
        column_config={
            "accuracy": st.column_config.NumberColumn("Test accuracy"),
            "training seconds": st.column_config.NumberColumn("Training"),
            TO_TUTORIAL: st.column_config.NumberColumn("Until the tutorial's accuracy"),
            **dict.fromkeys(("deviation", "runs")),  # in the words of the accuracy
            **{name: name.capitalize() for name in ("network", "recipe", "epochs")},
        },
        placeholder=formats.UNKNOWN,
    )
    csv_download(table, "tutorial-and-recipes", key="recipes_csv")
    machines = sorted({name for item in evidence for name in item.devices})
    origin_line(
        "Runs that come with the lab; accuracy on the 10,000 test pictures after the last epoch, "
        f"mean ± standard deviation over seeds; time on {', '.join(machines)}."
    )


def recipes_table(
    evidence: list[services.Evidence],
) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Returns the values, and words for them; of each network the published figures first.

    Shares are from 0 to 1 and times in seconds; what the tutorial did not print is missing.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    words: dict[str, list[str]] = {"accuracy": [], "training seconds": [], TO_TUTORIAL: []}
    for network in published.BEST_EPOCHS:
        title = NETWORKS[network].title
        known = published.published(network)
        rows.append(
            {
                "network": title,
                "recipe": "Tutorial, as published",
                "accuracy": known.accuracy.value,
                "epochs": recipe("tutorial", network).epochs,
            }
        )
        _say(words, known.accuracy.words(), None, None)
        for item in evidence:
            if item.recipe.network == network:
                rows.append({"network": title, **_facts(item)})
                _say(words, item.accuracy.words(), item.seconds, item.tutorial_seconds)
    columns = ["network", "recipe", "accuracy", "deviation", "runs", "epochs", "training seconds"]
    table = pd.DataFrame(rows, columns=[*columns, TO_TUTORIAL])
    return table.astype({"runs": "Int64", "training seconds": float, TO_TUTORIAL: float}), words


def _facts(item: services.Evidence) -> dict[str, Any]:
    return {
        "recipe": NAMED_RECIPES[item.recipe.name].title,
        "accuracy": item.accuracy.mean,
        "deviation": item.accuracy.deviation,
        "runs": item.accuracy.count,
        "epochs": item.recipe.epochs,
        "training seconds": item.seconds,
        TO_TUTORIAL: item.tutorial_seconds,
    }


def _say(
    words: dict[str, list[str]], accuracy: str, seconds: float | None, reached: float | None
) -> None:
    words["accuracy"].append(accuracy)
    words["training seconds"].append(formats.duration(seconds))
    words[TO_TUTORIAL].append(formats.duration(reached))
