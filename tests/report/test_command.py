from __future__ import annotations

import json
import os
import stat
import subprocess
import threading
import tty
from pathlib import Path

import pytest

from cifar_core import __main__ as command_line
from cifar_core import services
from cifar_core.settings import PROJECT_DIR
from tests.commands.tool import PROGRAM
from tools.fabricate import Fake, fabricate


def test_a_report_is_written_from_the_command_line(
    runs_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    path = tmp_path / "told.html"
    assert command_line.main(["report", "one", "-o", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts == {"file": str(path), "size_bytes": path.stat().st_size, "runs": ["one"]}
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_report_that_cannot_be_written_says_so_in_three_answers(
    runs_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    path = tmp_path / "missing" / "told.html"
    assert command_line.main(["report", "one", "-o", str(path)]) == 1
    shown = capsys.readouterr().err
    assert "cannot be written: No such file or directory." in shown
    assert "Name another file" in shown


def test_a_run_that_is_not_there_leaves_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "told.html"
    assert command_line.main(["report", "gone", "-o", str(path)]) == 1
    assert "There is no run “gone”." in capsys.readouterr().err
    assert not path.exists()


@pytest.fixture
def written(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A run to report on, and the bytes of every report."""
    fabricate(runs_dir, Fake(run_id="one"))
    content = "<!DOCTYPE html>Käfer".encode() * 50_000  # more than a pipe takes at once
    monkeypatch.setattr(services, "make_report", lambda _runs: content)
    return content


def report_to(target: Path | str) -> int:
    return command_line.main(["report", "one", "-o", str(target)])


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path, written: bytes) -> None:
    pipe, got = tmp_path / "pipe", bytearray()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.extend(pipe.read_bytes()), daemon=True)
    reader.start()
    assert report_to(pipe) == 0
    reader.join(30)
    assert bytes(got) == written
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


def test_a_link_stays_and_the_file_it_leads_to_is_replaced_whole(
    tmp_path: Path, written: bytes
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "here").mkdir()
    target, link, onward = tmp_path / "there" / "a", tmp_path / "here" / "b", tmp_path / "c"
    link.symlink_to("../there/a")
    onward.symlink_to(link)
    for name in (link, onward):  # the first leads to nothing yet
        assert report_to(name) == 0
        assert target.read_bytes() == written
        before = target.stat().st_ino
        target.write_bytes(b"old")
        assert (link.is_symlink(), onward.is_symlink()) == (True, True)
    assert report_to(onward) == 0
    assert target.stat().st_ino != before
    assert sorted(os.listdir(tmp_path / "there")) == ["a"]  # noqa: PTH208


def test_a_device_is_written_to_through_a_link_too(tmp_path: Path, written: bytes) -> None:
    master, terminal = os.openpty()  # a device of this user's own
    tty.setraw(terminal)
    name, link = os.ttyname(terminal), tmp_path / "link"
    link.symlink_to(name)
    got = bytearray()

    def read() -> None:
        while len(got) < len(written):
            got.extend(os.read(master, 65_536))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    assert report_to(link) == 0
    reader.join(30)
    assert bytes(got) == written
    assert stat.S_ISCHR(Path(name).lstat().st_mode)
    os.close(terminal)
    os.close(master)


@pytest.mark.parametrize("end", ["folder", "folder/", "link", "new/", "loop"])
def test_what_can_hold_no_report_is_refused_and_left_as_it_is(
    tmp_path: Path, written: bytes, end: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "loop").symlink_to("loop")
    before = sorted(os.walk(tmp_path))
    assert written
    assert report_to(f"{tmp_path}/{end}") == 1
    assert sorted(os.walk(tmp_path)) == before


@pytest.mark.parametrize("name", ["-", "link"])  # never /dev/stdout: a defect would replace it
@pytest.mark.parametrize("is_file", [True, False])
def test_standard_output_gets_the_report_and_nothing_else(
    runs_dir: Path, tmp_path: Path, name: str, *, is_file: bool
) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    path, link = tmp_path / "out", tmp_path / "link"
    link.symlink_to("/proc/self/fd/1")
    command = [*PROGRAM, "report", "one", "-o", str(link) if name == "link" else name]
    with path.open("wb") as file:
        answer = subprocess.run(
            command,
            cwd=PROJECT_DIR,
            stdout=file if is_file else subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
        )
    shown = path.read_bytes() if is_file else answer.stdout
    assert answer.returncode == 0
    assert shown.startswith(b"<!DOCTYPE html>")
    assert shown.rstrip().endswith(b"</html>")


def test_json_and_the_report_do_not_share_standard_output(runs_dir: Path) -> None:
    fabricate(runs_dir, Fake(run_id="one"))
    with pytest.raises(SystemExit) as ended:
        command_line.main(["report", "one", "-o", "-", "--json"])
    assert ended.value.code == 2
