"""What can be done with runs: stop, resume, clone, rename, move, delete; one or several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from cifar_core import services, summaries
from cifar_core.errors import LabError, RunError
from cifar_core.runs.folder import MAX_NAME_CHARACTERS, MAX_NOTE_CHARACTERS, State
from cifar_core.runs.reading import Run
from cifar_core.ui.kit.page import guard, show_error
from cifar_core.ui.kit.runs.labels import RESUMABLE
from cifar_core.ui.kit.session import STARTED_RUN, Kept, set_address
from cifar_core.ui.kit.tables import plain
from cifar_core.ui.train.run_form import FILL_FROM, found_devices

REFUSALS = Kept[tuple[LabError, ...]]("train_refusals", ())
"""What the last action could not do, until the next one."""

ASKED = Kept[tuple[str, tuple[str, ...]] | None]("train_asked", None)
"""The dialog that is open and the runs it is about: it outlives the page's own refreshes."""

LATER = Kept("train_interrupted_later", False)
"""Whether the person put off resuming what was interrupted."""


def show_report() -> None:
    """Draws what the last action could not do."""
    for refusal in REFUSALS.get():
        show_error(refusal)


def offer_resuming(runs: Sequence[Run]) -> None:
    """Offers to resume what was interrupted: one calm box, until it is answered.

    Args:
        runs: All runs of the lab.
    """
    lost = [run for run in runs if run.state is State.INTERRUPTED and run.recipe is not None]
    if not lost or LATER.get():
        return
    with st.container(border=True, key="train_interrupted"):
        count = "One run was" if len(lost) == 1 else f"{len(lost)} runs were"
        lines = [f"{count} interrupted. Nothing is lost up to the last checkpoint:"]
        lines += [f"· {run.name}: {run.reason}" for run in lost[:5]]
        if len(lost) > 5:
            lines.append(f"· and {len(lost) - 5} more")
        st.text("\n".join(lines))
        with st.container(horizontal=True):
            label = "Resume it" if len(lost) == 1 else "Resume all"
            if st.button(label, type="primary", key="train_resume_all"):
                for_each(lost, services.resume_run, done="Resumed")
            if st.button("Not now", key="train_resume_later"):
                LATER.set(True)
                st.rerun()


def for_each(runs: Sequence[Run], act: Callable[[str], None], *, done: str) -> None:
    """Does something with each run, keeps the refusals for :func:`show_report`, reruns the page.

    Args:
        runs: The runs.
        act: Called with the identity of each.
        done: The deed in one word, such as ``Resumed``, for the notice.
    """
    refusals = []
    for run in runs:
        try:
            act(run.id)
        except LabError as error:
            refusals.append(error)
    REFUSALS.set(tuple(refusals))
    _close()
    succeeded = len(runs) - len(refusals)
    if succeeded:
        words = plain(runs[0].name) if len(runs) == 1 else f"{succeeded} runs"
        st.toast(f"{done}: {words}")
    st.rerun()


def actions(selected: Sequence[Run]) -> None:
    """Draws the buttons for the selected runs; those that cannot apply are disabled.

    Args:
        selected: As they stand now; several or none.
    """
    if not selected:
        st.caption("Select one run or several to stop, resume, clone, rename or delete them.")
        return
    alive = [run for run in selected if run.state.is_alive]
    ended = [run for run in selected if run.state in RESUMABLE]
    waiting = [run for run in selected if run.state is State.QUEUED]
    deletable = [run for run in selected if not run.state.is_alive]
    single = selected[0] if len(selected) == 1 else None
    with st.container(horizontal=True, vertical_alignment="center", key="train_actions"):
        number = "1 run selected" if single else f"{len(selected)} runs selected"
        st.text(f"{number}:", width="content")
        if _button("Stop and keep", "stop", "stop_circle", enabled=bool(alive)):
            for_each(alive, services.stop_run, done="Stopping")
        if _button("Resume", "resume", "resume", enabled=bool(ended)):
            for_each(ended, services.resume_run, done="Resumed")
        if _button("Clone", "clone", "content_copy", enabled=bool(single and single.recipe)):
            FILL_FROM.set(selected[0].id)
            st.rerun()
        if _button("Rename or note", "rename", "edit", enabled=single is not None):
            _ask("rename", selected)
        if waiting and len(found_devices()) > 1 and _button("Move", "move", "swap_horiz"):
            _ask("move", waiting)
        if _button("Delete", "delete", "delete", enabled=bool(deletable)):
            _ask("delete", selected)


