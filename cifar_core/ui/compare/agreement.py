"""Who is right: the pictures that both, one or neither of two runs names rightly."""

from __future__ import annotations

from typing import Final

import numpy as np
import streamlit as st

from cifar_core import formats
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.comparison import Agreement, agreement
from cifar_core.evaluation.predictions import Integers
from cifar_core.ui.compare.run_pair import Pair, said
from cifar_core.ui.kit import image_browser
from cifar_core.ui.kit.page import origin_line
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.session import keep_in_address
from cifar_core.ui.kit.tables import file_name, plain
from cifar_core.ui.kit.theme import RIGHT_SIGN, WRONG_SIGN

GROUPS: Final = ("both", "first", "second", "neither")


def agreement_panel(pair: Pair) -> None:
    """Draws the four groups of pictures and the gallery of the chosen one."""
    groups = agreement_of(pair)
    total = len(pair.a.labels)
    shares = {
        group: f"{_words(group, pair)}: {len(places):,} ({formats.percent(len(places) / total)})"
        for group, places in groups.items()
    }
    chosen = st.radio(
        "Pictures by who is right",
        GROUPS,
        format_func=shares.__getitem__,
        key="agreement_group",
        on_change=keep_in_address("agreement_group", shares, "first", name="group"),
    )
    group = str(chosen)
    # Where only the first is right the second's mistake tells more; else the first's answer.
    is_second = group == "first"
    first, second = results.as_served(pair.run_a, pair.a), results.as_served(pair.run_b, pair.b)
    shown, other = (second, first) if is_second else (first, second)
    names = said(pair.run_a, pair.name_a), said(pair.run_b, pair.name_b)
    shown_name, other_name = names[::-1] if is_second else names
    places = groups[group]
    order = shown.probabilities[places].max(axis=1).argsort(kind="stable")[::-1]
    st.text(
        f"{_sentence(group, pair, len(places), total)} Below each picture: what it shows, what "
        f"{shown_name} says, then what {other_name} says."
    )
    which = (pair.run_a.id, pair.a.epoch, pair.run_b.id, pair.b.epoch, group)
    key, name = file_name(*which), file_name("agreement", *which)

    def second_line(place: int) -> str:
        return answer_words(other.probabilities[place], int(other.labels[place]))

    image_browser.browse(shown, places[order], key=key, name=name, also=second_line)
    origin_line(f"{pair.a.origin} · {pair.b.origin}")


def agreement_of(pair: Pair) -> dict[str, Integers]:
    """Returns the positions (m,) of the pictures of each group, by its name in GROUPS."""
    guesses = pair.a.probabilities.argmax(axis=1), pair.b.probabilities.argmax(axis=1)
    found: Agreement = agreement(pair.a.labels, *guesses)
    parts = (found.both_right, found.only_a, found.only_b, found.both_wrong)
    return dict(zip(GROUPS, parts, strict=True))


def answer_words(shares: np.ndarray, true: int) -> str:
    """Returns an answer in few words, with its sign: ``✓ cat, 92%``."""
    guess = int(shares.argmax())
    sign = RIGHT_SIGN if guess == true else WRONG_SIGN
    return f"{sign} {CIFAR10.class_names[guess]}, {100 * shares[guess]:.0f}%"


def _words(group: str, pair: Pair) -> str:
    """Returns what a group of pictures is called; Markdown, as labels are."""
    return {
        "both": "Both right",
        "first": f"Only {plain(said(pair.run_a, pair.name_a))} right",
        "second": f"Only {plain(said(pair.run_b, pair.name_b))} right",
        "neither": "Neither right",
    }[group]


def _sentence(group: str, pair: Pair, count: int, total: int) -> str:
    who = {
        "both": "both networks name rightly",
        "first": f"only {said(pair.run_a, pair.name_a)} names rightly",
        "second": f"only {said(pair.run_b, pair.name_b)} names rightly",
        "neither": "neither network names rightly",
    }[group]
    return f"{count:,} of {total:,} pictures {who}."
