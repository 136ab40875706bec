from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from cifar_core.ui.session import FIGURE_SEED, address_choice, address_number, set_address

    st.text(address_choice("split", ["train", "test"], "train"))
    st.text(str(address_number("epoch", 3, low=1, high=30)))
    st.text(str(FIGURE_SEED.get()))
    if st.button("next"):
        FIGURE_SEED.set(FIGURE_SEED.get() + 1)
        set_address("epoch", 7)
        set_address("split", None)


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({"split": "test", "epoch": "12"}, ["test", "12"]),
        ({}, ["train", "3"]),
        ({"split": "<script>", "epoch": "31"}, ["train", "3"]),
        ({"epoch": "-1"}, ["train", "3"]),
        ({"epoch": "1_0"}, ["train", "3"]),
        ({"epoch": "٣"}, ["train", "3"]),
        ({"epoch": "9" * 5000}, ["train", "3"]),
    ],
)
def test_the_address_gives_only_values_that_were_checked(
    given: dict[str, str], seen: list[str]
) -> None:
    app = AppTest.from_function(page)
    for name, value in given.items():
        app.query_params[name] = value
    app.run()
    assert [text.value for text in app.text][:2] == seen


def test_a_session_keeps_what_was_set_and_the_address_follows() -> None:
    app = AppTest.from_function(page)
    app.query_params["split"] = "test"
    app.run()
    app.button[0].click().run()
    app.run()
    assert app.text[2].value == "1"
    assert app.text[1].value == "7"
    assert "split" not in app.query_params