def clone_button(run: Run) -> None:
    """Draws what fills the form with the settings of an included run."""
    pressed = st.button("Clone", icon=":material/content_copy:", key=f"train_clone_{run.id}")
    if pressed:
        FILL_FROM.set(run.id)
        st.rerun()


def _button(label: str, name: str, icon: str, *, enabled: bool = True) -> bool:
    return st.button(
        label, icon=f":material/{icon}:", disabled=not enabled, key=f"train_action_{name}"
    )


def show_dialog(runs: Sequence[Run]) -> None:
    """Draws the dialog that an action has opened, until it is answered or closed.

    Call it in the page, outside everything that refreshes itself.

    Args:
        runs: All runs of the lab.
    """
    asked = ASKED.get()
    if asked is None:
        return
    name, ids = asked
    meant = [run for run in runs if run.id in ids]
    if not meant:
        _close()
    elif name == "rename":
        _rename(meant[0])
    elif name == "move":
        _move([run for run in meant if run.state is State.QUEUED])
    else:
        _delete(meant)


def _ask(name: str, runs: Sequence[Run]) -> None:
    ASKED.set((name, tuple(run.id for run in runs)))
    st.rerun()


def _close() -> None:
    ASKED.set(None)


@st.dialog("Rename or note", on_dismiss=_close)
def _rename(run: Run) -> None:
    with guard():
        st.text(run.id)
        name = st.text_input(
            "Name", str(run.label.name), max_chars=MAX_NAME_CHARACTERS, key="train_rename_name"
        )
        note = st.text_area(
            "Note", str(run.label.note), max_chars=MAX_NOTE_CHARACTERS, key="train_rename_note"
        )
        if st.button("Save", type="primary", key="train_rename_save"):
            services.label_run(run.id, name=name, note=note)
            _close()
            st.rerun()


@st.dialog("Move to another device", on_dismiss=_close)
def _move(waiting: Sequence[Run]) -> None:
    with guard():
        st.text("\n".join(f"· {run.name}" for run in waiting))
        target = st.selectbox(
            "Device",
            [device.id for device in found_devices()],
            format_func=str.upper,
            key="train_move_device",
        )
        if st.button("Move", type="primary", key="train_move_confirm"):
            for_each(waiting, lambda run_id: services.move_run(run_id, str(target)), done="Moved")


@st.dialog("Delete for good?", on_dismiss=_close)
def _delete(selected: Sequence[Run]) -> None:
    with guard():
        runs = [run for run in selected if not run.state.is_alive]
        kept = len(selected) - len(runs)
        st.text("\n".join(f"· {run.name}" for run in runs[:10]))
        if len(runs) > 10:
            st.text(f"· and {len(runs) - 10} more")
        st.text("Its figures, its log and its trained network are removed and cannot come back.")
        if kept:
            are = "1 run that trains or waits is" if kept == 1 else f"{kept} runs that live are"
            st.text(f"{are} left alone: stop first what you want to delete.")
        with st.container(horizontal=True):
            if st.button("Delete", type="primary", disabled=not runs, key="train_delete_confirm"):
                for_each(runs, _delete_run, done="Deleted")
            if st.button("Keep", key="train_delete_cancel"):
                _close()
                st.rerun()


def _delete_run(run_id: str) -> None:
    """Deletes a run unless it has come to life meanwhile, and forgets that it was shown.

    Raises:
        RunError: A process works on it.
    """
    if services.read_run(run_id).state.is_alive:
        raise RunError(
            f"Run “{run_id}” is alive again.",
            expected="Only a run that no process works on can be deleted.",
            remedy="Stop it first.",
        )
    left = services.delete_run(run_id)
    if left:
        st.toast(plain(summaries.left_over(run_id, left)), duration="long")
    if st.query_params.get("run") == run_id:
        set_address("run", None)
    if STARTED_RUN.get() == run_id:
        STARTED_RUN.set(None)
