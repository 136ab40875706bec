from __future__ import annotations

import importlib
import logging
import sys
import threading
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cifar_core.ui.kit.page import wait_until_whole
from tests.pages.shown import PATIENCE_SECONDS, html_of


def test_a_foreseen_failure_shows_its_three_answers() -> None:
    def page() -> None:
        from cifar_core.errors import LabError
        from cifar_core.ui.kit.page import guard

        with guard():
            raise LabError("This broke.", expected="That was expected.", remedy="Do this.")

    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS).run()
    shown = html_of(app)
    assert "This broke." in shown
    assert "That was expected." in shown
    assert "Do this." in shown
    assert not app.exception


def test_a_failure_that_quotes_html_shows_it_as_text() -> None:
    def page() -> None:
        from cifar_core.errors import LabError
        from cifar_core.ui.kit.page import guard

        with guard():
            raise LabError("<script>alert(1)</script>.png is no picture.")

    shown = html_of(AppTest.from_function(page, default_timeout=PATIENCE_SECONDS).run())
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_an_unforeseen_failure_shows_a_reference_and_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def page() -> None:
        import streamlit as st

        from cifar_core.ui.kit.page import guard

        with guard():
            st.text(str(1 / 0))
        st.text("the rest of the page")

    with caplog.at_level(logging.ERROR, logger="cifar_core.ui.kit.page"):
        app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS).run()
    shown = html_of(app)
    assert not app.exception
    assert "ZeroDivisionError" not in shown
    assert "Traceback" not in shown
    assert app.text[0].value == "the rest of the page"
    [record] = [record for record in caplog.records if record.name == "cifar_core.ui.kit.page"]
    assert isinstance(record.args, tuple)
    assert str(record.args[0]) in shown
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


def test_stopping_a_page_passes_through_the_guard() -> None:
    def page() -> None:
        import streamlit as st

        from cifar_core.ui.kit.page import guard

        with guard():
            st.text("before")
            st.stop()
        st.text("after")  # type: ignore[unreachable]

    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS).run()
    assert [text.value for text in app.text] == ["before"]
    assert not app.get("html")


def test_rerunning_a_page_passes_through_the_guard() -> None:
    def page() -> None:
        import streamlit as st

        from cifar_core.ui.kit.page import guard

        with guard():
            if "again" not in st.session_state:
                st.session_state["again"] = True
                st.rerun()
        st.text("second time")

    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS).run()
    assert [text.value for text in app.text] == ["second time"]
    assert not app.get("html")


def test_an_empty_state_says_the_next_step_also_when_the_page_runs_alone() -> None:
    def page() -> None:
        from cifar_core.ui.kit.page import empty_state

        empty_state("No run has finished.", "Start a training", page="pages/nowhere.py")

    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS).run()
    assert "No run has finished." in html_of(app)
    assert app.text[0].value == "Start a training"
    assert not app.exception


def test_a_header_escapes_its_sentence() -> None:
    def page() -> None:
        from cifar_core.ui.kit.page import page_header

        page_header("Results", "Is 1 < 2 & <b>bold</b>?")

    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS).run()
    assert app.title[0].value == "Results"
    assert "Is 1 &lt; 2 &amp; &lt;b&gt;bold&lt;/b&gt;?" in html_of(app)


def test_a_module_that_another_thread_is_importing_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lab_slow_module.py").write_text(
        "import time\nBEGUN = True\ntime.sleep(0.5)\nWHOLE = True\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    importer = threading.Thread(target=importlib.import_module, args=("lab_slow_module",))
    importer.start()
    while not hasattr(sys.modules.get("lab_slow_module"), "BEGUN"):
        time.sleep(0.001)
    wait_until_whole("lab_slow_module")
    assert sys.modules["lab_slow_module"].WHOLE
    importer.join()
    wait_until_whole("lab_module_that_nobody_asked_for")
    assert "lab_module_that_nobody_asked_for" not in sys.modules
