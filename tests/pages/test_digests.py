"""A changed byte in what a finished run or the dataset holds is a sentence, never a figure."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from cifar_core import __main__ as command_line
from cifar_core import files, services, settings
from cifar_core.dataset import CIFAR10, arrays
from cifar_core.runs import digests
from cifar_core.runs.folder import RunFolder, State
from cifar_core.settings import PROJECT_DIR
from tests.pages.shown import html_of, open_page
from tools.fabricate import Fake, add_network, fabricate

EPOCHS = "Validation pictures by epoch"
SHOWN: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
    "evaluation.json": (
        ("results", {"run": "four"}),
        ("results", {"run": "four", "view": "Confidence"}),
        ("classify", {"from": "A test picture"}),
        ("picture", {"split": "test", "index": "3"}),
    ),
    "test_predictions.npy": (
        ("overview", {}),
        *(
            ("results", {"run": "four", "view": view})
            for view in ("Classes", "Confidence", "Advice")
        ),
        *(
            ("compare", {"runs": "four,six", "look": look})
            for look in ("Learning", "Mistakes", "Pictures", "Tutorial")
        ),
        ("dataset", {"part": "Doubtful labels"}),
    ),
    "predictions": (("results", {"run": "four", "split": EPOCHS}),),
    "metrics.jsonl": (
        ("train", {"run": "four"}),
        ("results", {"run": "four", "view": "Advice"}),
        ("compare", {"runs": "four,six", "look": "Learning"}),
    ),
    "recipe.json": (
        ("train", {"run": "four"}),
        ("results", {"run": "four"}),
        ("compare", {"runs": "four,six", "look": "Mistakes"}),
    ),
    "manifest.json": (
        ("train", {"run": "four"}),
        ("results", {"run": "four"}),
        ("compare", {"runs": "four,six", "look": "Learning"}),
    ),
}
"""Pages and views that show what a file holds."""

CASES = [(file, page, address) for file, pages in SHOWN.items() for page, address in pages]


@pytest.fixture
def four(runs_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RunFolder:
    """One of two finished runs that can classify; only the sample is here."""
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "no-data"))
    for run_id, network in (("four", "cnn4"), ("six", "cnn6")):
        folder = fabricate(runs_dir, Fake(run_id=run_id, network=network))
        add_network(folder, PROJECT_DIR / "models" / network / "model.tflite")
    return RunFolder(runs_dir / "four")


def change_a_byte(path: Path) -> None:
    """Changes one digit of a text, or one bit in the middle of an array; it stays readable."""
    content = bytearray(path.read_bytes())
    if path.suffix in (".json", ".jsonl"):
        place = next(
            iter(re.finditer(rb'(?:"accuracy": 0\.|"seed": |"data_digest": ")\d', content))
        )
        at = place.end() - 1
        content[at : at + 1] = b"%d" % ((int(content[at : at + 1]) + 1) % 10)
    else:
        content[len(content) // 2] ^= 1
    path.write_bytes(content)


def problems_of(app: object) -> list[str]:
    """Returns the boxes that tell of a failure."""
    boxes = re.findall(r'<div class="lab-box lab-problem".*?</div>', html_of(app))  # type: ignore[arg-type]
    return [str(box) for box in boxes]


@pytest.mark.parametrize(("file", "page", "address"), CASES)
def test_a_changed_byte_of_a_finished_run_is_a_sentence_wherever_it_is_shown(
    four: RunFolder, file: str, page: str, address: dict[str, str]
) -> None:
    assert not problems_of(open_page(page, **address))
    change_a_byte(four.path / file)
    told = [box for box in problems_of(open_page(page, **address)) if file in box]
    assert told
    assert "digests.ChangedError" not in told[0]


REPORTED = sorted(set(SHOWN) - {"predictions"})


@pytest.mark.parametrize("file", REPORTED)
def test_a_changed_byte_refuses_a_report_in_three_answers(four: RunFolder, file: str) -> None:
    change_a_byte(four.path / file)
    with pytest.raises(digests.ChangedError, match=re.escape(file)) as refusal:
        services.make_report([services.read_run("four")])
    assert refusal.value.expected
    assert refusal.value.remedy


@pytest.mark.parametrize("file", ["evaluation.json", "recipe.json", "manifest.json"])
def test_a_changed_byte_refuses_a_card(four: RunFolder, file: str) -> None:
    change_a_byte(four.path / file)
    with pytest.raises(digests.ChangedError, match=re.escape(file)):
        services.read_card(services.read_run("four"))


@pytest.mark.parametrize("file", REPORTED)
def test_the_command_line_writes_no_report_on_a_changed_byte(
    four: RunFolder, file: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    change_a_byte(four.path / file)
    assert command_line.main(["report", "four", "-o", str(tmp_path / "report.html")]) == 1
    assert file in capfd.readouterr().err
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("file", ["evaluation.json", "manifest.json"])
def test_the_list_of_runs_names_a_changed_file_and_shows_no_figure_of_it(
    four: RunFolder, file: str, capfd: pytest.CaptureFixture[str]
) -> None:
    change_a_byte(four.path / file)
    assert command_line.main(["runs", "--json"]) == 0
    told = capfd.readouterr()
    assert file in told.err
    figures = {row["run"]: row["evaluation"] for row in json.loads(told.out)}
    assert figures["four"] is None
    assert figures["six"] is not None


@pytest.mark.parametrize("file", ["recipe.json", "manifest.json"])
def test_a_run_whose_recipe_is_not_proved_is_offered_nowhere(four: RunFolder, file: str) -> None:
    change_a_byte(four.path / file)
    for offered in (services.list_models, services.headline_runs, services.reportable_runs):
        assert [run.id for run in offered()] == ["six"]


def test_a_changed_manifest_lets_no_network_answer(four: RunFolder) -> None:
    change_a_byte(four.manifest_path)
    with pytest.raises(digests.ChangedError):
        services.open_model(services.read_run("four"))


@pytest.mark.parametrize("file", sorted(SHOWN))
def test_a_run_of_an_older_version_without_digests_stays_readable(
    four: RunFolder, file: str
) -> None:
    facts = services.read_run("four").folder.read_manifest()
    four.manifest_path.write_bytes(files.to_json({**facts, "sha256": {}}))
    if file != "manifest.json":
        change_a_byte(four.path / file)
    run = services.read_run("four")
    assert run.recipe is not None
    assert services.read_evaluation(run) is not None
    assert len(services.read_metrics("four")) == 3
    assert services.read_test_predictions(run).probabilities.shape == (10_000, 10)
    assert services.read_predictions(run).epoch == 3


def test_a_run_that_has_not_finished_is_read_as_it_grows(runs_dir: Path) -> None:
    folder = fabricate(runs_dir, Fake(run_id="young", done=2, state=State.STOPPED))
    folder.write_manifest({"sha256": {"predictions": "0" * 64, "metrics.jsonl": "0" * 64}})
    assert services.read_predictions(services.read_run("young")).epoch == 2
    assert len(services.read_metrics("young")) == 2


def test_a_file_is_hashed_once_until_it_changes(
    four: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    original = files.sha256_of

    def sha256_of(path: Path) -> str:
        hashed.append(path.name)
        return original(path)

    monkeypatch.setattr(files, "sha256_of", sha256_of)
    run = services.read_run("four")
    for _ in range(3):
        services.read_predictions(run)
        services.read_test_predictions(run)
    assert sorted(hashed) == ["predictions", "recipe.json", "test_predictions.npy"]
    os.utime(four.predictions_path, ns=(1, 1))
    services.read_predictions(run)
    assert hashed[3:] == ["predictions"]


def test_a_pipe_in_the_place_of_a_file_is_told_and_not_waited_for(four: RunFolder) -> None:
    four.predictions_path.unlink()
    os.mkfifo(four.predictions_path)
    with pytest.raises(digests.ChangedError):
        digests.check(four.predictions_path)


def test_the_source_names_split_and_data_on_train_classify_and_networks(four: RunFolder) -> None:
    services.read_run("four")
    facts = four.read_manifest()
    four.write_manifest({**facts, "data_digest": "00" * 8})
    sources = {
        page: " ".join(
            re.findall(r'class="lab-origin">([^<]*)', html_of(open_page(page, **address)))
        )
        for page, address in (
            ("train", {"run": "four"}),
            ("classify", {"run": "four", "from": "A test picture"}),
            ("networks", {"run": "four", "part": "Filters"}),
        )
    }
    assert {page: "0000000000000000" in text for page, text in sources.items()} == {
        "train": True, "classify": True, "networks": True,
    }  # fmt: skip
    assert "5,000 validation" in sources["train"]


def test_a_living_run_names_the_data_that_it_trains_on(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="young", done=1, state=State.STOPPED, recipe="tutorial"))
    source = html_of(open_page("train", run="young"))
    assert "10,000 test pictures" in source
    assert "data 82e0267fb55400d7" in source


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the full dataset; what is not changed shares its bytes with the original."""
    source, target = settings.current().data_dir / "cifar10", tmp_path / "data" / "cifar10"
    target.mkdir(parents=True)
    for path in source.iterdir():
        (target / path.name).symlink_to(path.resolve())
    monkeypatch.setenv("CIFAR_LAB_DATA", str(tmp_path / "data"))
    return target


