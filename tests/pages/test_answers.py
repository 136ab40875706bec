"""The answer cards of Classify: none of these, the mirror switch, the closer look."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cifar_core import __main__ as command_line
from cifar_core import services
from cifar_core.dataset import CIFAR10
from cifar_core.glossary import define
from cifar_core.inference.explain import Occlusion
from cifar_core.inference.novelty import NoneOfThese
from cifar_core.inference.upload import to_network_input
from cifar_core.runs import digests
from cifar_core.services import Prediction
from cifar_core.settings import PROJECT_DIR
from cifar_core.ui.classify.explanations import CLOSER, glow, map_sentence
from cifar_core.ui.classify.predictions import foreign_sentence, origin_sentence
from tests.pages.shown import html_of, new_page


@pytest.fixture(autouse=True)
def _shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A lab with the shipped models and without the full dataset."""
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "no-data"))
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))


def photograph() -> bytes:
    """Returns a smooth picture, 80 × 60, as PNG."""
    y, x = np.mgrid[0:60, 0:80]
    pixels = np.stack([x * 3, y * 4, 255 - x - y], axis=-1).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def noise() -> bytes:
    pixels = np.random.default_rng(5).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def uploaded(name: str, data: bytes, *, mirror: bool = False) -> AppTest:
    app = new_page("classify").run()
    app.file_uploader(key="uploads").set_value([(name, data, "image/png")])
    app.toggle(key="mirror").set_value(mirror)
    app.run()
    assert not app.exception
    return app


def test_noise_is_called_perhaps_none_of_the_ten_with_the_rate_of_false_alarms() -> None:
    shown = html_of(uploaded("noise.png", noise()))
    assert "Perhaps none of the ten." in shown
    assert "A false alarm for " in shown
    assert " of the test pictures" in shown


def test_a_usual_picture_is_not_called_none_of_the_ten() -> None:
    app = new_page("classify")
    app.query_params["from"] = "A test picture"
    shown = html_of(app.run())
    assert "Not strange enough to be called none of the ten." in shown


def test_the_mirror_switch_tells_its_gain_and_the_answer_says_that_it_is_averaged() -> None:
    app = uploaded("a.png", photograph(), mirror=True)
    figures = services.read_evaluation(services.find_model("cnn4"))
    assert figures is not None
    help_text = app.toggle(key="mirror").help
    assert help_text is not None
    assert f"{figures.accuracy_mirrored:.1%}" in help_text
    assert define("test-time augmentation") in help_text
    assert "Averaged with the answer for the mirrored picture." in html_of(app)
    assert "Averaged with" not in html_of(uploaded("a.png", photograph()))


def test_a_closer_look_shows_map_changes_and_neighbours_and_comes_on_demand() -> None:
    app = uploaded("a.png", photograph())
    assert "What mattered" not in html_of(app)
    (closer,) = [toggle for toggle in app.toggle if toggle.label == CLOSER]
    app = closer.set_value(True).run()
    assert not app.exception
    shown = html_of(app)
    assert "What mattered for “" in shown
    assert "% alike" in shown
    texts = " ".join(element.value for element in app.text)
    assert "of 8 small changes" in texts
    assert "1,000 training pictures in the shipped sample" in texts
    assert "It does not show whether the answer is right" in texts
    assert any("✓ holds" in str(table.value) for table in app.dataframe)


@pytest.mark.parametrize("mirror", [False, True])
def test_the_page_and_the_command_line_give_the_same_answer(
    mirror: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(photograph())
    words = ["classify", str(tmp_path / "a.png"), "--model", "cnn4", "--json"]
    assert command_line.main([*words, "--mirror"] if mirror else words) == 0
    told = json.loads(capfd.readouterr().out)
    drawn: list[Prediction] = []
    predict = services.predict

    def watched(*given: object, **more: object) -> list[tuple[Prediction, ...]]:
        found = predict(*given, **more)  # type: ignore[arg-type]
        drawn.extend(found[0])
        return found

    monkeypatch.setattr(services, "predict", watched)
    app = uploaded("a.png", photograph(), mirror=mirror)
    answer = [item for item in drawn if item.run.id == "cnn4"][-1]
    shares = dict(zip(CIFAR10.class_names, answer.probabilities.tolist(), strict=True))
    assert told["probabilities"] == pytest.approx(shares, abs=1e-6)
    assert told["label"] == max(shares, key=shares.__getitem__)
    assert answer.ood is not None
    assert told["none_of_these"]["score"] == pytest.approx(answer.ood.score)
    assert told["none_of_these"]["verdict"] == answer.ood.verdict
    assert f"{shares[told['label']]:.1%}" in html_of(app)


def test_the_command_line_says_perhaps_none_of_the_ten_and_goes_on_after_a_bad_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "noise.png").write_bytes(noise())
    (tmp_path / "bad.png").write_bytes(b"no picture")
    files = [str(tmp_path / name) for name in ("bad.png", "noise.png")]
    assert command_line.main(["classify", *files]) == 1
    bad, strange = capfd.readouterr().out.splitlines()
    assert "is not a picture" in bad
    assert strange.endswith("; perhaps none of the ten")
    assert command_line.main(["classify", *files, "--json"]) == 1
    first, second = (json.loads(line) for line in capfd.readouterr().out.splitlines())
    assert set(first) == {"file", "error"}
    assert set(second) == {"file", "model", "label", "probabilities", "none_of_these"}
    assert second["none_of_these"]["verdict"] is True


