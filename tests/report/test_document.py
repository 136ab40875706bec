from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import classification_report

from cifar_core import services
from cifar_core.dataset import sample
from cifar_core.errors import RunError
from cifar_core.evaluation.comparison import mcnemar
from cifar_core.report import document, figures, judgement
from cifar_core.report.subjects import MOST_RUNS, best_of, gather, right_examples, wrong_examples
from cifar_core.runs.folder import RunFolder, State
from cifar_core.settings import PROJECT_DIR
from tests.report.oracle import Page
from tools.fabricate import Fake, fabricate

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; alert(1); //",
    "</title><svg onload=alert(1)>",
    "<!-- --><style>@import url(//x.test)</style>",
    "[a](javascript:alert(1)) ![b](http://x.test/b.png)",
    "\u2028\u2029\u202e\x00\ud800",
)


class Elements(HTMLParser):
    """Counts what a browser would make of a page: elements by name, and their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def make(*run_ids: str) -> str:
    runs = [services.read_run(run_id) for run_id in run_ids]
    return services.make_report(runs, made_at=NOON).decode("utf-8")


def without_library(page: str) -> str:
    """Returns a report without the library that draws, which is not ours."""
    longest = max(re.findall(r"<script>.*?</script>", page, re.DOTALL), key=len)
    return page.replace(longest, "<script></script>")


@pytest.fixture
def pair(runs_dir: Path) -> tuple[str, str]:
    fabricate(runs_dir, Fake(run_id="one", accuracy=0.7))
    fabricate(runs_dir, Fake(run_id="two", network="cnn6", accuracy=0.8, seed=2))
    return "one", "two"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A report on two runs, made once for the tests that only read it."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIFAR_LAB_RUNS", str(folder))
        fabricate(folder, Fake(run_id="one", accuracy=0.7))
        fabricate(folder, Fake(run_id="two", network="cnn6", accuracy=0.8, seed=2))
        return make("one", "two")


def test_a_report_is_small_enough_to_be_sent(page: str) -> None:
    assert len(page.encode()) < 8_000_000


def test_a_report_tells_every_part_of_the_story(page: str) -> None:
    for name, title in document.CONTENTS:
        assert f'<section id="{name}"' in page
        assert f">{title}</h2>" in page


def test_one_run_is_not_compared(pair: tuple[str, str]) -> None:
    page = without_library(make("one"))
    assert 'id="comparison"' not in page
    assert "Is the difference real?" not in page


def test_nothing_in_a_report_is_fetched(page: str) -> None:
    page = without_library(page)
    sources = [
        value
        for name, value in Elements(page).attributes
        if name in ("src", "href", "srcset", "data", "action", "poster")
    ]
    assert sources
    assert not [value for value in sources if not value.startswith(("data:image/png;base64,", "#"))]
    assert "url(" not in page
    assert "@import" not in page


def test_the_policy_allows_the_two_scripts_of_the_report_and_nothing_else(
    page: str,
) -> None:
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    ]
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    assert len(scripts) == 2
    assert f"script-src {' '.join(digests)};" in policy[1]
    assert "default-src 'none'" in policy[1]


def test_hostile_names_are_shown_as_text(runs_dir: Path) -> None:
    def report(names: Sequence[str]) -> str:
        for number, name in enumerate(names):
            folder = RunFolder(runs_dir / f"run-{number}")
            label = {"name": name, "note": name, "created_at": 1.0}
            folder.label_path.write_text(json.dumps(label), encoding="ascii")
        return make(*(f"run-{number}" for number in range(len(names))))

    for number in range(4):
        fabricate(runs_dir, Fake(run_id=f"run-{number}", seed=number, epochs=2))
    usual = Elements(without_library(report(["a", "b", "c", "d"])))
    for names in (HOSTILE[:4], HOSTILE[4:]):
        page = report(names)
        hostile = Elements(without_library(page))
        assert hostile.names == usual.names
        assert not [key for key, _ in hostile.attributes if key.startswith("on")]
        figures = page.split('id="figures">', 1)[1].split("</script>", 1)[0]
        assert {"accuracy", "matrix-3"} <= set(json.loads(figures))
        assert "<" not in figures


def test_what_the_files_of_a_run_say_is_text_too(runs_dir: Path) -> None:
    folder = fabricate(runs_dir, Fake(run_id="one"))
    manifest = json.loads(folder.manifest_path.read_bytes())
    manifest |= {"versions": {"<b>": "<script>"}, "run": "<u>"}
    folder.write_manifest(manifest)
    page = without_library(make("one"))
    assert "&lt;script&gt;" in page
    assert not {"b", "u"} & set(Elements(page).names)


def test_the_verdict_is_mcnemars(pair: tuple[str, str]) -> None:
    one, two = gather([services.read_run(run_id) for run_id in pair])
    wanted = mcnemar(one.answers.labels, one.predicted, two.predicted)
    assert judgement.verdicts([one, two]) == [wanted.sentence(one.name, two.name)]


def test_each_run_has_its_classification_report_with_the_averages_at_its_foot(
    pair: tuple[str, str],
) -> None:
    page = make(*pair)
    for run_id, table in zip(pair, re.findall(r"<tfoot>.*?</tfoot>", page), strict=True):
        answers = services.read_test_predictions(services.read_run(run_id))
        wanted = classification_report(
            answers.labels, answers.probabilities.argmax(1), digits=3
        ).split("\n")[-4:-1]
        rows = [re.findall(r">([^<>]+)</t[hd]>", row) for row in table.split("</tr>")[:-1]]
        assert [" ".join(row).replace(",", "") for row in rows] == [
            " ".join(line.split()) for line in wanted
        ]


def test_a_run_on_other_data_is_refused(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="two", data_digest="0" * 16))
    with pytest.raises(RunError, match="0000000000000000"):
        make("two")


def test_every_number_has_its_origin(page: str) -> None:
    origin = page.split('id="origin"', 1)[1].split("</section>", 1)[0]
    for word in ("Identity", "Epoch", "Split", "Device", "Data digest", "invented processor"):
        assert word in origin


def test_the_examples_are_what_they_are_said_to_be(pair: tuple[str, str]) -> None:
    test = sample.load_sample().test
    subject = gather([services.read_run("one")])[0]
    right, wrong = right_examples(subject, test), wrong_examples(subject, test)
    assert np.array_equal(right.truths, right.guesses)
    assert list(right.truths) == sorted(set(right.truths))
    assert not (wrong.truths == wrong.guesses).any()
    assert list(wrong.sure) == sorted(wrong.sure, reverse=True)


@pytest.mark.parametrize("count", [0, MOST_RUNS + 1])
def test_too_few_and_too_many_runs_are_refused_in_a_sentence(runs_dir: Path, count: int) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    with pytest.raises(RunError, match=f"of {count} runs"):
        services.make_report([services.read_run("one")] * count)


def test_an_unfinished_run_is_refused_in_a_sentence(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="part", done=1, state=State.STOPPED))
    with pytest.raises(RunError, match="no final figures"):
        make("part")


def test_two_runs_of_one_name_are_told_apart(runs_dir: Path) -> None:
    for run_id in ("run-aaaa", "run-bbbb"):
        fabricate(runs_dir, Fake(run_id=run_id, name="same"))
    subjects = gather([services.read_run("run-aaaa"), services.read_run("run-bbbb")])
    assert [subject.name for subject in subjects] == ["same aaaa", "same bbbb"]


def test_a_recipe_that_watches_the_test_pictures_is_said_to(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one", recipe="tutorial-repaired"))
    limits = make("one").split('id="limits"', 1)[1].split("</section>", 1)[0]
    assert "monitors the test images" in limits


def test_a_report_says_what_its_own_runs_learnt_from(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="honest"))
    fabricate(runs_dir, Fake(run_id="printed", recipe="tutorial"))
    honest, printed, both = make("honest"), make("printed"), make("honest", "printed")
    assert "on 45,000 of the 50,000 training images" in honest
    assert "used once, at the end." in honest
    assert "on the 50,000 training images" in printed
    assert "monitored after every epoch, as the tutorial does" in printed
    assert "45,000 to 50,000 of the 50,000" in both
    assert "only the tutorial's own recipes monitor them" in both


def test_the_command_repeats_the_recipe(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one", epochs=7, seed=3))
    recipe = services.read_run("one").recipe
    assert recipe is not None
    assert judgement.command(recipe) == (
        "python -m cifar_core train --network cnn4 --recipe standard --epochs 7 --seed 3"
    )


def test_a_setting_the_command_line_cannot_change_is_named(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one", changes={"momentum": 0.5}))
    recipe = services.read_run("one").recipe
    assert recipe is not None
    assert judgement.command(recipe).endswith("# and in recipe.json: momentum=0.5")


def test_the_shipped_models_make_a_report_without_the_dataset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "none"))
    best = services.headline_runs()
    assert [run.id for run in best][:2] == ["cnn4", "cnn6"]
    page = services.make_report(best, made_at=NOON).decode("utf-8")
    assert "27 November 2026, 12:00 UTC" in page


def test_the_reference_stands_behind_the_tutorials_networks_and_for_none_of_them(
    runs_dir: Path,
) -> None:
    for network, accuracy in (("cnn4", 0.7), ("cnn6", 0.8), ("cnn7", 0.93)):
        fabricate(runs_dir, Fake(run_id=network, network=network, accuracy=accuracy))
    runs = services.headline_runs()
    assert [run.id for run in runs] == ["cnn4", "cnn6", "cnn7"]
    subjects = gather(runs)
    assert best_of(subjects).network == "cnn6"
    assert best_of(subjects[2:]).network == "cnn7"
    page = without_library(make("cnn4", "cnn6", "cnn7"))
    starts = [one.split(" classifies")[0] for one in Page(page.encode()).sentences("answer")]
    assert starts[:3] == ["CNN-6", "CNN-4", "CNN-7 (the reference)"]
    figures = re.findall(r'<li class="(\w+)"><strong>', page)
    assert figures == ["cnn4", "cnn6", "tutorial", "cnn7"]
    for name in ("cnn4", "cnn6", "cnn7"):
        assert f".figures .{name}{{color:var(--{name})}}" in page
    assert "Where CNN-6 goes wrong" in page


def test_the_choice_of_the_best_run_never_asks_the_test_pictures(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="watched-test", recipe="tutorial-repaired", accuracy=0.9))
    fabricate(runs_dir, Fake(run_id="held-out", accuracy=0.6))
    assert [run.id for run in services.headline_runs()] == ["held-out"]


def test_the_learning_curves_are_those_of_training_and_of_the_monitored_split(
    pair: tuple[str, str],
) -> None:
    subjects = gather([services.read_run(run_id) for run_id in pair])
    lines = {line.name: list(line.y) for line in figures.learning(subjects).data}
    for subject in subjects:
        rows = [row for row in services.read_metrics(subject.run.id) if row.kind == "epoch"]
        monitored = f"{subject.name}, {subject.recipe.monitored_split}"
        assert lines[f"{subject.name}, train"] == [round(100 * row.accuracy, 5) for row in rows]
        wanted = [round(100 * float(row.monitored_accuracy or 0), 5) for row in rows]
        assert lines[monitored] == wanted


def test_a_recipe_the_lab_does_not_know_is_still_named_by_the_command(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one", network="cnn6", epochs=7))
    recipe = services.read_run("one").recipe
    assert recipe is not None
    words = judgement.command(dataclasses.replace(recipe, name="gone")).split()
    assert words[-4:] == ["--network", "cnn6", "--recipe", "gone"]
