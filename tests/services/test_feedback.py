from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cifar_core import files, services, settings
from cifar_core.dataset import CIFAR10
from cifar_core.runs.folder import RunFolder
from cifar_core.runs.reading import Run
from cifar_core.services import FeedbackError, NotAllowedError, Said, feedback
from cifar_core.services.access import OWNER, Person, acting_for

SHA256 = "ab" * 32


@pytest.fixture
def answer(runs_dir: Path) -> services.Prediction:
    folder = RunFolder(runs_dir / "run-1")
    folder.path.mkdir(parents=True)
    files.write_json(folder.status_path, {"state": "finished"}, durable=False)
    run: Run = services.read_run("run-1")
    values = np.full(10, 0.02, np.float32)
    values[3] = 0.82
    return services.Prediction(run, np.zeros((32, 32, 3), np.uint8), values, values, 1.5)


def kept(code: str, answer: services.Prediction, **changes: Any) -> Said:
    given: dict[str, Any] = {
        "sha256": SHA256,
        "fit": "squash",
        "answers": [answer],
        "was_right": False,
        "shows": "dog",
        "agreed": True,
    }
    return services.keep_feedback(code, **{**given, **changes})


def on_disk() -> list[Path]:
    return [path for path in settings.current().feedback_dir.rglob("*") if path.is_file()]


def test_what_was_said_comes_back_with_digest_and_answer(answer: services.Prediction) -> None:
    code = services.new_code()
    said = kept(code, answer)
    assert services.read_feedback(code) == [said]
    assert (said.sha256, said.was_right, said.shows) == (SHA256, False, "dog")
    assert said.answers["run-1"]["cat"] == pytest.approx(0.82)
    assert list(said.answers["run-1"]) == list(CIFAR10.class_names)


def test_without_consent_nothing_is_kept(answer: services.Prediction) -> None:
    with pytest.raises(FeedbackError, match="not agreed"):
        kept(services.new_code(), answer, agreed=False)
    assert not settings.current().feedback_dir.exists()


