"""What was uploaded on Classify stays while the visitor looks at other pages."""

from __future__ import annotations

import re

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest, local_script_runner

from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.classify.upload_box import CAMERA, NO_CAMERA, _camera_is_allowed
from tests.pages.classify_page import png, wide
from tests.pages.shown import html_of, new_page, open_page


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> MemoryUploadedFileManager:
    """What holds the files, for the whole visit as in Streamlit's server; AppTest's lives a run."""
    manager = MemoryUploadedFileManager("/mock/upload")
    monkeypatch.setattr(local_script_runner, "MemoryUploadedFileManager", lambda _: manager)
    return manager


def uploaded(*seeds: int) -> AppTest:
    """Returns the Classify page within the whole app, with images brought to it."""
    app = new_page("app").run()
    app.switch_page("pages/classify.py").run()
    return bring(app, *seeds)


def bring(app: AppTest, *seeds: int) -> AppTest:
    """Puts images into the field, called by their numbers."""
    files = [(f"{seed}.png", png(wide(seed)), "image/png") for seed in seeds]
    app.file_uploader(key="uploads").set_value(files).run()
    assert not app.exception
    return app


def left_and_back(app: AppTest, page: str = "train") -> AppTest:
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception
    app.switch_page("pages/classify.py").run()
    assert not app.exception
    return app


def answered(app: AppTest) -> list[str]:
    """Returns the names of the images the page answers, in its order."""
    return re.findall(r"\b\d\.png\b(?=[^\"]*<)", html_of(app))


def test_uploads_are_answered_after_a_change_of_page() -> None:
    app = uploaded(0, 1)
    before = answered(app)
    assert before
    assert answered(left_and_back(app)) == before
    assert answered(left_and_back(app, "overview")) == before, "a second time, too"


def test_new_uploads_come_behind_those_of_before() -> None:
    app = left_and_back(uploaded(0))
    bring(app, 1)
    assert answered(app) == ["0.png", "1.png"]
    assert answered(left_and_back(app)) == ["0.png", "1.png"]


def test_an_upload_that_is_removed_stays_away() -> None:
    app = uploaded(0)
    bring(app)
    assert answered(left_and_back(app)) == []


def test_uploads_of_before_are_removed_from_the_servers_memory(
    server: MemoryUploadedFileManager,
) -> None:
    app = left_and_back(uploaded(0, 1))
    assert [len(files) for files in server.file_storage.values()] == [2]
    app.button(key="uploads_remove").click().run()
    assert answered(app) == []
    assert [len(files) for files in server.file_storage.values()] == [0]
    assert answered(left_and_back(app)) == []


def test_what_the_server_has_forgotten_is_not_kept_by_the_page(
    server: MemoryUploadedFileManager,
) -> None:
    app = left_and_back(uploaded(0))
    for session_id in list(server.file_storage):
        server.remove_session_files(session_id)
    assert answered(left_and_back(app)) == []


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("http://192.168.1.7:8501/classify", False),
        ("http://lab.example:8501/classify", False),
        ("http://[fe80::1]:8501/", False),
        ("http://localhost.example/", False),
        ("https://lab.example/classify", True),
        ("http://localhost:8501/classify", True),
        ("http://lab.localhost/", True),
        ("http://127.0.0.1:8501/", True),
        ("http://[::1]:8501/", True),
        ("", True),
    ],
)
def test_browsers_give_the_camera_to_secure_pages(url: str, is_allowed: bool) -> None:
    assert _camera_is_allowed(url) == is_allowed


def test_the_page_says_where_no_camera_is_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    for url, is_said in (("http://192.168.1.7:8501", True), ("http://localhost:8501", False)):
        monkeypatch.setattr("streamlit.context.__class__.url", url)
        app = open_page("classify", from_=CAMERA)
        assert (NO_CAMERA in [item.value for item in app.text]) == is_said
