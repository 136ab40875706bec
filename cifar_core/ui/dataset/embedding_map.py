"""The map of the pictures: what looks alike to a network lies side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cifar_core.analysis.results import Kind
from cifar_core.charts.places import places_map
from cifar_core.charts.theme import Title
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.words import counted, listed
from cifar_core.glossary import explain
from cifar_core.services import Located
from cifar_core.ui.dataset import analysis_results
from cifar_core.ui.dataset.analysis_panel import analysis_panel
from cifar_core.ui.kit.downloads import chart_format, draw_chart
from cifar_core.ui.kit.images import choose_page, gallery, picture_address
from cifar_core.ui.kit.page import origin_line
from cifar_core.ui.kit.tables import csv_download, file_name
from cifar_core.ui.kit.theme import is_dark

if TYPE_CHECKING:
    import pandas as pd

KINDS: Mapping[str, Kind] = {"t-SNE": "tsne", "PCA": "pca"}
ALL = "all"
PAGE_PICTURES = 24


def map_section() -> None:
    """The map with its controls and, beside it, the pictures that were circled or chosen."""
    st.text(
        "Each point is a picture. The network has turned it into many numbers before it decides; "
        "pictures with similar numbers lie side by side. Circle some points, or choose a class, "
        "and their pictures appear.",
        help=explain("embedding"),
    )
    found = analysis_results.located()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Layout",
            list(KINDS),
            default="t-SNE",
            required=True,
            key="layout",
            bind="query-params",
            help=f"{explain('t-SNE')} {explain('PCA')}",
        )
        name = st.selectbox(
            "Class", [ALL, *CIFAR10.class_names], key="map_class", bind="query-params", width=180
        )
    label = None if name in (ALL, None) else CIFAR10.class_names.index(name)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        rows = _chart(found, kind or "t-SNE", label)
    with right:
        _pictures(found, rows, label)
    origin_line(_origin(found))
    chart_format()
    analysis_panel()


def unusual_first(located: Located, label: int) -> NDArray[np.int64]:
    """Returns the rows of a class on the map, those least like the rest of it first."""
    features, rows = analysis_results.directions(located), located.places.map_rows
    labels = all_labels(located)[rows]
    own = rows[labels == label]
    centre = features[own].mean(axis=0)
    order: NDArray[np.int64] = np.argsort(features[own] @ centre, kind="stable")
    return np.asarray(own[order], np.int64)


def all_labels(located: Located) -> NDArray[np.int64]:
    """Returns the label of every row, the train split first."""
    dataset = located.dataset
    return np.concatenate([dataset.train.labels, dataset.test.labels]).astype(np.int64)


def selection_words(labels: NDArray[np.int64]) -> str:
    """Says of which classes the circled pictures are, the most frequent first."""
    counts = np.bincount(labels, minlength=10)
    order = [int(label) for label in np.argsort(-counts, kind="stable") if counts[label]]
    shown = [counted(int(counts[label]), label) for label in order[:4]]
    rest = int(counts.sum()) - sum(int(counts[label]) for label in order[:4])
    return f"Circled: {listed([*shown, *([f'{rest:,} more'] if rest else [])])}."


def _chart(located: Located, kind: str, label: int | None) -> NDArray[np.int64]:
    """Draws the map and returns the rows that are circled."""
    rows = located.places.map_rows
    labels, splits, indices = _told(located)
    chart = places_map(
        located.places.plane(KINDS[kind]),
        labels,
        rows,
        [
            f"{CIFAR10.class_names[own]}, {split} {index}"
            for own, split, index in zip(labels, splits, indices, strict=True)
        ],
        is_test=np.array([split == "test" for split in splits]),
        chosen=label,
        title=Title(f"{kind} of {len(rows):,} pictures", located.places.origin.network_title),
        dark=is_dark(),
    )
    event = draw_chart(
        chart,
        key="map",
        name=file_name("cifar10-map", kind),
        on_select="rerun",
        has_lasso=True,
        alt="Map of the pictures. The field “Class” above opens the pictures of a class.",
    )
    csv_download(lambda: map_table(located, kind), file_name("cifar10-map", kind), key="csv_map")
    circled = [int(point["customdata"]) for point in event.selection.points if _has_row(point)]
    return np.array(sorted(set(circled)), np.int64)


def map_table(located: Located, kind: str) -> pd.DataFrame:
    """Returns a row per point of the map: the image and where it lies.

    Args:
        located: The map.
        kind: A key of :data:`KINDS`.
    """
    import pandas as pd

    labels, splits, indices = _told(located)
    plane = located.places.plane(KINDS[kind])
    return pd.DataFrame(
        {
            "split": splits,
            "index": indices,
            "class": [CIFAR10.class_names[label] for label in labels],
            "x": plane[:, 0],
            "y": plane[:, 1],
        }
    )


def _has_row(point: object) -> bool:
    return isinstance(point, dict) and isinstance(point.get("customdata"), int)


def _told(located: Located) -> tuple[NDArray[np.int64], list[str], NDArray[np.int64]]:
    """Returns labels, splits and official indices of the pictures on the map."""
    dataset, rows = located.dataset, located.places.map_rows
    count = len(dataset.train.labels)
    indices = np.concatenate([dataset.train.indices, dataset.test.indices])
    splits = ["train" if row < count else "test" for row in rows]
    return all_labels(located)[rows], splits, indices[rows]


def _pictures(located: Located, circled: NDArray[np.int64], label: int | None) -> None:
    """Draws the pictures that were circled, else those of the chosen class."""
    if len(circled):
        rows = circled
        st.text(selection_words(all_labels(located)[rows]))
    elif label is not None:
        rows = unusual_first(located, label)
        st.text(
            f"{counted(len(rows), label)} on the map, those first that are least like the others."
        )
    else:
        st.text("Nothing is circled yet. Draw around a few points, or choose a class above.")
        return
    key = f"map-page-{label}-{hash(rows.tobytes())}"
    shown = rows[choose_page(len(rows), PAGE_PICTURES, key=key)]
    pixels, labels, splits, indices = analysis_results.pictures_at(located.dataset, shown)
    gallery(
        pixels,
        [f"{split} {index}" for split, index in zip(splits, indices, strict=True)],
        factor=2,
        truths=[CIFAR10.class_names[own] for own in labels],
        links=[
            picture_address(split, int(index)) for split, index in zip(splits, indices, strict=True)
        ],
    )


def _origin(located: Located) -> str:
    which = "the shipped sample" if located.dataset.is_sample else "the full dataset"
    shown = len(located.places.map_rows)
    return f"{shown:,} pictures of {which}; features by {located.places.origin.words()}"
