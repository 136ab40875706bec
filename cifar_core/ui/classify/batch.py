"""Many pictures at once: progress, a table to sort, a file to keep, and one of them in full."""

from __future__ import annotations

import hashlib
import io
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from PIL import Image

from cifar_core import formats, services
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.words import counted, listed
from cifar_core.glossary import explain
from cifar_core.inference.aside import REST_BESIDE_TRAINING, aside
from cifar_core.runs.folder import State
from cifar_core.runs.reading import Run
from cifar_core.services import BatchPrediction, Fit
from cifar_core.ui.classify.upload_box import Brought
from cifar_core.ui.kit import caches, session
from cifar_core.ui.kit.images import data_url
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.tables import csv_download, quoted, share_column

if TYPE_CHECKING:
    import pandas as pd
    from streamlit.elements.lib.column_types import ColumnConfig

AT_ONCE = 16
"""Pictures between two movements of the progress."""

_FOREIGN: Mapping[bool | None, str] = {True: "perhaps none", False: "", None: ""}

ENLARGED = 2
ROW_PIXELS = 32 * ENLARGED + 6
"""High enough for the table to draw a thumbnail as it is."""

TABLE_PIXELS = 8 * ROW_PIXELS


def many_section(
    pictures: Sequence[Brought],
    models: Sequence[Run],
    labels: Mapping[str, str],
    *,
    fit: Fit,
    mirror: bool = False,
) -> Brought | None:
    """Draws the table of many pictures and returns the one to show in full, if one is chosen."""
    glances = _look_through(pictures, models, fit, mirror)
    seen = [(brought, glances[brought.key]) for brought in pictures if brought.key in glances]
    if not seen:
        return None
    st.text(summary([glance for _, glance in seen], models, labels))
    # The choice is forgotten when other pictures are there: its row would mean another one.
    these = hashlib.sha256(" ".join(brought.key for brought, _ in seen).encode()).hexdigest()[:12]
    _table([glance for _, glance in seen], models, labels, these)
    chosen = st.selectbox(
        "The whole answer for",
        range(len(seen)),
        index=None,
        format_func=lambda row: f"{row + 1} · {seen[row][0].name}",
        placeholder="Choose one, or mark its row",
        key=f"look_{these}",
        width=480,
    )
    return None if chosen is None else seen[chosen][0]


def _look_through(
    pictures: Sequence[Brought], models: Sequence[Run], fit: Fit, mirror: bool
) -> Mapping[str, BatchPrediction]:
    """Returns what the models say of each picture, asking only about new ones, with progress."""
    asked = f"{fit}-{mirror}-{'-'.join(run.id for run in models)}"
    before, kept = session.GLANCES.get()
    wanted = {brought.key: brought for brought in pictures}
    glances = {key: kept[key] for key in wanted if key in kept} if before == asked else {}
    missing = [brought for key, brought in wanted.items() if key not in glances]
    if not missing:
        return glances
    this = f"{asked}-{missing[-1].key}"
    if session.STOPPED_AT.get() == this:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"Stopped after {len(glances):,} of {len(wanted):,} pictures.")
            st.button("Go on", on_click=session.STOPPED_AT.set, args=("",), key="many_on")
        return glances
    place = st.empty()
    with place.container():
        bar = st.progress(0.0, "Looking …")
        st.button("Stop here", on_click=session.STOPPED_AT.set, args=(this,), key="many_stop")
    opened = [caches.open_model(run) for run in models]
    began = time.monotonic()
    for start in range(0, len(missing), AT_ONCE):
        some = missing[start : start + AT_ONCE]
        loads = [(one.name, one.load) for one in some]
        look = partial(services.classify_batch, loads, opened, fit=fit, flip=mirror)
        is_training = any(run.state is State.RUNNING for run in results.list_runs())
        found = aside(look, rest=REST_BESIDE_TRAINING if is_training else 0.0)
        glances.update(zip((one.key for one in some), found, strict=True))
        session.GLANCES.set((asked, glances))  # what is done is kept when the person stops here
        done = start + len(some)
        left = formats.duration((time.monotonic() - began) / done * (len(missing) - done))
        words = f"{len(glances):,} of {len(wanted):,} pictures, about {left} left"
        bar.progress(done / len(missing), words)
    place.empty()
    return glances


def summary(
    glances: Sequence[BatchPrediction], models: Sequence[Run], labels: Mapping[str, str]
) -> str:
    """Returns in sentences how many pictures were read and what each model saw in them."""
    read = [glance for glance in glances if glance.predictions]
    broken = len(glances) - len(read)
    sentences = [f"{len(glances):,} pictures."]
    if broken:
        sentences = [f"{len(glances):,} files: {len(read):,} pictures, {broken:,} not readable."]
    for place, run in enumerate(models):
        votes = Counter(_best(glance, place) for glance in read)
        if votes:
            seen = [counted(count, label) for label, count in votes.most_common(3)]
            most = "mostly " if len(votes) > 3 else ""
            sentences.append(f"{labels[run.id]} sees {most}{listed(seen)}.")
    return " ".join(sentences)