@pytest.mark.data
@pytest.mark.parametrize("array", list(CIFAR10.digests))
def test_a_changed_byte_of_the_dataset_is_a_sentence_on_every_page_that_shows_pictures(
    copied: Path, array: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_MODELS", str(PROJECT_DIR / "models"))
    pages: dict[str, dict[str, str]] = {
        "overview": {},
        "dataset": {},
        "picture": {"split": "test", "index": "3"},
        "classify": {"from": "A test picture"},
        "networks": {"part": "Activations"},
    }
    assert not problems_of(open_page("dataset"))  # opened whole; now it changes under the lab
    path = copied / f"{array}.npy"
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.unlink()
    path.write_bytes(content)
    for page, address in pages.items():
        assert [box for box in problems_of(open_page(page, **address)) if array in box], page
    offered = [button.key for button in open_page("dataset").button]
    assert "download_start" in offered  # as the sentence advises


@pytest.mark.data
@pytest.mark.usefixtures("copied")
def test_the_dataset_is_hashed_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = hashlib.file_digest

    def file_digest(file: object, name: str) -> object:
        read.append(Path(file.name).name)  # type: ignore[attr-defined]
        return original(file, name)  # type: ignore[arg-type]

    monkeypatch.setattr(hashlib, "file_digest", file_digest)
    arrays._sha256_of_file.cache_clear()  # another test may have opened the very files
    for _ in range(3):
        assert not services.open_dataset().is_sample
    assert sorted(read) == ["test_images.npy", "train_images.npy"]  # labels are read each time
    assert np.asarray(services.open_dataset().test.labels[:3]).tolist() == [3, 8, 8]
