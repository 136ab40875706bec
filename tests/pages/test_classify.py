from __future__ import annotations

import hashlib
import io
import re
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from cifar_core import files, recipes, services, settings
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.words import disagreement, prediction_sentence
from cifar_core.runs.folder import RunFolder
from cifar_core.services.access import OWNER, acting_for
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.classify import batch as many_pictures
from cifar_core.ui.classify.batch import AT_ONCE, whole_table
from cifar_core.ui.classify.predictions import picture_pair
from cifar_core.ui.classify.upload_box import CAMERA, TEST
from cifar_core.ui.kit import caches, session
from cifar_core.ui.kit.runs.labels import model_labels
from tests.pages.shown import html_of, new_page, open_page

opened = partial(open_page, "classify")

TINY = PROJECT_DIR / "tests" / "inference" / "data" / "tiny.tflite"
HOSTILE = ["<script>alert(1)</script>.png", "**b** :red[x] $x^2$.png", "[a](b).png", "=1+1.png"]


def fake_model(runs_dir: Path, run_id: str, *, network: str = "cnn4", name: str = "") -> None:
    """Writes a run that never was around the tiny untrained network of the inference tests."""
    folder = RunFolder(runs_dir / run_id)
    folder.path.mkdir(parents=True)
    recipe = recipes.recipe("standard", network)
    files.write_json(folder.recipe_path, recipe.to_json(), durable=False)
    files.write_json(folder.label_path, {"name": name, "note": "", "created_at": 1.0})
    files.write_json(folder.status_path, {"state": "finished", "epoch": 3}, durable=False)
    folder.litert_path.write_bytes(TINY.read_bytes())
    digests = {"model.tflite": files.sha256_of(folder.litert_path)}
    files.write_json(folder.manifest_path, {"run": run_id, "sha256": digests}, durable=False)


