"""A file that the server did not take, as a page meets it: the reason in place of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cifar_core.errors import PictureError

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

REFUSED: Final = "text/x-cifar-lab-refused"
"""Kind of a file that holds why another one was not taken."""


def refusal_in(file: UploadedFile) -> PictureError | None:
    """Returns why the server did not take a file, where it holds that in place of the file."""
    if file.type != REFUSED:
        return None
    what, expected, remedy = (file.getvalue().decode("utf-8", "replace").split("\n") + [""] * 3)[:3]
    return PictureError(what, expected=expected, remedy=remedy)
