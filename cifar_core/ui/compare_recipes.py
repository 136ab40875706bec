"""As printed, repaired, and ours: a table of what the recipes reached in the shipped runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from cifar_core import formats, services
from cifar_core.evaluation import published
from cifar_core.named_recipes import NAMED_RECIPES
from cifar_core.networks import NETWORKS
from cifar_core.recipes import recipe
from cifar_core.ui.page import origin_line
from cifar_core.ui.tables import csv_download

if TYPE_CHECKING:
    import pandas as pd


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
    table = recipes_table(evidence)
    st.dataframe(table, hide_index=True, height="content", width="content")
    csv_download(table, "tutorial-and-recipes", key="recipes_csv")
    machines = sorted({name for item in evidence for name in item.devices})
    origin_line(
        "Runs that come with the lab; accuracy on the 10,000 test pictures after the last epoch, "
        f"mean ± standard deviation over seeds; time on {', '.join(machines)}."
    )


def recipes_table(evidence: list[services.Evidence]) -> pd.DataFrame:
    """Returns the table: of each network the published figures first, then recipe by recipe."""
    import pandas as pd

    unknown = (formats.UNKNOWN, formats.UNKNOWN)  # it printed no times
    rows = []
    for network in published.BEST_EPOCHS:
        title = NETWORKS[network].title
        known = published.published(network)
        epochs = str(recipe("tutorial", network).epochs)
        rows.append((title, "Tutorial, as published", known.accuracy.words(), epochs, *unknown))
        rows += [
            (
                title,
                NAMED_RECIPES[item.recipe.name].title,
                item.accuracy.words(),
                str(item.recipe.epochs),
                formats.duration(item.seconds),
                formats.duration(item.tutorial_seconds),
            )
            for item in evidence
            if item.recipe.network == network
        ]
    heads = (
        "Network",
        "Recipe",
        "Test pictures right",
        "Epochs",
        "Training",
        "Until the tutorial's accuracy",
    )
    return pd.DataFrame(rows, columns=list(heads))
