"""The tutorial's published figures: its claim, its misprint, and its matrix against a run's."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

import streamlit as st

from cifar_core.charts.matrix import confusion_heatmap, difference_heatmap
from cifar_core.charts.theme import Title
from cifar_core.evaluation import published
from cifar_core.evaluation.words import listed
from cifar_core.networks import NETWORKS
from cifar_core.runs.reading import Run
from cifar_core.runs.results import Predictions
from cifar_core.ui.compare import matrices
from cifar_core.ui.compare.recipes import recipes_panel
from cifar_core.ui.compare.run_pair import said
from cifar_core.ui.kit import image_browser, matrix_cells
from cifar_core.ui.kit.downloads import draw_chart, table_twin
from cifar_core.ui.kit.page import origin_line
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.session import keep_in_address
from cifar_core.ui.kit.theme import is_dark

SOURCE: Final = (
    "Published: “CIFAR-10 classification using Keras Tutorial”, its two confusion matrices on "
    "10,000 test pictures, copied cell by cell."
)


def claim_panel() -> None:
    """Draws the tutorial's own numbers and what they say about its claim."""
    with st.container(horizontal=True, gap="large"):
        for network in published.BEST_EPOCHS:
            st.metric(
                f"Tutorial, {NETWORKS[network].title}",
                published.published(network).accuracy.words(),
                width="content",
                help="Test accuracy, from the confusion matrix it printed.",
            )
        st.metric(
            "Its text says",
            f"about {published.CLAIMED_ACCURACY:.0%}",
            width="content",
            help="The accuracy that the tutorial's text announces for its networks.",
        )
    for sentence in published.claim_check():
        st.text(sentence, width=680)
    with st.expander("A misprint in its first matrix"):
        st.text(published.misprint(), width=680)
    origin_line(SOURCE)
    recipes_panel()


def tutorial_panel(runs: Sequence[Run], names: dict[str, str]) -> None:
    """Draws the claim check, then the published matrix against that of one of the runs."""
    claim_panel()
    st.header("Its matrix against yours, cell by cell", anchor=False)
    able = {run.id: run for run in runs if _final(run) is not None}
    unknown = unknown_words(runs, names)
    if unknown:
        st.text(unknown, width=680)
    if not able:
        st.text(
            "No run of a network that the tutorial knows has answered the test pictures yet; its "
            "matrices count those. Choose a finished run.",
            width=680,
        )
        return
    ids = list(able)
    chosen = st.selectbox(
        "Yours",
        ids,
        format_func=names.__getitem__,
        key="yours",
        on_change=keep_in_address("yours", {run_id: names[run_id] for run_id in ids}, ids[0]),
        width=320,
    )
    run = able[chosen]
    answers = _final(run)
    assert answers is not None
    assert run.recipe is not None
    network, name = run.recipe.network, names[run.id]
    for sentence in published.against_published(
        network, results.shown_share(answers), said(run, name)
    ):
        st.text(sentence, width=680)
    _matrices(run, answers, network, name)


def unknown_words(runs: Sequence[Run], names: dict[str, str]) -> str:
    """Says of which runs the tutorial printed nothing; empty where it knows all networks."""
    strange = [
        run for run in runs if run.recipe and run.recipe.network not in published.BEST_EPOCHS
    ]
    if not strange:
        return ""
    known = listed([NETWORKS[network].title for network in published.BEST_EPOCHS])
    return (
        f"The tutorial printed the matrices of {known} alone: there is none to lay "
        f"{listed([names[run.id] for run in strange])} against."
    )


def _final(run: Run) -> Predictions | None:
    """Returns the run's answers on the test pictures, of a network that the tutorial knows."""
    is_known = run.recipe is not None and run.recipe.network in published.BEST_EPOCHS
    return results.final_answers(run) if is_known else None


def _matrices(run: Run, answers: Predictions, network: str, name: str) -> None:
    theirs, ours = published.published_matrix(network), results.matrix_of(answers)
    cell = image_browser.cell_now()
    their_name = f"Tutorial {NETWORKS[network].title}"
    left, right = st.columns(2, gap="medium")
    with left:
        _draw(
            confusion_heatmap(theirs, title=Title("As published", their_name), dark=is_dark()),
            cell,
            key="published",
            name=f"confusion-tutorial-{network}",
        )
        if network == "cnn4":
            st.caption("Horses taken for horses: 673 is read for the misprinted 637.")
    with right:
        title = matrices.difference_title(name, their_name, "test")
        chart = difference_heatmap(
            ours, theirs, names=(name, their_name), title=title, dark=is_dark()
        )
        _draw(chart, cell, key="against", name=f"difference-tutorial-{run.id}")
        st.caption("Click a cell, or choose it below, to see your network's pictures in it.")
    names = name, their_name
    table = matrices.cells_table(ours, theirs, names=names)
    table_twin(table, f"tutorial-against-{run.id}", key="against_csv")
    cell = image_browser.choose_cell()
    served = results.as_served(run, answers)
    places = image_browser.places_in(cell, served)
    st.text(f"{said(run, name)}: {image_browser.words_for(cell, served, len(places))}")
    key = image_browser.cell_name(run.id, answers, cell)
    image_browser.browse(served, places, key=key, name=f"images-{key}")
    origin_line(answers.origin)


def _draw(chart: object, cell: image_browser.Cell, *, key: str, name: str) -> None:
    draw_chart(
        matrix_cells.framed(chart, cell, "dataset"),
        key=key,
        name=name,
        alt=f"Matrix {name}. The select boxes below open its cells.",
        on_select=functools.partial(matrix_cells.take_click, key),
    )
