"""Was this right? Asked below each answer; kept only after consent, and shown to no one else."""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from cifar_core import formats, services, settings
from cifar_core.errors import LabError
from cifar_core.services import SHOWS, Fit, Prediction, Said
from cifar_core.ui.classify.upload_box import Brought
from cifar_core.ui.kit import session
from cifar_core.ui.kit.page import guard, show_error
from cifar_core.ui.kit.tables import csv_download

YES, NO = "Yes", "No"

AGREE = (
    "I agree that the lab keeps this: a fingerprint of the picture’s file (its SHA-256), the "
    "answers above, what I say here, and the time. Not the picture, not its name, nothing about me."
)
KEPT = (
    "The fingerprint does not give the picture back; but who has the very same file can tell that "
    "it was asked about here. Whoever runs this lab can read what is kept. No other visitor can."
)


def feedback_section(brought: Brought, answers: Sequence[Prediction], *, fit: Fit) -> None:
    """Asks whether the answers for a picture are right, and keeps the reply if told to.

    A read-only lab keeps nothing and does not ask. Nor is anything asked of pictures whose truth
    the dataset knows.
    """
    if settings.current().read_only or brought.label is not None:
        return
    kept = session.KEPT_FEEDBACK.get()
    if brought.key in kept:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text("Thank you. What you said is kept.")
            st.button(
                "Take it back",
                on_click=_take_back,
                args=(brought.key,),
                key=f"back_{brought.key}",
                type="tertiary",
            )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        verdict = st.segmented_control("Was this right?", [YES, NO], key=f"right_{brought.key}")
        if verdict is None:
            return
        shows = st.selectbox(
            "What does it show?",
            SHOWS,
            index=None,
            placeholder="If you want to say",
            key=f"shows_{brought.key}",
            width=240,
        )
    agreed = st.checkbox(AGREE, key=f"agreed_{brought.key}", help=KEPT)
    if st.button("Keep what I said", disabled=not agreed, key=f"keep_{brought.key}"):
        with guard():
            said = services.keep_feedback(
                session.feedback_code(),
                sha256=brought.read().sha256,
                fit=fit,
                answers=answers,
                was_right=verdict == YES,
                shows=shows or "",
                agreed=agreed,
            )
            session.KEPT_FEEDBACK.set({**kept, brought.key: said.id})
            st.rerun()


def kept_section() -> None:
    """Shows a person what they have had kept here, to save and to delete; nobody else’s."""
    if settings.current().read_only:
        return
    with st.expander("What is kept of you here"), guard():
        given = st.text_input("A code from another visit", key="feedback_given", width=360)
        code = given.strip() or session.FEEDBACK_CODE.get()
        mine = services.read_feedback(code) if code else []
        if not mine:
            st.text(
                "No one with this code has anything here."
                if given.strip()
                else "Nothing. Below an answer you can say if it was right, and have that kept."
            )
            return
        st.text(
            f"{len(mine):,} of your replies, with the pictures’ fingerprints. "
            "Your code finds them again, on any device; without it they cannot be shown to you:"
        )
        st.code(code, language=None, width=360)
        _mine(mine, code)


def _mine(mine: Sequence[Said], code: str) -> None:
    """Draws the table of a person's replies and what can be done with them."""
    import pandas as pd

    table = pd.DataFrame([services.feedback_row(said) for said in mine])
    st.dataframe(
        table,
        hide_index=True,
        column_config={"SHA-256": st.column_config.TextColumn(width="small")},
    )
    with st.container(horizontal=True):
        csv_download(table, "my-feedback", key="feedback_csv")
        st.download_button(
            "Save as JSON",
            lambda: json.dumps([services.feedback_facts(said) for said in mine], indent=1),
            file_name="my-feedback.json",
            mime="application/json",
            on_click="ignore",
            icon=":material/download:",
            type="tertiary",
            key="feedback_json",
        )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ids = {said.id: said for said in mine}
        doomed = st.multiselect(
            "Delete",
            list(ids),
            format_func=lambda said_id: _words(ids[said_id]),
            placeholder="Choose replies",
            key="feedback_doomed",
            width=420,
        )
        st.button(
            "Delete the chosen",
            on_click=_delete,
            args=(code, tuple(doomed)),
            disabled=not doomed,
            key="feedback_delete",
        )
        st.button(
            "Delete all", on_click=_delete, args=(code, tuple(ids)), key="feedback_delete_all"
        )


def _words(said: Said) -> str:
    verdict = "right" if said.was_right else "not right"
    shows = f", {said.shows}" if said.shows else ""
    moment = formats.when(said.kept_at, zone=session.visitor_zone())
    return f"{moment}: {verdict}{shows}, picture {said.sha256[:8]}"


def _take_back(key: str) -> None:
    _delete(session.FEEDBACK_CODE.get(), (session.KEPT_FEEDBACK.get()[key],))


def _delete(code: str, doomed: Sequence[str]) -> None:
    try:
        for said_id in doomed:
            services.delete_feedback(code, said_id)
    except LabError as error:
        show_error(error)
        return
    kept = session.KEPT_FEEDBACK.get()
    session.KEPT_FEEDBACK.set({key: said for key, said in kept.items() if said not in doomed})
