from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk
from streamlit.testing.v1 import AppTest

from cifar_core import files, services
from cifar_core.dataset import CIFAR10
from cifar_core.evaluation.calibration import apply_temperature
from cifar_core.runs.folder import State
from cifar_core.ui.kit import image_browser
from cifar_core.ui.kit.runs import picker
from cifar_core.ui.results import panels
from cifar_core.ui.results.figures import result_figures
from cifar_core.ui.results.prediction_picker import PLAYED_EPOCH
from tests.pages import shown
from tests.pages.shown import html_of, new_page, words_of
from tools.fabricate import Fake, fabricate

open_page = partial(shown.open_page, "results")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_shipped_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(tmp_path / "models"))


def metric(app: AppTest, label: str) -> str:
    return str(next(item.value for item in app.metric if item.label == label))


def indices_of(app: AppTest, split: str) -> list[int]:
    return [int(number) for number in re.findall(rf"{split}\u00a0(\d+)", html_of(app))]


def calibrated(run_id: str) -> np.ndarray:
    """Returns the test answers (n, 10) of a run with its own temperature applied."""
    run = services.read_run(run_id)
    figures = services.read_evaluation(run)
    assert figures is not None
    assert figures.temperature not in (None, 1)
    shares = services.read_test_predictions(run).probabilities
    return apply_temperature(shares, figures.temperature).astype(np.float32)


def sklearn_report(run_id: str) -> dict[str, Any]:
    answers = services.read_test_predictions(services.read_run(run_id))
    report: dict[str, Any] = sk.classification_report(
        answers.labels,
        answers.probabilities.argmax(1),
        target_names=CIFAR10.class_names,
        output_dict=True,
    )
    return report


def figure(app: AppTest, place: int = 0) -> dict[str, object]:
    drawn: dict[str, object] = json.loads(app.get("plotly_chart")[place].proto.spec)
    return drawn


def test_without_runs_the_page_leads_to_training() -> None:
    app = open_page()
    assert not app.exception
    assert "No network has been trained here yet." in words_of(app)
    assert "Start a training" in words_of(app)


def test_the_page_opens_through_the_app(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="only"))
    app = new_page("app").run()
    app.switch_page("pages/results.py").run()
    assert not app.exception
    assert app.title[0].value == "Results"


def test_the_headline_is_the_test_accuracy_with_its_interval(runs_dir: Path) -> None:
    folder = fabricate(runs_dir, Fake(run_id="only"))
    answers = np.load(folder.test_predictions_path)
    labels = services.open_dataset().test.labels
    if len(labels) == len(answers):
        right = sk.accuracy_score(labels, answers.argmax(1))
    else:
        right = json.loads(folder.evaluation_path.read_bytes())["accuracy"]
    assert metric(open_page(), "Test accuracy").startswith(f"{100 * right:.1f}% ± ")


def test_a_running_run_shows_the_monitored_accuracy_under_that_name(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="part", done=2, state=State.STOPPED))
    app = open_page()
    run = services.read_run("part")
    answers = services.read_predictions(run)
    right = sk.accuracy_score(answers.labels, answers.probabilities.argmax(1))
    shown = metric(app, "Validation accuracy, epoch 2")
    assert shown.startswith(f"{100 * right:.1f}%")
    assert "Test accuracy" not in [item.label for item in app.metric]


def test_the_matrix_is_that_of_scikit_learn(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="only"))
    app = open_page()
    answers = services.read_test_predictions(services.read_run("only"))
    wanted = sk.confusion_matrix(answers.labels, answers.probabilities.argmax(1))
    data = figure(app)["data"]
    assert isinstance(data, list)
    assert np.array_equal(np.array(data[0]["z"], float), wanted)


def test_the_report_is_that_of_scikit_learn(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="only"))
    app = open_page(view="Classes")
    answers = services.read_test_predictions(services.read_run("only"))
    wanted = sk.precision_recall_fscore_support(answers.labels, answers.probabilities.argmax(1))
    table = app.dataframe[0].value
    for column, values in zip(("precision", "recall", "F1"), wanted[:3], strict=True):
        assert np.allclose(table[column], values, atol=1e-9, rtol=0)


