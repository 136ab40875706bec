"""Who may change something: decided in the services, whoever draws the buttons."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cifar_core import services
from cifar_core.__main__ import main
from cifar_core.errors import LabError
from cifar_core.recipes import recipe
from cifar_core.runs.folder import State
from cifar_core.services import NotAllowedError, Person
from tools.fabricate import Fake, fabricate

RUN = "20261127-120000-aaaa00"
ANNA = Person("Anna", frozenset({"anna@example.org"}))
VICTOR = Person("Victor", frozenset({"victor@example.org"}))

CHANGES: Mapping[str, Callable[[], Any]] = {
    "fetch_dataset": lambda: services.fetch_dataset(print),
    "start_download": services.start_download,
    "stop_download": services.stop_download,
    "start_run": lambda: services.start_run(recipe("standard", "cnn4", epochs=1)),
    "stop_run": lambda: services.stop_run(RUN),
    "resume_run": lambda: services.resume_run(RUN),
    "move_run": lambda: services.move_run(RUN, "cpu"),
    "label_run": lambda: services.label_run(RUN, name="Another"),
    "delete_run": lambda: services.delete_run(RUN),
    "start_analysis": services.start_analysis,
    "stop_analysis": services.stop_analysis,
    "fit_novelty": lambda: services.fit_novelty(services.read_run(RUN)),
    "start_timing": lambda: services.start_timing(services.read_run(RUN)),
    "measure_timing": lambda: services.measure_timing(services.read_run(RUN)),
}
"""Every service that changes something, and how it is asked."""

LOOKS = frozenset(
    {
        *("open_dataset", "read_download", "describe_network", "list_devices", "list_runs"),
        "list_shipped",
        *("read_run", "position_in_line", "read_metrics", "watch_metrics", "watch_runs"),
        *("read_log", "read_evaluation", "read_predictions", "read_test_predictions"),
        "read_course",
        *("evaluate_run", "list_models", "find_model", "open_classifier", "read_picture"),
        *("models_to_ask", "list_evidence"),
        *("predict", "network_input", "may_change", "find_refusal", "acting_for"),
        *("open_model", "open_inspector"),
        *("classify_batch", "new_code", "feedback_facts", "feedback_row"),
        *("reportable_runs", "headline_runs", "best_runs", "validation_accuracy"),
        *("make_report", "read_card", "find_unlisted"),
        *(
            "list_model_files",
            "read_model_file",
            "read_facts_file",
            "read_timing",
            "recorded_digest",
        ),
        *("find_doubtful_labels", "judges", "explain_answer", "try_changes", "find_neighbours"),
        *("read_catalogue", "make_catalogue", "read_analysis", "analysis_state", "analysis_model"),
        *("analysis_path", "read_pairs", "read_places", "read_exhibits", "wait_for_analysis"),
    }
)
"""Every service that anybody may use."""

OWN = frozenset(
    {
        *("keep_feedback", "read_feedback", "delete_feedback"),
        *("read_all_feedback", "delete_all_feedback"),
    }
)
"""What concerns a visitor's own word on answers; tests/services/test_feedback.py tries these."""

COMMANDS = (
    *(["data"], ["analyse"]),
    ["train", "--network", "cnn4", "--detach"],
    *([name, RUN] for name in ("stop", "resume", "delete")),
    ["rename", RUN, "--name", "Another"],
    ["move", RUN, "--device", "cpu"],
)

each_change = pytest.mark.parametrize("name", CHANGES)


@pytest.fixture(autouse=True)
def run(runs_dir: Path) -> Path:
    """A run that there is something to do with."""
    return fabricate(runs_dir, Fake(run_id=RUN, name="As it was", state=State.STOPPED)).path


def traces(run: Path) -> dict[str, bytes]:
    """Returns everything in the folder of runs."""
    return {str(path): path.read_bytes() for path in run.parent.rglob("*") if path.is_file()}


