"""Only what is a run is a run, and only what the lab wrote is removed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cifar_core import __main__ as command_line
from cifar_core import files, services
from cifar_core.errors import RunError
from cifar_core.runs import contents, manager, reading
from cifar_core.runs.folder import RunFolder, State
from cifar_core.runs.watch import RunsWatch
from tools.fabricate import Fake, fabricate


@pytest.fixture
def run(runs_dir: Path) -> RunFolder:
    """A run that was interrupted."""
    return fabricate(runs_dir, Fake(run_id="mine", done=1, state=State.RUNNING))


def holidays(folder: Path) -> None:
    (folder / "2026").mkdir(parents=True)
    (folder / "2026" / "beach.jpg").write_bytes(b"a beach")
    (folder / "notes.txt").write_text("mine")


def recipe_for_pancakes(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "recipe.json").write_text('{"flour": 200}')


@pytest.mark.parametrize("make", [holidays, recipe_for_pancakes, lambda folder: folder.mkdir()])
def test_a_folder_that_is_no_run_is_not_listed_and_nothing_is_done_to_it(
    run: RunFolder, runs_dir: Path, make: Callable[[Path], None]
) -> None:
    make(runs_dir / "theirs")
    before = sorted(runs_dir.rglob("theirs/**/*"))
    assert [found.id for found in reading.list_runs(runs_dir)] == [run.id]
    assert [found.id for found in RunsWatch(runs_dir).look()] == [run.id]
    for act in (manager.delete, manager.resume, manager.stop):
        with pytest.raises(RunError):
            act(runs_dir, "theirs")
    assert sorted(runs_dir.rglob("theirs/**/*")) == before
    assert reading.find_unlisted(runs_dir).foreign == ("theirs",)


@pytest.mark.parametrize("mark", ["status.json", "label.json", "identity", "metrics.jsonl", "lock"])
def test_two_torn_files_of_a_run_make_a_run_and_one_does_not(tmp_path: Path, mark: str) -> None:
    (tmp_path / mark).write_text("{torn")
    assert not contents.is_run(tmp_path)
    (tmp_path / "recipe.json").write_text("{torn")
    assert contents.is_run(tmp_path)


@pytest.mark.parametrize("name", ["recipe.json", "status.json"])
def test_a_recipe_or_a_status_that_can_be_read_is_a_run_alone(
    run: RunFolder, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes((run.path / name).read_bytes())
    assert contents.is_run(tmp_path)


def test_every_file_that_a_run_has_a_path_for_is_its_own(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    paths = [getattr(folder, name) for name in dir(folder) if name.endswith("_path")]
    assert len(paths) > 10
    for path in paths:
        path.mkdir() if path.name in contents._FOLDERS else path.touch()
    assert contents.foreign(tmp_path) == []


@pytest.mark.parametrize("name", ["mine (copy)", "été", "_keep", "-x", "a" * 201, "x\ty"])
def test_a_run_whose_folder_has_another_name_is_told_of(
    run: RunFolder, runs_dir: Path, name: str
) -> None:
    run.path.rename(runs_dir / name)
    assert reading.list_runs(runs_dir) == []
    assert reading.find_unlisted(runs_dir) == reading.Unlisted(misnamed=(name,))


def test_the_lab_s_own_hidden_folders_are_not_told_of(run: RunFolder, runs_dir: Path) -> None:
    (runs_dir / ".devices").mkdir()
    assert reading.find_unlisted(run.path.parent) == reading.Unlisted()


def test_deleting_leaves_what_the_lab_did_not_write(run: RunFolder, runs_dir: Path) -> None:
    holidays(run.path)
    (run.path / "checkpoint.before").write_bytes(b"one")
    (run.path / ".status.json.1.tmp").touch()
    (run.path / ".theirs").touch()
    (run.path / ".temporary").mkdir()
    (run.path / "predictions").unlink()
    (run.path / "predictions").mkdir()
    (run.path / "predictions" / "theirs").touch()  # a folder of theirs that has our file's name
    assert manager.delete(runs_dir, run.id) == [
        *(".theirs", "2026", "notes.txt", "predictions"),
    ]
    left = {str(path.relative_to(run.path)) for path in run.path.rglob("*")}
    theirs = {".theirs", "2026", "2026/beach.jpg", "notes.txt", "predictions", "predictions/theirs"}
    assert left == theirs
    assert reading.list_runs(runs_dir) == []
    assert not list(runs_dir.glob(".deleted-*"))


def test_a_link_in_a_run_is_judged_by_its_name_and_never_followed(
    run: RunFolder, runs_dir: Path, tmp_path: Path
) -> None:
    holidays(tmp_path / "elsewhere")
    (run.path / "model.keras").symlink_to(tmp_path / "elsewhere")
    (run.path / "broken").symlink_to("nowhere")
    assert manager.delete(runs_dir, run.id) == ["broken"]
    assert (tmp_path / "elsewhere" / "2026" / "beach.jpg").exists()


def test_deleting_a_run_removes_its_folder(run: RunFolder, runs_dir: Path) -> None:
    assert manager.delete(runs_dir, run.id) == []
    assert list(runs_dir.iterdir()) == []


def test_a_linked_run_is_not_written_through_and_deleting_removes_the_link_alone(
    run: RunFolder, runs_dir: Path, tmp_path: Path
) -> None:
    elsewhere = run.path.rename(tmp_path / "elsewhere")
    (runs_dir / "linked").symlink_to(elsewhere)
    label = files.read_json(elsewhere / "label.json")
    with pytest.raises(RunError) as error:
        manager.relabel(runs_dir, "linked", name="another")
    assert error.value.remedy
    assert files.read_json(elsewhere / "label.json") == label
    manager.delete(runs_dir, "linked")
    assert list(runs_dir.iterdir()) == []
    assert contents.is_run(elsewhere)


@pytest.mark.parametrize("arguments", [["mine"], ["mine", "--json"]])
def test_the_command_line_deletes_nothing_without_a_yes(
    run: RunFolder, arguments: list[str]
) -> None:
    assert command_line.main(["delete", *arguments]) == 1
    assert run.recipe_path.exists()
    assert command_line.main(["delete", "--yes", *arguments]) == 0
    assert not run.path.exists()


def test_a_name_of_two_million_characters_is_cut(run: RunFolder) -> None:
    files.write_json(run.label_path, {"name": "x" * 2_000_000, "note": "", "created_at": 3.0})
    found = services.read_run(run.id)
    assert (len(found.name), found.label.created_at) == (80, 3.0)