@pytest.fixture(autouse=True)
def _lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A lab without the full dataset and without shipped models."""
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "no-data"))
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(tmp_path / "models"))


@pytest.fixture
def model(runs_dir: Path) -> str:
    fake_model(runs_dir, "fake-1")
    return "fake-1"


def png(height: int = 48, width: int = 64, seed: int = 1) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def uploaded(*given: tuple[str, bytes]) -> AppTest:
    app = opened()
    app.file_uploader(key="uploads").set_value(
        [(name, data, "application/octet-stream") for name, data in given]
    )
    app.run()
    assert not app.exception
    return app


def test_without_a_model_the_page_leads_to_the_training() -> None:
    app = opened()
    assert "There is no trained network yet" in html_of(app)
    assert "Train a network" in [element.value for element in app.text]
    assert not app.get("file_uploader")


def test_without_a_picture_the_page_asks_for_one_and_promises_to_store_nothing(model: str) -> None:
    app = opened()
    assert "No picture yet." in html_of(app)
    assert any("Nothing is stored" in element.value for element in app.text)


def test_a_picture_is_answered_in_a_sentence_bars_and_a_table(model: str) -> None:
    app = uploaded(("a.png", png()))
    sentence = r"CNN-4 takes this for an? \w+, \d+\.\d%; second: \w+, \d+\.\d%\."
    assert re.search(sentence, html_of(app))
    assert len(app.get("plotly_chart")) == 1
    assert app.dataframe[0].value.to_numpy().sum() == pytest.approx(1, abs=1e-5)


def test_the_original_stands_beside_the_pixels_that_the_network_sees(model: str) -> None:
    shown = html_of(uploaded(("a.png", png(48, 64))))
    assert "The original: 64 × 48 pixels, PNG" in shown
    assert "What the networks see: 32 × 32" in shown


def test_a_text_file_gets_three_answers_and_the_picture_beside_it_its_own(model: str) -> None:
    app = uploaded(("notes.txt", b"no picture"), ("a.png", png()))
    shown = html_of(app)
    assert "“notes.txt” is not a picture the lab can read." in shown
    assert "The lab reads JPEG" in shown
    assert "save it as JPEG or PNG" in shown
    assert "CNN-4 takes this for" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("data", [png(), b"no picture"], ids=["picture", "text"])
def test_a_hostile_file_name_stays_text(model: str, name: str, data: bytes) -> None:
    app = uploaded((name, data))
    assert "<script>alert" not in html_of(app)
    drawn = [element.value for element in [*app.markdown, *app.caption]]
    assert not any(name in text for text in drawn)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "**b** :red[x]", "日本 ✓"])
def test_a_hostile_run_name_stays_text(runs_dir: Path, name: str) -> None:
    fake_model(runs_dir, "fake-1", name=name)
    fake_model(runs_dir, "fake-2", name="another")
    app = opened(from_=TEST, run="fake-1")
    assert "<script>alert" not in html_of(app)
    assert f"“{name}”" in app.multiselect[0].options[0] + app.multiselect[0].options[1]


def test_two_models_are_answered_beside_each_other_and_their_disagreement_is_said(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_model(runs_dir, "fake-1")
    fake_model(runs_dir, "fake-2", network="cnn6")
    sure = {"fake-1": 3, "fake-2": 5}

    def opinion(
        images: object, models: list[services.Model], **more: object
    ) -> list[tuple[services.Prediction, ...]]:
        found = []
        for model in models:
            values = np.full(10, 0.02, np.float32)
            values[sure[model.run.id]] = 0.82
            temperature = 0.9 if model.run.id == "fake-1" else None
            image = np.zeros((32, 32, 3), np.uint8)
            found.append(services.Prediction(model.run, image, values, values, temperature))
        return [tuple(found)]

    monkeypatch.setattr(services, "predict", opinion)
    app = opened(from_=TEST)
    app.multiselect(key="models").set_value(["fake-1", "fake-2"]).run()
    shown = html_of(app)
    assert len(app.get("plotly_chart")) == 2
    assert "The models disagree: " in shown
    assert "CNN-4 says cat" in shown
    assert "CNN-6 says dog" in shown
    assert "Probabilities calibrated" in shown
    assert "Probabilities not calibrated" in shown


def test_a_test_picture_is_compared_with_what_the_dataset_says(model: str) -> None:
    shown = html_of(opened(from_=TEST))
    assert "The dataset says: <strong>" in shown
    assert re.search("[✓✗] CNN-4 takes this for", shown)
    assert "The original" not in shown  # It is the very 32×32 pixels.


def test_a_test_picture_outside_the_sample_is_explained(model: str) -> None:
    dataset = caches.open_dataset()
    missing = next(n for n in range(10_000) if n not in set(dataset.test.indices.tolist()))
    app = opened(from_=TEST, picture=str(missing))
    assert f"Picture {missing} of the test split is not in the shipped sample" in html_of(app)


def test_the_camera_is_not_asked_for_before_a_click(model: str) -> None:
    app = opened(from_=CAMERA)
    assert not app.get("camera_input")
    app.toggle(key="camera_on").set_value(True).run()
    assert len(app.get("camera_input")) == 1


def test_the_reference_that_came_with_the_lab_is_asked_first_and_marked(tmp_path: Path) -> None:
    models = tmp_path / "models"
    for network in ("cnn4", "cnn6", "cnn7"):
        fake_model(models, network, network=network)
    app = opened(from_=TEST)
    assert app.multiselect(key="models").value == ["cnn7", "cnn4", "cnn6"]
    assert app.multiselect(key="models").options == ["CNN-7, the reference", "CNN-4", "CNN-6"]
    assert len(app.get("plotly_chart")) == 3
    assert services.find_model(None).id == "cnn7"
    assert [run.id for run in services.list_models()] == ["cnn4", "cnn6", "cnn7"]


def test_a_reference_of_ones_own_stands_behind_the_shipped_models(
    runs_dir: Path, tmp_path: Path
) -> None:
    fake_model(tmp_path / "models", "cnn4")
    fake_model(runs_dir, "mine", network="cnn7")
    assert [run.id for run in services.models_to_ask()] == ["cnn4", "mine"]


def test_a_link_chooses_the_model(runs_dir: Path) -> None:
    fake_model(runs_dir, "fake-1")
    fake_model(runs_dir, "fake-2", network="cnn6")
    assert opened(run="fake-1").multiselect(key="models").value == ["fake-1"]
    assert opened(run="fake-2").multiselect(key="models").value == ["fake-2"]


def test_without_a_chosen_model_the_page_says_so(model: str) -> None:
    app = opened(from_=TEST)
    app.multiselect(key="models").set_value([]).run()
    assert "No model is chosen." in html_of(app)


def test_a_changed_network_is_refused_in_sentences(runs_dir: Path, model: str) -> None:
    RunFolder(runs_dir / model).litert_path.write_bytes(b"something else")
    shown = html_of(opened(from_=TEST))
    assert "is not the one that was recorded" in shown
    assert "Traceback" not in shown


def packed(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"{name}.png", data)
    return buffer.getvalue()


def many(count: int) -> dict[str, bytes]:
    return {f"p{n}": png(32, 32, seed=n) for n in range(count)}


def test_many_pictures_come_as_a_table_with_the_pixels_that_the_networks_see(model: str) -> None:
    app = uploaded(*((f"{n}.png", png(seed=n)) for n in range(8)))
    table = app.dataframe[0].value
    assert list(table["File"]) == [f"{n}.png" for n in range(8)]
    assert all(source.startswith("data:image/webp;base64,") for source in table["Picture"])
    assert not app.get("plotly_chart")


def test_the_table_says_what_each_picture_alone_is_said_to_show(model: str) -> None:
    app = uploaded(("a.zip", packed(**many(9))))
    table = app.dataframe[0].value
    run = services.open_model(services.find_model(model))
    for row, data in enumerate(many(9).values()):
        [[answer]] = services.predict([services.read_picture(data, "alone").pixels], [run])
        best = int(answer.probabilities.argmax())
        assert table["CNN-4"][row] == CIFAR10.class_names[best]
        assert table["CNN-4, how sure"][row] == pytest.approx(answer.probabilities[best])


def test_a_zip_of_few_pictures_is_answered_in_full(model: str) -> None:
    app = uploaded(("a.zip", packed(**many(2))))
    assert len(app.get("plotly_chart")) == 2


def test_a_bad_file_costs_one_row_of_a_zip(model: str) -> None:
    app = uploaded(("a.zip", packed(**many(9), broken=b"no picture")))
    table = app.dataframe[0].value
    assert len(table) == 10
    assert "“broken.png” is not a picture" in table["Problem"][9]
    assert table["Problem"][:9].eq("").all()
    assert table["CNN-4"][:9].notna().all()
    assert "10 files: 9 pictures, 1 not readable." in [element.value for element in app.text][1]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04 nothing of the kind", "cut off, damaged or no zip"),
        (packed(), "“a.zip” holds no files."),
        (packed(inner=packed(**many(1))), "is an archive inside the archive"),
    ],
)
def test_a_bad_zip_gets_a_sentence_and_the_picture_beside_it_its_answer(
    model: str, data: bytes, words: str
) -> None:
    app = uploaded(("a.zip", data), ("a.png", png()))
    assert words in html_of(app)
    assert "CNN-4 takes this for" in html_of(app)


def test_a_row_that_is_chosen_is_answered_in_full(model: str) -> None:
    app = uploaded(("a.zip", packed(**many(9))))
    app.selectbox[0].set_value(3).run()
    assert not app.exception
    assert "p3.png" in html_of(app)
    assert len(app.get("plotly_chart")) == 1


def test_pictures_that_were_looked_at_are_not_asked_about_again(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    classify_batch = services.classify_batch

    def watched(pictures: Any, *rest: Any, **more: Any) -> list[services.BatchPrediction]:
        asked.extend(name for name, _ in pictures)
        return classify_batch(pictures, *rest, **more)

    monkeypatch.setattr(services, "classify_batch", watched)
    app = uploaded(("a.zip", packed(**many(9))))
    app.selectbox[0].set_value(3).run()
    assert asked == [f"p{n}.png" for n in range(9)]


def test_what_was_looked_at_before_stop_is_shown_and_go_on_does_the_rest(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    classify_batch = services.classify_batch

    def press_stop(pictures: Any, *rest: Any, **more: Any) -> list[services.BatchPrediction]:
        if len(session.GLANCES.get()[1]) == AT_ONCE:
            st.stop()  # as the press of a button does to the script that is under way
        return classify_batch(pictures, *rest, **more)

    files = many(AT_ONCE + 4)
    monkeypatch.setattr(many_pictures, "aside", lambda work, **_: work())
    monkeypatch.setattr(services, "classify_batch", press_stop)
    app = uploaded(("a.zip", packed(**files)))
    monkeypatch.setattr(services, "classify_batch", classify_batch)
    app.button(key="many_stop").click().run()
    assert f"Stopped after {AT_ONCE} of {AT_ONCE + 4} pictures." in [t.value for t in app.text]
    assert len(app.dataframe[0].value) == AT_ONCE
    app.button(key="many_on").click().run()
    assert len(app.dataframe[0].value) == AT_ONCE + 4


def test_a_file_name_that_a_spreadsheet_would_calculate_is_quoted_in_the_table(model: str) -> None:
    files = {"=1+1": png(), "@SUM(A1)": png(), **many(7)}
    table = uploaded(("a.zip", packed(**files))).dataframe[0].value
    assert list(table["File"])[:2] == ["'=1+1.png", "'@SUM(A1).png"]


def test_the_table_to_keep_holds_digests_and_all_ten_probabilities(model: str) -> None:
    data = png()
    run = services.open_model(services.find_model(model))
    glances = services.classify_batch(
        [("a.png", lambda: services.read_picture(data, "a.png"))], [run], fit="squash"
    )
    table = whole_table(glances, [run.run], {model: "CNN-4"})
    assert table["SHA-256"][0] == hashlib.sha256(data).hexdigest()
    kept = table[[f"CNN-4: {name}" for name in CIFAR10.class_names]].to_numpy()
    assert kept.sum() == pytest.approx(1, abs=1e-5)


def all_said() -> list[services.Said]:
    with acting_for(OWNER):
        return services.read_all_feedback()


def said_yes(app: AppTest) -> AppTest:
    verdict: Any = next(g for g in app.get("button_group") if str(g.key).startswith("right_"))
    verdict.set_value("Yes").run()
    return app


def keep_button(app: AppTest) -> Any:
    return next(b for b in app.button if b.label == "Keep what I said")


def test_feedback_is_kept_only_after_consent(model: str) -> None:
    data = png()
    app = said_yes(uploaded(("secret-name.png", data)))
    feedback_dir = settings.current().feedback_dir
    assert keep_button(app).disabled
    assert not feedback_dir.exists()
    app.checkbox[0].check().run()
    assert not feedback_dir.exists()
    keep_button(app).click().run()
    assert not app.exception
    (said,) = all_said()
    assert said.sha256 == hashlib.sha256(data).hexdigest()
    assert said.was_right
    assert list(said.answers) == [model]
    (kept,) = [path for path in feedback_dir.rglob("*") if path.is_file()]
    assert b"secret-name" not in kept.read_bytes()
    assert "Thank you. What you said is kept." in [element.value for element in app.text]


def test_what_was_kept_can_be_taken_back(model: str) -> None:
    app = said_yes(uploaded(("a.png", png())))
    app.checkbox[0].check().run()
    keep_button(app).click().run()
    next(b for b in app.button if b.label == "Take it back").click().run()
    assert all_said() == []
    assert "Thank you. What you said is kept." not in [element.value for element in app.text]


def test_a_visitor_sees_no_one_elses_feedback_but_finds_their_own_by_the_code(model: str) -> None:
    app = said_yes(uploaded(("a.png", png())))
    app.checkbox[0].check().run()
    keep_button(app).click().run()
    code = app.code[0].value
    other = opened()
    assert not other.code
    assert "Nothing. Below an answer" in " ".join(element.value for element in other.text)
    other.text_input(key="feedback_given").set_value(code).run()
    assert other.dataframe[0].value["right"][0] == "yes"
    other.button(key="feedback_delete_all").click().run()
    assert all_said() == []


def test_a_read_only_lab_asks_for_no_feedback(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_READONLY", "1")
    app = uploaded(("a.png", png()))
    assert "CNN-4 takes this for" in html_of(app)
    assert not [g for g in app.get("button_group") if str(g.key).startswith("right_")]
    assert not app.expander or "What is kept of you here" not in [e.label for e in app.expander]


def test_pictures_whose_truth_is_known_are_not_asked_about(model: str) -> None:
    app = opened(from_=TEST)
    assert not [g for g in app.get("button_group") if str(g.key).startswith("right_")]


def test_a_network_is_loaded_once_for_all_sessions(model: str) -> None:
    run = services.find_model(model)
    assert caches.open_model(run) is caches.open_model(run)


def test_crop_and_squash_show_different_pixels() -> None:
    picture = services.read_picture(png(40, 160), "wide.png")
    crop, squash = (services.network_input(picture.pixels, fit=fit) for fit in ("crop", "squash"))
    assert picture_pair(picture, crop) != picture_pair(picture, squash)


def test_the_sentence_names_first_and_second_with_the_right_article() -> None:
    values = np.array([0.0, 0.2, 0, 0.7, 0.1, 0, 0, 0, 0, 0], np.float32)
    assert prediction_sentence("CNN-4", values) == (
        "CNN-4 takes this for a cat, 70.0%; second: automobile, 20.0%."
    )
    assert "for an automobile, 70.0%" in prediction_sentence(
        "CNN-4", values[[0, 3, 2, 1, *range(4, 10)]]
    )


def test_models_that_agree_are_not_said_to_disagree() -> None:
    one = np.eye(10, dtype=np.float32)[4]
    assert disagreement({"A": one, "B": 0.9 * one}) == ""


def test_models_of_one_network_and_one_name_are_told_apart(runs_dir: Path) -> None:
    fake_model(runs_dir, "fake-1", name="same")
    fake_model(runs_dir, "fake-2", name="same")
    fake_model(runs_dir, "fake-3", network="cnn6")
    labels = model_labels(services.list_models())
    assert labels["fake-3"] == "CNN-6"
    assert labels["fake-1"] == "CNN-4 “same” (fake-1)"
    assert len(set(labels.values())) == 3


def test_the_page_opens_through_the_app(model: str) -> None:
    app = new_page("app").run()
    app.switch_page("pages/classify.py").run()
    assert not app.exception
    assert app.title[0].value == "Classify"


def test_of_files_that_cannot_be_read_each_keeps_its_own_problem(model: str) -> None:
    opened = services.open_model(services.find_model(model))

    def load(data: bytes, name: str) -> tuple[str, Any]:
        return name, lambda: services.read_picture(data, name)

    broken = [load(b"none", "a.png"), load(b"", "b.png")]
    read = services.classify_batch(broken, [opened], fit="squash")
    assert [(one.name, one.predictions) for one in read] == [("a.png", ()), ("b.png", ())]
    assert all(one.problem for one in read)
    mixed = [broken[0], load(png(), "c.png"), broken[1]]
    read = services.classify_batch(mixed, [opened], fit="squash")
    assert [bool(one.problem) for one in read] == [True, False, True]
    assert [len(one.predictions) for one in read] == [0, 1, 0]