def test_many_pictures_at_once_get_the_answers_they_get_alone() -> None:
    model = services.open_model(services.find_model("cnn6"))
    pictures = services.open_dataset().test.images[:7]
    together = services.predict(list(pictures), [model])
    for picture, (answer,) in zip(pictures, together, strict=True):
        [[alone]] = services.predict([picture], [model])
        np.testing.assert_array_equal(answer.network_input, picture)
        np.testing.assert_allclose(alone.probabilities, answer.probabilities, atol=1e-5)
        assert alone.ood is not None
        assert answer.ood is not None
        assert alone.ood.score == pytest.approx(answer.ood.score, abs=1e-2)


def test_no_pictures_get_no_answers() -> None:
    model = services.open_model(services.find_model("cnn4"))
    assert services.predict([], [model]) == []


def test_a_prediction_carries_what_it_was_made_from() -> None:
    models = [services.open_model(services.find_model(name)) for name in ("cnn4", "cnn6")]
    image = np.random.default_rng(3).integers(0, 256, (50, 90, 3), dtype=np.uint8)
    ((first, second),) = services.predict([image], models, fit="crop", flip=True)
    assert (first.run.id, second.run.id) == ("cnn4", "cnn6")
    for model, made in zip(models, (first, second), strict=True):
        np.testing.assert_array_equal(made.network_input, to_network_input(image, fit="crop"))
        raw = model.classifier.classify(made.network_input[None], mirror=True)[0]
        np.testing.assert_array_equal(made.raw_probabilities, raw)
        logits = np.log(raw.astype(np.float64)) / made.temperature
        expected = np.exp(logits) / np.exp(logits).sum()
        np.testing.assert_allclose(made.probabilities, expected, atol=1e-5)
        assert (made.fit, made.flip, made.temperature) == ("crop", True, model.temperature)
    assert np.abs(first.probabilities - first.raw_probabilities).max() > 1e-3


def test_a_model_without_what_it_takes_says_nothing_of_none_of_these(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(PROJECT_DIR / "models" / "cnn4", tmp_path / "models" / "cnn4")
    manifest = tmp_path / "models" / "cnn4" / "manifest.json"
    facts = json.loads(manifest.read_text())
    del facts["sha256"]["novelty.npz"]
    digests.write_manifest(manifest.parent, facts)
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(tmp_path / "models"))
    shown = html_of(uploaded("noise.png", noise()))
    assert "CNN-4 takes this for" in shown
    assert "none of the ten" not in shown


def test_the_sentence_of_a_verdict_names_its_rate_of_false_alarms() -> None:
    verdict = NoneOfThese(4.0, 2.9, True, 0.0468, 0.98)
    assert foreign_sentence(verdict) == (
        "? Perhaps none of the ten. Stranger than 98% of the pictures held out of the training. "
        "A false alarm for 4.7% of the test pictures, which do show one of the ten."
    )
    assert "false alarm" not in foreign_sentence(NoneOfThese(4.0, 2.9, True, None))


def test_the_origin_says_whether_an_answer_is_calibrated() -> None:
    run, values = services.find_model("cnn4"), np.full(10, 0.1, np.float32)
    made = Prediction(run, np.zeros((32, 32, 3), np.uint8), values, values, 0.6)
    assert origin_sentence(made).startswith("Probabilities calibrated")
    uncalibrated = dataclasses.replace(made, temperature=None)
    assert "not calibrated" in origin_sentence(uncalibrated)


def test_the_map_glows_where_it_mattered_and_says_so_in_words() -> None:
    drops = np.zeros((32, 32))
    drops[2, 30] = 0.5
    found = Occlusion(3, 0.8, drops)
    painted = glow(found, np.full((32, 32, 3), 100, np.uint8))
    assert painted[2, 30, 0] > painted[2, 30, 2]
    assert len(set(painted[20, 5].tolist())) == 1
    assert map_sentence(found) == (
        "What mattered for “cat”: most of all the top right. Covered there, it falls from 80.0% "
        "to about 30.0%."
    )
    nothing = Occlusion(3, 0.8, np.full((32, 32), 0.001))
    assert "no single part" in map_sentence(nothing)
    assert (glow(nothing, np.full((32, 32, 3), 100, np.uint8)) == 60).all()