def test_the_averages_are_those_of_scikit_learn_in_a_table_of_their_own(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="only"))
    rows: dict[Any, Any] = (
        open_page(view="Classes").dataframe[1].value.set_index("class").T.to_dict()
    )
    wanted = sklearn_report("only")
    assert list(rows) == ["accuracy", "macro avg", "weighted avg"]
    for name in ("macro avg", "weighted avg"):
        row = {column: rows[name][column] for column in ("precision", "recall", "F1")}
        row["f1-score"] = row.pop("F1")
        assert {**row, "support": 10_000} == pytest.approx(wanted[name], abs=1e-9)
    assert rows["accuracy"]["F1"] == pytest.approx(wanted["accuracy"], abs=1e-9)
    assert np.isnan([rows["accuracy"][column] for column in ("precision", "recall")]).all()


def test_the_saved_report_holds_the_classes_and_then_the_averages(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_dir, Fake(run_id="only"))
    saved = []
    monkeypatch.setattr(panels, "csv_download", lambda table, *_, **__: saved.append(table))
    open_page(view="Classes")
    assert list(saved[0]["class"]) == [
        *CIFAR10.class_names,
        "accuracy",
        "macro avg",
        "weighted avg",
    ]
    wanted = sklearn_report("only")["macro avg"]["f1-score"]
    assert saved[0]["F1"][11] == pytest.approx(wanted, abs=1e-9)


@pytest.mark.data
def test_the_select_boxes_open_exactly_the_pictures_of_the_cell(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="only", accuracy=0.6))
    app = open_page()
    app.selectbox(key="true").select("cat").run()
    app.selectbox(key="predicted").select("dog").run()
    shares = calibrated("only")
    cats_as_dogs = np.flatnonzero(
        (services.open_dataset().test.labels == 3) & (shares.argmax(1) == 5)
    )
    order = np.argsort(-shares[cats_as_dogs].max(axis=1), kind="stable")
    assert indices_of(app, "test") == cats_as_dogs[order][:12].tolist()
    assert f"{len(cats_as_dogs)} of 1,000 cats were taken for dogs" in words_of(app)


@pytest.mark.data
def test_pictures_of_an_epoch_are_held_out_training_pictures(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="only"))
    app = open_page(
        split="Validation pictures by epoch", epoch="2", true="truck", predicted="automobile"
    )
    answers = services.read_predictions(services.read_run("only"), epoch=2)
    guesses = answers.probabilities.argmax(1)
    wanted = set(answers.indices[(answers.labels == 9) & (guesses == 1)].tolist())
    shown = indices_of(app, "train")
    assert shown
    assert set(shown) <= wanted


def test_pictures_that_the_sample_lacks_are_counted(
    runs_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "nothing"))
    fabricate(runs_dir, Fake(run_id="only"))
    app = open_page()
    answers = services.read_test_predictions(services.read_run("only"))
    wrong = np.flatnonzero(answers.probabilities.argmax(1) != answers.labels)
    here = np.isin(wrong, services.open_dataset().test.indices).sum()
    assert f"{len(wrong) - here:,} of these pictures are not in it" in words_of(app)
    assert len(indices_of(app, "test")) == 12


def test_the_address_restores_run_split_epoch_view_and_cell(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="first", created_at=1.0))
    fabricate(runs_dir, Fake(run_id="second", created_at=2.0, seed=2))
    app = open_page(
        run="first", split="Validation pictures by epoch", epoch="2", true="ship", view="Confusions"
    )
    assert app.selectbox(key="results_run").value == "first"
    assert app.slider(key="epoch").value == 2
    assert app.selectbox(key="true").value == "ship"
    assert app.query_params["run"] in ("first", ["first"])


def test_an_address_of_a_run_that_is_gone_says_so(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="only"))
    app = open_page(run="gone<b>")
    assert not app.exception
    assert "There is no run “gone<b>” here" in " ".join(item.value for item in app.text)


