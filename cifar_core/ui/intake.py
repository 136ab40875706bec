"""Where the pictures of the Classify page come from: files, the camera, the test split.

What a person brings stays in the server's memory, in that person's session alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from cifar_core import services
from cifar_core.dataset.arrays import Dataset, sha256
from cifar_core.inference.upload import Picture
from cifar_core.ui import cached

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

UPLOAD, CAMERA, TEST = "Your pictures", "Camera", "A test picture"
MOST_READ = 40
"""Pictures that a session keeps read, less than a megabyte each."""


@dataclass(frozen=True)
class Brought:
    """A picture that waits to be read.

    Attributes:
        key: Tells it from all others of the session.
        read: Returns the picture, or raises PictureError or DataError.
        label: The class it shows, where the dataset says so.
    """

    key: str
    read: Callable[[], Picture]
    label: int | None = None


def take_pictures() -> list[Brought]:
    """Draws the three ways to bring a picture and returns what the chosen one holds."""
    files, camera, test = st.tabs(
        [UPLOAD, CAMERA, TEST], key="from", on_change="rerun", bind="query-params"
    )
    with files:  # Drawn also while hidden: otherwise its files would be forgotten.
        # Any ending is welcome: what is no picture gets an answer in sentences.
        uploads = st.file_uploader(
            "Drop pictures here, or choose them",
            accept_multiple_files=True,
            key="uploads",
        )
        st.text(
            "Your pictures stay in the memory of this server while you look at them. Nothing is "
            "stored or passed on."
        )
    if files.open:
        return [_of_upload(upload) for upload in uploads]
    if camera.open:
        with camera:
            # Asked for by a click only: a browser warns as soon as the camera is wanted.
            if not st.toggle("Use the camera", key="camera_on"):
                return []
            photo = st.camera_input("Take a picture", key="photo", width=480)
            return [_of_upload(photo)] if photo is not None else []
    with test:
        return [_test_picture(cached.open_dataset())]


def _of_upload(upload: UploadedFile) -> Brought:
    return Brought(upload.file_id, lambda: _read(upload.file_id, upload))


@st.cache_data(scope="session", max_entries=MOST_READ, show_spinner=False)
def _read(file_id: str, _upload: UploadedFile) -> Picture:  # noqa: ARG001 - the key
    """Reads a file once per session; a refused one is refused again."""
    return services.read_picture(_upload.getvalue(), _upload.name)


def _test_picture(dataset: Dataset) -> Brought:
    """Draws the choice of a test picture by its number."""
    indices = dataset.test.indices
    row = st.container(horizontal=True, vertical_alignment="bottom")
    index = row.number_input(
        "Number of the test picture",
        min_value=0,
        max_value=9_999,
        value=int(indices[0]),
        key="picture",
        bind="query-params",
        width=220,
    )
    row.button(
        "Another one",
        icon=":material/casino:",
        on_click=lambda: st.session_state.update(picture=int(random.choice(indices))),  # noqa: S311
    )
    if dataset.is_sample:
        st.text(f"The shipped sample holds {len(indices):,} of the 10,000 test pictures.")
    label = int(dataset.test.labels[dataset.test.position(index)])
    return Brought(f"test-{index}", lambda: _from_dataset(dataset, index), label)


def _from_dataset(dataset: Dataset, index: int) -> Picture:
    pixels = dataset.test.picture(index)
    height, width = pixels.shape[:2]
    return Picture(f"Test picture {index}", pixels, "CIFAR-10", width, height, sha256(pixels))
