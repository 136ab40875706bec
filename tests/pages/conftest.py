"""What the tests of pages share: empty caches, and what the download buttons would send."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import streamlit as st
from streamlit.elements.widgets.button import ButtonMixin

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