def test_a_run_without_predictions_is_told_in_a_sentence(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="young", done=0, state=State.STOPPED))
    app = open_page()
    assert not app.exception
    assert "has no predictions yet" in words_of(app)


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        (
            "evaluation.json",
            b'{"split": "te',
            "The final figures of run “CNN-4 standard only” cannot be read",
        ),
        ("test_predictions.npy", b"\x93NUMPY", "test_predictions.npy"),
        ("recipe.json", b"{", "cannot be read"),
        ("metrics.jsonl", b'{"kind": "ep', None),
        ("status.json", b"", None),
        ("manifest.json", b"[", None),
        ("predictions", b"123", None),
    ],
)
@pytest.mark.parametrize("view", ["Confusions", "Classes", "Confidence", "Advice"])
def test_a_torn_file_never_breaks_the_page(
    runs_dir: Path, file: str, content: bytes, sentence: str | None, view: str
) -> None:
    folder = fabricate(runs_dir, Fake(run_id="only"))
    (folder.path / file).write_bytes(content)
    app = open_page(view=view)
    assert not app.exception
    assert "did not foresee" not in words_of(app)
    if sentence is not None:
        assert sentence in words_of(app)


def test_a_hostile_run_name_stays_text(runs_dir: Path) -> None:
    name = "<img src=x onerror=alert(1)> **bold** [a](javascript:b)"
    fabricate(runs_dir, Fake(run_id="only", name=name))
    app = open_page()
    assert not app.exception
    assert "<img src=x" not in html_of(app)
    assert "<img src=x" not in json.dumps(figure(app))


@pytest.mark.parametrize("view", ["Confidence", "Advice"])
def test_the_other_views_draw_without_complaint(runs_dir: Path, view: str) -> None:
    fabricate(runs_dir, Fake(run_id="only", epochs=6))
    app = open_page(view=view)
    assert not app.exception
    assert "did not foresee" not in words_of(app)
    wanted = {"Confidence": "times of 100", "Advice": "validation images"}[view]
    assert wanted in words_of(app)


def test_playing_ends_at_the_last_epoch_and_gives_the_slider_back(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="only"))
    app = open_page(split="Validation pictures by epoch")
    app.button(key="play").click().run()
    assert not app.exception
    for _ in range(4):  # AppTest runs the fragment with the page, not by its clock
        app.run()
    assert app.slider(key="epoch").value == 3


def test_a_shipped_run_that_kept_every_third_epoch_is_looked_at_in_steps_of_three(
    runs_dir: Path,
) -> None:
    folder = fabricate(runs_dir, Fake(run_id="only", epochs=3))
    manifest = files.read_json(folder.manifest_path)
    folder.write_manifest({**manifest, "predictions_every": 3})
    app = open_page(split="Validation pictures by epoch", epoch="4")
    slider = app.slider(key="epoch")
    assert (slider.min, slider.max, slider.step) == (3, 9, 3)
    assert "epoch 3" in words_of(app) + html_of(app)
    app.button(key="play").click().run()
    for _ in range(4):
        app.run()
    assert not app.exception
    assert app.slider(key="epoch").value == 9


def test_a_film_left_for_a_thinned_run_ends_on_an_epoch_that_it_has(runs_dir: Path) -> None:
    folder = fabricate(runs_dir, Fake(run_id="only", epochs=3))
    manifest = files.read_json(folder.manifest_path)
    folder.write_manifest({**manifest, "predictions_every": 3})
    app = new_page("results")
    app.query_params["split"] = "Validation pictures by epoch"
    app.session_state[PLAYED_EPOCH.key] = 7  # of another run, which kept every epoch
    app.run()
    assert not app.exception
    assert "did not foresee" not in words_of(app)
    assert app.slider(key="epoch").value == 6


def test_the_choice_of_a_class_is_offered_for_all_ten(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="only"))
    assert app_options(open_page(), "true") == ["any class", *CIFAR10.class_names]


def app_options(app: AppTest, key: str) -> list[str]:
    return list(app.selectbox(key=key).options)


def test_a_run_on_other_data_is_refused_in_a_sentence_with_its_own_digest(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="only", data_digest="0123456789abcdef"))
    app = open_page()
    assert not app.exception
    assert "was trained on other data (digest 0123456789abcdef)" in words_of(app)
    assert "data 0123456789abcdef" in html_of(app)
    assert not app.get("plotly_chart")