def test_a_read_only_lab_keeps_and_deletes_nothing(
    answer: services.Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = services.new_code()
    said = kept(code, answer)
    monkeypatch.setenv("CIFAR_LAB_READONLY", "1")
    for change in (
        lambda: kept(code, answer),
        lambda: services.delete_feedback(code),
        services.delete_all_feedback,
    ):
        with pytest.raises(NotAllowedError), acting_for(OWNER):
            change()
    assert services.read_feedback(code) == [said]


def test_nobody_reads_or_deletes_with_another_code(answer: services.Prediction) -> None:
    mine, other = services.new_code(), services.new_code()
    said = kept(mine, answer)
    assert services.read_feedback(other) == []
    assert services.delete_feedback(other) == 0
    assert services.delete_feedback(other, said.id) == 0
    assert services.read_feedback(mine) == [said]


@pytest.mark.parametrize(
    "code", ["", "..", "../..", "*", "/", "a/b", "\x00", "\ud800", "a" * 10_000]
)
def test_a_code_is_never_a_path(code: str, answer: services.Prediction) -> None:
    kept(services.new_code(), answer)
    before = on_disk()
    assert services.read_feedback(code) == []
    assert services.delete_feedback(code) == 0
    assert on_disk() == before
    kept(code, answer)
    (new,) = set(on_disk()) - set(before)
    assert new.parent.parent == settings.current().feedback_dir


@pytest.mark.parametrize("said_id", ["*", "../*", "", "[0-9]*"])
def test_a_name_that_is_none_deletes_nothing(said_id: str, answer: services.Prediction) -> None:
    code = services.new_code()
    kept(code, answer)
    assert services.delete_feedback(code, said_id) == 0
    assert len(services.read_feedback(code)) == 1


def test_the_code_is_nowhere_on_the_disk(answer: services.Prediction) -> None:
    code = services.new_code()
    kept(code, answer)
    (path,) = on_disk()
    assert code not in str(path)
    assert code.encode() not in path.read_bytes()


def test_neither_a_name_nor_a_pixel_is_on_the_disk(answer: services.Prediction) -> None:
    kept(services.new_code(), answer)
    (path,) = on_disk()
    assert set(json.loads(path.read_bytes())) == {
        *("id", "kept_at", "sha256", "fit", "mirrored", "answers", "was_right", "shows"),
    }


def test_one_is_deleted_and_the_others_stay(answer: services.Prediction) -> None:
    code = services.new_code()
    said = [kept(code, answer) for _ in range(3)]
    assert services.delete_feedback(code, said[1].id) == 1
    assert services.read_feedback(code) == [said[0], said[2]]
    assert services.delete_feedback(code) == 2
    assert on_disk() == []


def test_whoever_runs_the_lab_reads_and_deletes_all(answer: services.Prediction) -> None:
    said = [kept(services.new_code(), answer) for _ in range(3)]
    with acting_for(OWNER):
        assert services.read_all_feedback() == said
        assert services.delete_all_feedback() == 3
        assert services.read_all_feedback() == []


@pytest.mark.parametrize("person", [None, Person(), Person("Ann", frozenset({"ann@lab.example"}))])
def test_no_visitor_and_no_operator_reads_or_deletes_what_all_people_said(
    person: Person | None, answer: services.Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "ann@lab.example")
    kept(services.new_code(), answer)
    with acting_for(person) if person else nullcontext():
        for all_of_it in (services.read_all_feedback, services.delete_all_feedback):
            with pytest.raises(NotAllowedError):
                all_of_it()
    assert len(on_disk()) == 1


def test_where_operators_are_named_visitors_may_still_have_their_word_kept(
    answer: services.Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "ann@lab.example")
    code = services.new_code()
    with acting_for(Person()):
        said = kept(code, answer)
        assert services.read_feedback(code) == [said]
        assert services.delete_feedback(code) == 1


def test_a_broken_file_costs_only_itself(answer: services.Prediction) -> None:
    code = services.new_code()
    said = [kept(code, answer) for _ in range(2)]
    on_disk()[0].write_bytes(b"{")
    assert len(services.read_feedback(code)) == 1
    assert services.read_feedback(code)[0] in said


def test_what_is_kept_survives_a_power_cut(
    answer: services.Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr(files, "flush_folder", flushed.append)
    kept(services.new_code(), answer)
    (path,) = on_disk()
    assert {path.parent, path.parent.parent} <= set(flushed)


def test_a_full_disk_is_told_in_three_answers(
    answer: services.Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_json", full)
    with pytest.raises(FeedbackError) as caught:
        kept(services.new_code(), answer)
    assert "No space left" in caught.value.what
    assert caught.value.expected
    assert caught.value.remedy


def test_one_person_cannot_fill_the_lab(
    answer: services.Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback, "MOST_OF_ONE", 3)
    code = services.new_code()
    for _ in range(3):
        kept(code, answer)
    with pytest.raises(FeedbackError, match="that is the most"):
        kept(code, answer)
    kept(services.new_code(), answer)


def test_all_together_cannot_fill_the_disk(
    answer: services.Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback, "MOST_OF_ALL", 3)
    for _ in range(3):
        kept(services.new_code(), answer)
    with pytest.raises(FeedbackError, match="room for what people say is full"):
        kept(services.new_code(), answer)


def test_codes_are_not_drawn_twice() -> None:
    assert len({services.new_code() for _ in range(1_000)}) == 1_000


def test_the_row_of_a_table_names_the_first_choice(answer: services.Prediction) -> None:
    row = services.feedback_row(kept(services.new_code(), answer))
    assert (row["run-1"], row["right"], row["shows"]) == ("cat", "no", "dog")
    assert row["run-1, how sure"] == pytest.approx(0.82)
