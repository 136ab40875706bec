"""Which answers of a run are looked at: test pictures, or an epoch of the monitored split.

The epochs can be played like a film. While it plays, one fragment redraws itself and holds no
widget; what it shows stays on the slider when it stops.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cifar_core.errors import RunError
from cifar_core.runs.reading import Run
from cifar_core.runs.results import Predictions
from cifar_core.ui.kit.runs import results
from cifar_core.ui.kit.session import Kept, choose, keep_in_address

FINAL = "Test pictures, final network"
FRAME_SECONDS = 0.6

PLAYING = Kept[str | None]("results_playing", None)
"""The run whose epochs are being played."""

PLAYED_EPOCH = Kept[int | None]("results_played_epoch", None)
"""The epoch shown last while playing."""

Draw = Callable[[Predictions], None]


def by_epoch(run: Run) -> str:
    """Returns what looking at the monitored split epoch by epoch is called."""
    split = run.recipe.monitored_split if run.recipe else "monitored"
    return f"{split.capitalize()} pictures by epoch"


def choose_answers(run: Run, row: DeltaGenerator) -> Predictions | None:
    """Draws the choice of split and epoch, and returns the answers chosen.

    Args:
        run: The run.
        row: Where the choice of the split is drawn; the epochs come below everything.

    Returns:
        The answers; None while the epochs are played, see :func:`film`.

    Raises:
        RunError: The run has no predictions at all, or not those chosen.
    """
    epochs = results.last_epoch(run)
    has_final = run.folder.test_predictions_path.is_file()
    if not epochs and not has_final:
        return results.epoch_answers(run)  # raises, and says why
    choices = [FINAL] * has_final + [by_epoch(run)] * bool(epochs)
    chosen: str | None = choices[0]
    if len(choices) > 1:
        chosen = row.segmented_control(
            "Pictures",
            choices,
            key="results_split",
            on_change=keep_in_address("results_split", choices, FINAL, name="split"),
            required=True,
            wrap=True,
        )
    if chosen == FINAL:
        PLAYING.set(None)
        return results.test_answers(run)
    return _choose_epoch(run, epochs)


def film(run: Run, draw: Draw) -> None:
    """Plays the epochs of a run: draws the answers of one after another, then stops.

    Args:
        run: The run.
        draw: Draws the answers of one epoch, without widgets.
    """
    st.fragment(_frame, run_every=FRAME_SECONDS)(run, results.last_epoch(run), draw)


def _frame(run: Run, epochs: int, draw: Draw) -> None:
    """Draws one epoch; the next call draws the next one."""
    epoch = min((PLAYED_EPOCH.get() or 0) + results.answers_every(run), epochs)
    PLAYED_EPOCH.set(epoch)
    st.progress(epoch / epochs, text=f"Epoch {epoch} of {epochs}")
    try:
        draw(results.epoch_answers(run, epoch))
    except RunError:
        epoch = epochs  # deleted meanwhile: the page says so
    if epoch >= epochs:
        PLAYING.set(None)
        st.rerun()


def _choose_epoch(run: Run, epochs: int) -> Predictions | None:
    """Draws the slider with its play button, or the pause button while playing."""
    every = results.answers_every(run)
    if epochs == every:
        st.text("One epoch so far.")
        return results.epoch_answers(run, epochs)
    if PLAYING.get() == run.id:
        st.button("Pause", icon=":material/pause:", on_click=_pause, key="pause")
        return None
    shown = PLAYED_EPOCH.get()
    if shown is not None:
        choose("epoch", max(every, min(shown, epochs) // every * every))
        PLAYED_EPOCH.set(None)
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    noted = keep_in_address("epoch", range(every, epochs + 1), epochs)
    epoch = row.slider("Epoch", every, epochs, step=every, key="epoch", on_change=noted, width=480)
    epoch -= epoch % every  # an address may name any epoch
    row.button(
        "Play the epochs",
        icon=":material/play_arrow:",
        on_click=_play,
        args=(run.id, 0 if epoch >= epochs else epoch - every),
        key="play",
    )
    return results.epoch_answers(run, epoch)


def _play(run_id: str, played: int) -> None:
    PLAYING.set(run_id)
    PLAYED_EPOCH.set(played)


def _pause() -> None:
    PLAYING.set(None)
