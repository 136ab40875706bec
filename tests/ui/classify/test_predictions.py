"""One image and what a model says of it: what stands where, and what is asked by default."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from cifar_core.inference.upload import Picture
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.classify.upload_box import Brought
from tests.pages.shown import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def _shipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))


def brought(key: str) -> Brought:
    """Returns an image with a slope in each colour: its mirror image is another one."""
    y, x = np.mgrid[0:32, 0:32]
    pixels = np.stack([x * 7, y * 7, 255 - x * 4], axis=-1).astype(np.uint8)
    picture = Picture("slope.png", pixels, "PNG", width=32, height=32, sha256=key)
    return Brought(key, "slope.png", lambda: picture)


def page(
    brought: "Brought",  # noqa: UP037 - run elsewhere
    labels: dict[str, str],
    options: dict[str, bool],
) -> None:
    import streamlit as st

    from cifar_core import services
    from cifar_core.ui.classify.predictions import answer_section

    models = [services.find_model(name) for name in labels]
    st.session_state["given"] = answer_section(brought, models, labels, fit="crop", **options)


def opened(*models: str, **options: bool) -> AppTest:
    """Returns a page of the section alone, with the answers of these models."""
    labels = {name: name.upper() for name in models}
    given = (brought(f"of {models} with {options}"), labels, options)
    app = AppTest.from_function(page, default_timeout=PATIENCE_SECONDS, args=given).run()
    assert not app.exception
    return app


def html_in(block: Block) -> str:
    return " ".join(element.proto.body for element in block.get("html"))


@pytest.mark.parametrize("models", [("cnn4",), ("cnn4", "cnn6")])
def test_what_the_models_say_stands_beside_the_image_not_below_it(models: tuple[str, ...]) -> None:
    image, words = opened(*models).columns[:2]
    assert "lab-pair" in html_in(image)
    assert "lab-answer" not in html_in(image)
    assert html_in(words).count('class="lab-answer"') == len(models)
    assert "lab-pair" not in html_in(words)


def test_one_chart_stands_beside_the_image_and_several_beside_each_other() -> None:
    image, words = opened("cnn4").columns[:2]
    assert [len(block.get("plotly_chart")) for block in (image, words)] == [0, 1]
    columns = opened("cnn4", "cnn6").columns[:4]
    assert [len(block.get("plotly_chart")) for block in columns] == [0, 0, 1, 1]


def test_the_mirror_image_is_asked_only_where_that_is_chosen() -> None:
    (plain,) = opened("cnn4").session_state["given"]
    (averaged,) = opened("cnn4", mirror=True).session_state["given"]
    assert (plain.flip, averaged.flip) == (False, True)
    assert not np.array_equal(plain.probabilities, averaged.probabilities)
