"""What the tests of pages share: empty caches, what downloads would send, runs to judge."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.elements.widgets.button import ButtonMixin

from tests.pages.judged import fabricate_all
from tests.pages.shown import Downloads


@pytest.fixture(autouse=True)
def _empty_caches() -> None:
    """No test sees what another one has left in the caches that all sessions share."""
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Downloads:
    """Records the download buttons of every page that the test opens afterwards.

    AppTest has no media manager: what a deferred download would send can be had from the call only.
    """
    recorded = Downloads()
    original = ButtonMixin._download_button
    signature = inspect.signature(original)

    def record(*args: Any, **kwargs: Any) -> bool:
        given = signature.bind(*args, **kwargs).arguments
        recorded.record(
            key=given.get("key"), file_name=str(given.get("file_name")), data=given["data"]
        )
        return bool(original(*args, **kwargs))

    monkeypatch.setattr(ButtonMixin, "_download_button", record)
    return recorded


@pytest.fixture(scope="session")
def judged_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs that differ in every figure, fabricated once; no test changes it."""
    folder = tmp_path_factory.mktemp("judged")
    fabricate_all(folder)
    return folder


@pytest.fixture
def judged(judged_dir: Path, runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lets the pages of this test show the runs of :func:`judged_dir`."""
    monkeypatch.setenv("CIFAR_LAB_RUNS", str(judged_dir))
    return judged_dir