def _table(
    glances: Sequence[BatchPrediction], models: Sequence[Run], labels: Mapping[str, str], these: str
) -> None:
    shown = table_of(glances, models, labels)
    shown.insert(0, "Picture", [thumbnail(glance) for glance in glances])
    columns: dict[str, ColumnConfig] = {
        "Picture": st.column_config.ImageColumn(width=ROW_PIXELS + 16),
        "File": st.column_config.TextColumn(width="medium"),
        "Problem": st.column_config.TextColumn(width="large"),
    }
    for run in models:
        columns[_sure(labels[run.id])] = share_column()
        columns[_foreign(labels[run.id])] = st.column_config.TextColumn(
            help=explain("out-of-distribution")
        )

    def mark() -> None:
        rows = st.session_state[f"many_{these}"]["selection"]["rows"]
        st.session_state[f"look_{these}"] = rows[0] if rows else None

    st.dataframe(
        shown,
        column_config=columns,
        # The answers before the name: on a phone they are seen without scrolling sideways.
        column_order=sorted(
            map(str, shown), key=lambda name: (name in ("File", "Problem"), name != "Picture")
        ),
        hide_index=True,
        row_height=ROW_PIXELS,
        height=min(TABLE_PIXELS, (len(shown) + 1) * ROW_PIXELS),
        key=f"many_{these}",
        on_select=mark,
        selection_mode="single-row",
    )
    csv_download(whole_table(glances, models, labels), "answers", key=f"many_csv_{these}")


def table_of(
    glances: Sequence[BatchPrediction], models: Sequence[Run], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Returns the table of the page: a row for each file, its texts harmless in a spreadsheet."""
    import pandas as pd

    columns: dict[str, list[object]] = {"File": [quoted(glance.name) for glance in glances]}
    for place, run in enumerate(models):
        label = labels[run.id]
        columns[label] = [
            CIFAR10.class_names[_best(glance, place)] if glance.predictions else None
            for glance in glances
        ]
        columns[_sure(label)] = [
            float(glance.predictions[place].probabilities.max()) if glance.predictions else None
            for glance in glances
        ]
        if any(_is_foreign(glance, place) is not None for glance in glances):
            columns[_foreign(label)] = [_FOREIGN[_is_foreign(glance, place)] for glance in glances]
    if len(models) > 1:
        columns["Models"] = [_agreement(glance) for glance in glances]
    if any(glance.problem for glance in glances):
        columns["Problem"] = [quoted(str(glance.problem or "")) for glance in glances]
    return pd.DataFrame(columns)


def whole_table(
    glances: Sequence[BatchPrediction], models: Sequence[Run], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Returns the table to keep: with digests and all ten probabilities of each model."""
    whole = table_of(glances, models, labels)
    whole.insert(1, "SHA-256", [glance.sha256 for glance in glances])
    for place, run in enumerate(models):
        for label, name in enumerate(CIFAR10.class_names):
            whole[f"{labels[run.id]}: {name}"] = [
                round(float(glance.predictions[place].probabilities[label]), 6)
                if glance.predictions
                else None
                for glance in glances
            ]
    return whole


def _best(glance: BatchPrediction, place: int) -> int:
    return int(np.argmax(glance.predictions[place].probabilities))


def _is_foreign(glance: BatchPrediction, place: int) -> bool | None:
    """Whether a model holds that a picture shows none of the ten; None where it cannot say."""
    verdict = glance.predictions[place].ood if glance.predictions else None
    return None if verdict is None else verdict.verdict


def _sure(label: str) -> str:
    return f"{label}, how sure"


def _foreign(label: str) -> str:
    return f"{label}, none of these?"


def _agreement(glance: BatchPrediction) -> str:
    seen = {_best(glance, place) for place in range(len(glance.predictions))}
    return "" if not seen else "agree" if len(seen) == 1 else "disagree"


def thumbnail(glance: BatchPrediction) -> str | None:
    """Returns the networks' input as an address of the image itself; None without one."""
    if not glance.predictions:
        return None
    buffer = io.BytesIO()
    squares = glance.predictions[0].network_input.repeat(ENLARGED, axis=0).repeat(ENLARGED, axis=1)
    # Lossless, and 2.4 kB where a PNG takes 3.3: a thousand travel with the page.
    Image.fromarray(squares).save(buffer, "WEBP", lossless=True, method=0, quality=0)
    return data_url(buffer.getvalue(), "webp")