def test_the_probabilities_of_the_pictures_stand_in_a_table(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="only"))
    app = open_page()
    table = next(t.value for t in app.dataframe if "picture" in t.value.columns)
    assert table["picture"].tolist() == [f"test {index}" for index in indices_of(app, "test")]
    first = calibrated("only")[int(table["picture"][0].split()[1])]
    assert np.allclose(table.loc[0, list(CIFAR10.class_names)].to_numpy(float), first, atol=1e-7)
    assert image_browser.CALIBRATED in [item.value for item in app.caption]
    early = open_page(split="Validation pictures by epoch", epoch="1")
    assert image_browser.CALIBRATED not in [item.value for item in early.caption]


def test_the_temperature_is_applied_to_the_network_it_was_fitted_to_only(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="only"))
    early = open_page(view="Confidence", split="Validation pictures by epoch", epoch="1")
    assert "is not applied to this epoch" in words_of(early)
    assert "Temperature" not in [item.label for item in early.metric]
    assert "Temperature" in [item.label for item in open_page(view="Confidence").metric]


@pytest.mark.parametrize("recipe", ["quick", "tutorial"])
def test_the_headline_says_whether_the_calibration_error_is_calibrated(
    runs_dir: Path, recipe: str
) -> None:
    run = fabricate(runs_dir, Fake(run_id="only", recipe=recipe))
    figures = json.loads(run.evaluation_path.read_text())
    calibrated = figures["ece_calibrated"]
    label = "Calibration error" if calibrated is not None else "Calibration error, as trained"
    assert (calibrated is None) == (recipe == "tutorial")
    shown = figures["ece"] if calibrated is None else calibrated
    assert metric(open_page(), label) == f"{shown:.1%}"


def test_the_report_holds_the_area_of_scikit_learn(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="only"))
    app = open_page(view="Classes", **{"class": "cat"})
    answers = services.read_test_predictions(services.read_run("only"))
    wanted = sk.average_precision_score(answers.labels == 3, answers.probabilities[:, 3])
    table = app.dataframe[0].value
    assert table["average precision"][3] == pytest.approx(wanted, abs=1e-9)
    assert f"average precision of {100 * wanted:.1f}%" in words_of(app)


def test_all_figures_are_saved_as_json_with_their_origin(runs_dir: Path) -> None:
    folder = fabricate(runs_dir, Fake(run_id="only"))
    run = services.read_run("only")
    answers = services.read_predictions(run, epoch=2)
    whole = json.loads(json.dumps(result_figures(run, services.read_evaluation(run), answers)))
    assert whole["evaluation"] == json.loads(folder.evaluation_path.read_bytes())
    assert whole["data_digest"] in whole["shown"]["origin"]
    guesses = answers.probabilities.argmax(1)
    wanted = sk.confusion_matrix(answers.labels, guesses).tolist()
    assert whole["shown"]["confusion_matrix"] == wanted
    assert whole["shown"]["accuracy"] == pytest.approx(
        sk.accuracy_score(answers.labels, guesses), abs=1e-9
    )


@pytest.mark.parametrize("view", ["Confusions", "Classes", "Confidence"])
def test_every_chart_has_a_camera_that_saves_what_was_chosen(runs_dir: Path, view: str) -> None:
    fabricate(runs_dir, Fake(run_id="only"))
    app = open_page(view=view)
    assert app.get("plotly_chart")
    for chosen in ("PNG", "SVG"):
        app.segmented_control(key="chart_format").set_value(chosen).run()
        for chart in app.get("plotly_chart"):
            settings = json.loads(chart.proto.config)
            assert settings["displayModeBar"] is True
            assert settings["toImageButtonOptions"]["format"] == chosen.lower()


def test_the_page_watches_the_run_it_shows(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for run_id in ("one", "two"):
        fabricate(runs_dir, Fake(run_id=run_id))
    watched: list[str] = []
    monkeypatch.setattr(picker, "watch", lambda *runs: watched.extend(run.id for run in runs))
    open_page(run="one")
    open_page(run="two")
    assert watched == ["one", "two"]
