from __future__ import annotations

from types import SimpleNamespace

import pytest
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from cifar_core import settings
from cifar_core.ui.shell import upload_limits
from cifar_core.ui.shell.upload_limits import KEPT_SECONDS, UploadLimits


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> MemoryUploadedFileManager:
    """The files of two sessions, of which only ``here`` still has a page open."""
    files = MemoryUploadedFileManager("/x")
    for session, size in (("here", 3_000_000), ("gone", 5_000_000)):
        files.add_file(session, UploadedFileRec("f", "f.png", "image/png", bytes(size)))
    server = SimpleNamespace(
        uploaded_file_mgr=files, is_active_session=lambda session: session == "here"
    )
    monkeypatch.setattr(runtime, "get_instance", lambda: server)
    return files


def limits() -> UploadLimits:
    async def nothing(*_: object) -> None: ...

    return UploadLimits(nothing)


def test_files_of_a_visitor_who_left_are_forgotten_after_a_while_and_no_others(
    manager: MemoryUploadedFileManager,
) -> None:
    sweeper = limits()
    for now in (1000.0, 1000.0 + KEPT_SECONDS / 2):
        sweeper._forget("gone", now)
        sweeper._forget("here", now)
        assert set(manager.file_storage) == {"here", "gone"}
    sweeper._forget("gone", 1000.0 + KEPT_SECONDS)
    sweeper._forget("here", 1000.0 + KEPT_SECONDS)
    assert set(manager.file_storage) == {"here"}


@pytest.mark.usefixtures("manager")
def test_kept_and_arriving_files_count_for_their_own_session() -> None:
    judge = limits()
    room = settings.MAX_SESSION_UPLOAD_BYTES - 3_000_000
    assert not judge._refusal("here", room)
    assert judge._refusal("here", room + 1)
    assert not judge._refusal("other", room + 1)
    judge._arriving["here"] = 1_000_000
    assert judge._refusal("here", room - 999_999)
    assert not judge._refusal("here", room - 1_000_000)


@pytest.mark.usefixtures("manager")
def test_all_sessions_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MAX_ALL_UPLOAD_BYTES", 10_000_000)
    judge = limits()
    assert not judge._refusal("other", 2_000_000)
    assert judge._refusal("other", 2_000_001)


def test_many_tiny_files_are_bounded_too() -> None:
    from starlette.datastructures import Headers

    assert (
        upload_limits._declared_bytes(Headers({"content-length": "3"})) == upload_limits.LEAST_BYTES
    )
    assert upload_limits._declared_bytes(Headers({})) == settings.MAX_UPLOAD_BYTES
