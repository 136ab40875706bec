"""Where the pictures of the Classify page come from: files, the camera, the test split.

What a person brings stays in the server's memory, in that person's session alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit as st

from cifar_core import services, settings
from cifar_core.dataset.arrays import Dataset, sha256
from cifar_core.errors import PictureError
from cifar_core.inference.archive import MAX_ENTRIES, Archive, is_archive, open_archive
from cifar_core.inference.names import safe_name
from cifar_core.inference.room import Room
from cifar_core.inference.upload import MAX_PIXELS, READABLE, Picture
from cifar_core.ui.classify.upload_field import name_list, take_uploads
from cifar_core.ui.kit import caches, session
from cifar_core.ui.kit.page import show_error
from cifar_core.ui.kit.refused_uploads import refusal_in
from cifar_core.ui.kit.test_image import choose_test_image

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

UPLOAD, CAMERA, TEST = "Your pictures", "Camera", "A test picture"
MOST_READ = 12
"""Pictures that a session keeps read, less than a megabyte each."""

PROMISE = (
    f"{READABLE}, up to {settings.MAX_UPLOAD_BYTES // 2**20} MB and {MAX_PIXELS // 10**6} "
    f"megapixels each, {settings.MAX_SESSION_UPLOAD_BYTES // 10**6} MB together, or a zip of up to "
    f"{MAX_ENTRIES:,} of them. They stay in the memory of this "
    "server while you look at them. Nothing is stored or passed on; only if you agree to it, your "
    "word on an answer is kept, without the picture."
)

NO_CAMERA = (
    "Browsers give the camera only to pages over HTTPS or on the computer itself. Open the lab as "
    "https://… or, on its own computer, as http://localhost…; or take a photo and upload it."
)


@dataclass(frozen=True)
class Brought:
    """A picture that waits to be read.

    Attributes:
        key: Tells it from all others of the session.
        name: What to call it before it is read, harmless.
        load: Reads it, or raises PictureError or DataError.
        label: The class it shows, where the dataset says so.
    """

    key: str
    name: str
    load: Callable[[], Picture]
    label: int | None = None

    def read(self) -> Picture:
        """Returns the picture, read once while it is among those looked at last.

        Raises:
            PictureError: It is none; it is tried again each time.
            DataError: The dataset does not hold it.
        """
        return _read(self.key, self.load)


@st.cache_data(scope="session", max_entries=MOST_READ, show_spinner=False)
def _read(key: str, _load: Callable[[], Picture]) -> Picture:  # noqa: ARG001 - the key
    return _load()


def take_pictures() -> list[Brought]:
    """Draws the three ways to bring pictures and returns what the chosen one holds."""
    ways = [UPLOAD, CAMERA, TEST]
    files, camera, test = st.tabs(
        ways,
        key="classify_from",
        on_change=session.keep_in_address("classify_from", ways, UPLOAD, name="from"),
    )
    with files:  # Drawn also while hidden: otherwise its files would be forgotten.
        uploads = take_uploads("Drop pictures or a zip of them here, or choose them")
        st.text(PROMISE)
        uploads = _taken(uploads)
    if files.open:
        return [brought for upload in uploads for brought in _of_upload(upload)]
    if camera.open:
        with camera:
            if not _camera_is_allowed(st.context.url or ""):
                st.text(NO_CAMERA)
            # Asked for by a click only: a browser warns as soon as the camera is wanted.
            if not st.toggle("Use the camera", key="camera_on"):
                return []
            photo = st.camera_input("Take a picture", key="photo", width=480)
            return _of_upload(photo) if photo is not None else []
    with test:
        return [_test_picture(caches.open_dataset())]


def _taken(uploads: Sequence[UploadedFile]) -> list[UploadedFile]:
    """Returns the files that the server has taken; says which others it has not, and why."""
    refusals = {upload.file_id: refusal_in(upload) for upload in uploads}
    refused = [upload.name for upload in uploads if refusals[upload.file_id]]
    first = next(filter(None, refusals.values()), None)
    if first is not None:
        what = f"{name_list(refused)}: {first.what}"
        show_error(PictureError(what, expected=first.expected, remedy=first.remedy))
    return [upload for upload in uploads if not refusals[upload.file_id]]


def _camera_is_allowed(url: str) -> bool:
    """Whether browsers give a page at this address the camera (W3C, Secure Contexts)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_local = host == "localhost" or host.endswith(".localhost")
    with suppress(ValueError):  # a name, no number
        is_local |= ip_address(host).is_loopback
    return parts.scheme != "http" or is_local


def _of_upload(upload: UploadedFile) -> list[Brought]:
    """Returns the picture of a file, or those of a zip; a broken zip is one that is refused."""
    name, room = safe_name(upload.name), caches.decoding_room()
    if not is_archive(bytes(upload.getbuffer()[:4])):
        return [
            Brought(
                upload.file_id, name, lambda: services.read_picture(upload.getvalue(), name, room)
            )
        ]
    try:
        archive = open_archive(upload.getvalue(), name)
    except PictureError as error:
        return [Brought(upload.file_id, name, partial(_refuse, error))]
    return [
        Brought(f"{upload.file_id}-{index}", entry, partial(_of_entry, archive, index, room))
        for index, entry in enumerate(archive.names)
    ]


def _of_entry(archive: Archive, index: int, room: Room) -> Picture:
    return services.read_picture(archive.read(index), archive.names[index], room)


def _refuse(error: PictureError) -> Picture:
    raise error


def _test_picture(dataset: Dataset) -> Brought:
    index = choose_test_image(dataset)
    label = int(dataset.test.labels[dataset.test.position(index)])
    name = f"Test picture {index}"
    return Brought(f"test-{index}", name, partial(_from_dataset, dataset, index), label)


def _from_dataset(dataset: Dataset, index: int) -> Picture:
    pixels = dataset.test.picture(index)
    height, width = pixels.shape[:2]
    return Picture(f"Test picture {index}", pixels, "CIFAR-10", width, height, sha256(pixels))
