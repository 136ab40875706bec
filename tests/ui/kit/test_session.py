from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.shown import PATIENCE_SECONDS


def page() -> None:
    import streamlit as st

    from cifar_core.ui.kit.session import Kept, keep_in_address, set_address

    keep_in_address("field", ["train", "test"], "train", name="split")
    st.text(st.session_state["field"])
    count = Kept("count", 0)
    st.text(str(count.get()))
    st.text(st.query_params.get("epoch", "none"))
    if st.button("next"):
        count.set(count.get() + 1)
        set_address("epoch", 7)
        set_address("split", None)


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({"split": "test"}, "test"),
        ({}, "train"),
        ({"split": ""}, "train"),
        ({"split": "<script>"}, "train"),
        ({"split": "9" * 5000}, "train"),
    ],
)
def test_the_address_gives_only_values_that_were_checked(given: dict[str, str], seen: str) -> None:
    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS)
    for name, value in given.items():
        app.query_params[name] = value
    app.run()
    assert app.text[0].value == seen


def test_a_session_keeps_what_was_set_and_the_address_follows() -> None:
    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS)
    app.query_params["split"] = "test"
    app.run()
    app.button[0].click().run()
    app.run()
    assert app.text[1].value == "1"
    assert app.text[2].value == "7"
    assert "split" not in app.query_params
