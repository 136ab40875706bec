"""Two runs face to face: is the difference real, where do they differ, what did they set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st

from cifar_core import formats
from cifar_core.charts.matrix import confusion_heatmap, difference_heatmap
from cifar_core.charts.theme import CLASS_ORDERS, Title, config
from cifar_core.evaluation import published
from cifar_core.evaluation.comparison import Agreement, agreement, mcnemar
from cifar_core.evaluation.predictions import Integers
from cifar_core.networks import NETWORKS
from cifar_core.runs.manager import Run
from cifar_core.ui import picture_browser, stored
from cifar_core.ui.compare_pair import Pair
from cifar_core.ui.page import origin_line
from cifar_core.ui.session import address_choice, set_address
from cifar_core.ui.tables import csv_download, plain
from cifar_core.ui.theme import is_dark

if TYPE_CHECKING:
    import pandas as pd

GROUPS: Final = ("both", "first", "second", "neither")

SETTING_WORDS: Final = {"name": "recipe"}
"""Settings whose word in the file would mislead a reader."""


def verdict(pair: Pair) -> None:
    """Says in one sentence whether the two truly differ."""
    difference = mcnemar(
        pair.a.labels, pair.a.probabilities.argmax(1), pair.b.probabilities.argmax(1)
    )
    with st.container(border=True, key="verdict", width=820):
        st.text(difference.sentence(pair.name_a, pair.name_b))
        origin_line(
            f"{len(pair.a.labels):,} {pair.a.monitored} pictures; epochs {pair.a.epoch} and "
            f"{pair.b.epoch}; interval: {difference.interval.method}"
        )


def matrix_panel(pair: Pair) -> None:
    """Draws both matrices and their difference."""
    order = st.selectbox(
        "Order", list(CLASS_ORDERS), key="matrix_order", bind="query-params", width=190
    )
    order = order or "dataset"
    first, second = stored.matrix_of(pair.a), stored.matrix_of(pair.b)
    left, right = st.columns(2, gap="medium")
    sides = ((left, pair.a, pair.name_a, first), (right, pair.b, pair.name_b, second))
    most = max(_most_confused(matrix) for matrix in (first, second))
    for place, (column, answers, name, matrix) in enumerate(sides):
        title = Title("Confusion matrix", name, answers.epoch, answers.monitored)
        chart = confusion_heatmap(
            matrix, show_diagonal=False, order=order, title=title, dark=is_dark()
        )
        chart.data[0].zmax = most  # One scale for both: the same colour is the same count.
        column.plotly_chart(
            chart,
            theme=None,
            key=f"matrix_{place}",
            config=config(f"confusion-{place + 1}"),
            alt=f"Confusion matrix of {name}, mistakes only.",
        )
    with st.columns([1, 4, 1])[1]:
        title = Title(f"Difference: {pair.name_a} minus {pair.name_b}", "", None, pair.a.monitored)
        st.plotly_chart(
            difference_heatmap(
                first, second, names=(pair.name_a, pair.name_b), order=order, title=title,
                dark=is_dark(),
            ),
            theme=None,
            key="matrix_difference",
            config=config("confusion-difference"),
            alt=f"Difference of the matrices of {pair.name_a} and {pair.name_b}.",
        )  # fmt: skip
    origin_line(f"{pair.a.origin} · {pair.b.origin}")


def agreement_panel(pair: Pair) -> None:
    """Draws the four groups of pictures and the gallery of the chosen one."""
    guesses = pair.a.probabilities.argmax(1), pair.b.probabilities.argmax(1)
    groups = agreement(pair.a.labels, *guesses)
    total = len(pair.a.labels)
    shares = {
        group: f"{_words(group, pair)}: {len(_places(groups, group)):,} "
        f"({formats.percent(len(_places(groups, group)) / total)})"
        for group in GROUPS
    }
    chosen = st.radio(
        "Pictures by who is right",
        GROUPS,
        index=GROUPS.index(address_choice("group", GROUPS, "first")),
        format_func=shares.__getitem__,
        key="agreement_group",
    )
    group = str(chosen)
    set_address("group", group)
    # Where only the first is right the second's mistake tells more; else the first's answer.
    shown, name = (pair.b, pair.name_b) if group == "first" else (pair.a, pair.name_a)
    places = _places(groups, group)
    order = shown.probabilities[places].max(axis=1).argsort(kind="stable")[::-1]
    st.text(
        f"{_sentence(group, pair, len(places), total)} Below each picture: what it shows, and "
        f"what {name} says."
    )
    key = f"{pair.run_a.id}-{pair.run_b.id}-{pair.a.epoch}-{pair.b.epoch}-{GROUPS.index(group)}"
    picture_browser.browse(shown, places[order], key=key, name=f"agreement-{key}")


def settings_panel(runs: Sequence[Run], names: dict[str, str]) -> None:
    """Draws the settings in which the runs differ; the identical ones are counted."""
    import pandas as pd

    table, same = differing_settings(runs, names)
    if table.empty:
        st.text("These runs have identical settings.")
    else:
        st.dataframe(table, hide_index=True, height="content")
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


def tutorial_panel() -> None:
    """Draws the tutorial's own numbers and what they say about its claim."""
    with st.container(horizontal=True, gap="large"):
        for network in published.BEST_EPOCHS:
            st.metric(
                f"Tutorial, {NETWORKS[network].title}",
                published.published(network).accuracy.words(),
                width="content",
                help="Test accuracy, from the confusion matrix it printed.",
            )
        st.metric("Its text says", f"about {published.CLAIMED_ACCURACY:.0%}", width="content")
    for sentence in published.claim_check():
        st.text(sentence, width=680)
    with st.expander("A misprint in its first matrix"):
        st.text(published.misprint(), width=680)


def _settings(run: Run) -> dict[str, str]:
    assert run.recipe is not None
    known = {
        SETTING_WORDS.get(key, key.replace("_", " ")): f"{value:g}"
        if isinstance(value, float)
        else str(value)
        for key, value in run.recipe.to_json().items()
    }
    known["device"] = run.status.device_name or run.status.device
    known["computed in"] = run.status.precision or formats.UNKNOWN
    known["data digest"] = stored.data_digest(run) or formats.UNKNOWN
    return known


def _places(groups: Agreement, group: str) -> Integers:
    by_name = dict(
        zip(
            GROUPS,
            (groups.both_right, groups.only_a, groups.only_b, groups.both_wrong),
            strict=True,
        )
    )
    return by_name[group]


def _words(group: str, pair: Pair) -> str:
    """Returns what a group of pictures is called; Markdown, as labels are."""
    return {
        "both": "Both right",
        "first": f"Only {plain(pair.name_a)} right",
        "second": f"Only {plain(pair.name_b)} right",
        "neither": "Neither right",
    }[group]


def _sentence(group: str, pair: Pair, count: int, total: int) -> str:
    who = {
        "both": "both networks name rightly",
        "first": f"only {pair.name_a} names rightly",
        "second": f"only {pair.name_b} names rightly",
        "neither": "neither network names rightly",
    }[group]
    return f"{count:,} of {total:,} pictures {who}."


def _most_confused(matrix: Integers) -> int:
    """Returns the largest count of a matrix off its diagonal, at least 1."""
    return max(1, int((matrix - np.diag(np.diag(matrix))).max()))