def test_every_service_is_known_as_a_change_or_as_a_look() -> None:
    """Whoever adds a service says here which it is; a change is then under the tests below."""
    functions = {
        name
        for name in services.__all__
        if callable(getattr(services, name)) and not isinstance(getattr(services, name), type)
    }
    unknown = {name for name in functions - CHANGES.keys() - LOOKS - OWN if name[0].islower()}
    assert not unknown, "does it change something? then it calls check_may_change"


@each_change
def test_a_read_only_lab_refuses_every_change_to_everybody(
    name: str, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_READONLY", "1")
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "anna@example.org")
    before = traces(run)
    for person in (services.OWNER, ANNA, services.VISITOR):
        with services.acting_for(person), pytest.raises(NotAllowedError):
            CHANGES[name]()
    assert traces(run) == before


@each_change
@pytest.mark.parametrize("person", [services.VISITOR, VICTOR, Person("Anna")])
def test_where_operators_are_named_nobody_else_changes_anything(
    name: str, person: Person, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "anna@example.org")
    before = traces(run)
    with services.acting_for(person), pytest.raises(NotAllowedError):
        CHANGES[name]()
    assert traces(run) == before


@each_change
def test_a_change_in_nobodys_name_is_refused_where_operators_are_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "anna@example.org")
    with pytest.raises(NotAllowedError):
        CHANGES[name]()


@pytest.mark.parametrize("person", [ANNA, services.OWNER])
def test_an_operator_and_the_owner_of_the_machine_change_what_they_like(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "bea@example.org, Anna@Example.org")
    with services.acting_for(person):
        services.label_run(RUN, name="Another")
    assert services.read_run(RUN).name == "Another"


def test_without_operators_whoever_reaches_the_lab_may_change_it() -> None:
    assert services.may_change()
    with services.acting_for(services.VISITOR):
        services.label_run(RUN, name="Another")
    assert services.read_run(RUN).name == "Another"


def test_a_refusal_tells_a_stranger_to_sign_in_and_a_visitor_whom_to_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "anna@example.org")
    with pytest.raises(NotAllowedError, match="Sign in as an operator"):
        services.delete_run(RUN)
    with services.acting_for(VICTOR), pytest.raises(NotAllowedError, match="Victor may look"):
        services.delete_run(RUN)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_the_command_line_changes_nothing_in_a_read_only_lab(
    command: list[str], run: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("CIFAR_LAB_READONLY", "1")
    before = traces(run)
    assert main(command) == 1
    assert "open for looking and classifying only" in capsys.readouterr().err
    assert traces(run) == before


def test_the_command_line_is_the_owners_where_operators_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "anna@example.org")
    assert main(["rename", RUN, "--name", "By hand"]) == 0


def test_a_name_ends_with_its_block_also_when_the_block_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "anna@example.org")

    def fail_as(person: Person) -> None:
        with services.acting_for(person):
            assert services.may_change()
            raise LabError("It broke.")

    with pytest.raises(LabError, match="It broke"):
        fail_as(ANNA)
    assert not services.may_change()
    with services.acting_for(ANNA):
        with services.acting_for(VICTOR):
            assert not services.may_change()
        assert services.may_change()


def test_a_name_is_never_seen_by_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIFAR_LAB_OPERATORS", "anna@example.org")
    people = (ANNA, VICTOR, services.VISITOR, None)
    together = threading.Barrier(len(people))

    def ask(person: Person | None) -> list[bool]:
        answers = []
        for _ in range(200):
            together.wait(60)  # all are inside their own block at the same time
            if person is None:
                answers.append(services.may_change())
            else:
                with services.acting_for(person):
                    together.wait(60)
                    answers.append(services.may_change())
                    continue
            together.wait(60)
        return answers

    with ThreadPoolExecutor(len(people)) as pool:
        answers = dict(zip(people, pool.map(ask, people), strict=True))
    assert all(answers[ANNA])
    assert not any(any(answers[person]) for person in (VICTOR, services.VISITOR, None))
