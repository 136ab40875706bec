"""The download of the dataset as the pages show it: a bar with bytes, and an end."""

from __future__ import annotations

import pytest
import streamlit as st

from cifar_core import formats, services
from cifar_core.dataset.download import DownloadStatus
from cifar_core.ui.kit.tables import plain
from tests.pages.train.tool import FakeDataset, button, page


def become(monkeypatch: pytest.MonkeyPatch, *, is_sample: bool) -> None:
    monkeypatch.setattr(services, "open_dataset", lambda: FakeDataset(is_sample=is_sample))
    st.cache_resource.clear()


@pytest.mark.parametrize(("total", "share"), [(120_000_000, 25), (None, 0)])
def test_a_download_has_a_bar_with_bytes_and_ends_with_what_comes_next(
    monkeypatch: pytest.MonkeyPatch, total: int | None, share: int
) -> None:
    status = DownloadStatus(
        state="running", source="a mirror", done_bytes=30_000_000, total_bytes=total
    )
    monkeypatch.setattr(services, "read_download", lambda: status)
    become(monkeypatch, is_sample=True)
    app = page()
    (bar,) = app.get("progress")
    assert bar.proto.value == share
    for size in filter(None, (30_000_000, total)):
        assert plain(formats.data_size(size)) in bar.proto.text
    become(monkeypatch, is_sample=False)
    app.run()
    assert not app.get("progress")
    assert "60,000" in " ".join(item.proto.body for item in app.get("html"))
    assert button(app, "Start training")
    app.run()
    assert "60,000" not in " ".join(item.proto.body for item in app.get("html"))
