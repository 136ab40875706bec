"""Classify's upload field: its files stay when a visitor goes to another page and comes back.

Streamlit forgets a field that is not drawn, but keeps its files with the session, within the
limits of :mod:`cifar_core.ui.shell.upload_limits`. So their ids are remembered and nothing is kept
twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from cifar_core.evaluation.words import listed
from cifar_core.inference.names import safe_name
from cifar_core.ui.kit import session

FIELD = "uploads"
MOST_NAMED = 5


def take_uploads(label: str) -> list[UploadedFile]:
    """Draws the field and returns its files, behind those of earlier visits to the page."""
    if FIELD not in st.session_state:  # the page is opened, for the first time or again
        known = (*session.EARLIER_UPLOADS.get(), *session.UPLOADS.get())
        session.EARLIER_UPLOADS.set(tuple(dict.fromkeys(known)))
    # Any ending is welcome: what is no image gets an answer in sentences.
    now = st.file_uploader(label, accept_multiple_files=True, key=FIELD)
    session.UPLOADS.set(tuple(upload.file_id for upload in now))
    earlier = _stored(session.EARLIER_UPLOADS.get())
    if earlier:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"Still here: {name_list([upload.name for upload in earlier])}")
            st.button("Remove", on_click=_remove_earlier, key="uploads_remove")
    return [*earlier, *now]


def name_list(names: Sequence[str]) -> str:
    """Returns the names of files, harmless and the first few, as they stand in a sentence."""
    shown = [safe_name(name) for name in names[:MOST_NAMED]]
    more = len(names) - MOST_NAMED
    return listed([*shown, f"{more:,} more"] if more > 0 else shown)


def _stored(file_ids: Sequence[str]) -> list[UploadedFile]:
    """Returns those files that the server still has."""
    context = get_script_run_ctx()
    if context is None or not file_ids:
        return []
    found = context.uploaded_file_mgr.get_files(context.session_id, file_ids)
    return [UploadedFile(record, FileURLs()) for record in found]


def _remove_earlier() -> None:
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        for file_id in session.EARLIER_UPLOADS.get():
            context.uploaded_file_mgr.remove_file(context.session_id, file_id)
    session.EARLIER_UPLOADS.set(())
