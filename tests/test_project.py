"""The files around the code: pins, versions and the small tools of the Makefile."""

from __future__ import annotations

import ast
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import cifar_core
from tests.source import CORE, ROOT, listed, module_name, parsed

COUNTED = re.compile(r"\b\d[\d,]* (?:test items|tests|laws)\b")
BINARY = {".gz", ".npy", ".npz", ".png", ".tflite", ".webp"}
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


LOCKS = {
    "requirements.lock": ["requirements.txt", "requirements-login.txt"],
    "requirements-gpu.lock": ["requirements.txt", "requirements-login.txt", "requirements-gpu.txt"],
    "requirements-dev.lock": [
        *("requirements.txt", "requirements-login.txt"),
        *("requirements-jax.txt", "requirements-dev.txt"),
    ],
}
"""What is installed, and what it must hold."""


def lines(name: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    return [line for line in text if line and not line.startswith(("#", "-"))]


def locked(name: str = "requirements-dev.lock") -> dict[str, Version]:
    asked = [Requirement(line.split(" --hash")[0]) for line in lines(name)]
    return {one.name: Version(str(one.specifier).removeprefix("==")) for one in asked}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_is_met_by_the_locked_version(lock: str) -> None:
    asked = [Requirement(line) for name in LOCKS[lock] for line in lines(name)]
    versions = {canonicalize_name(name): version for name, version in locked(lock).items()}
    unmet = [
        one
        for one in asked
        if not one.specifier.contains(versions.get(canonicalize_name(one.name), "0"))
    ]
    assert not unmet, listed(unmet)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_one_version_and_the_digests_of_its_files_and_no_address(lock: str) -> None:
    form = r"[a-z0-9-]+==[a-z0-9.+]+( ; [^:@\\/]+)?( +--hash=sha256:[0-9a-f]{64})+"
    wrong = [line for line in lines(lock) if not re.fullmatch(form, line)]
    assert not wrong, listed(wrong)


def test_all_locks_have_one_version_of_each_package() -> None:
    everything = locked()
    other = [
        f"{lock}: {name}"
        for lock in LOCKS
        for name, version in locked(lock).items()
        if everything.get(name, version) != version
    ]
    assert not other, listed(other)


def test_nothing_is_installed_without_its_digest() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^PIP = .*--require-hashes", text, re.MULTILINE)
    assert set(re.findall(r"\$\(PIP\) -r (\S+)", text)) == {
        "requirements.lock",
        "requirements-dev.lock",
    }


def test_versions_with_known_holes_are_not_installed() -> None:
    floors = {
        "keras": "3.15.1",
        "pillow": "13",
        "starlette": "1.3.1",
        "python-multipart": "0.0.32",
    }
    versions = locked()
    old = [name for name, floor in floors.items() if versions[name] < Version(floor)]
    assert not old, listed(old)


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert project["version"] == cifar_core.__version__
    assert f"\nversion: {cifar_core.__version__}\n" in citation


def check_port(port: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, str(ROOT / "tools/check_port.py"), port]
    return subprocess.run(program, capture_output=True, text=True, check=False)


def test_a_port_that_is_taken_is_named_with_another_to_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answer = check_port(str(port))
    assert answer.returncode == 1
    assert f"Port {port} cannot be used" in answer.stderr
    assert "make run PORT=" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_port_that_is_free_is_passed_in_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    answer = check_port(str(port))
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


@pytest.mark.parametrize("port", ["", "0", "65536", "-1", "http", "8501.0", "²"])
def test_a_port_that_is_none_is_refused_in_a_sentence(port: str) -> None:
    answer = check_port(port)
    assert answer.returncode == 1
    assert "give a number from 1 to 65535" in answer.stderr


def find_python(python: str) -> subprocess.CompletedProcess[str]:
    shell = shutil.which("sh") or "/bin/sh"
    return subprocess.run(
        [shell, str(ROOT / "tools/find_python.sh")],
        env={"PATH": "/usr/bin:/bin", "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_python_that_is_named_is_taken() -> None:
    assert find_python(sys.executable).stdout.strip() == sys.executable


def test_a_python_that_is_too_old_is_refused_with_what_to_do(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    answer = find_python(str(old))
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "No Python 3.11, 3.12 or 3.13" in answer.stderr
    assert "make run PYTHON=" in answer.stderr


def names_in(path: Path) -> set[str]:
    """Returns the functions and classes of a module, and its methods as ``Class.method``."""
    found = set()
    for node in parsed(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = [one.name for one in node.body if isinstance(one, ast.FunctionDef)]
            found |= {f"{node.name}.{name}" for name in methods}
    return found


def test_every_room_that_the_architecture_page_names_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    walks = text.split("## Two walks", 1)[1].split("\n## ", 1)[0]
    rooms = re.findall(r"`([a-z_]+\.[\w.]+)`", walks)
    modules = {module_name(path).removeprefix("cifar_core."): path for path in CORE}
    lost = []
    for room in rooms:
        module = max((name for name in modules if room.startswith(f"{name}.")), key=len, default="")
        if not module or room.removeprefix(f"{module}.") not in names_in(modules[module]):
            lost.append(room)
    assert len(rooms) > 20
    assert not lost, listed(lost)


def test_a_document_links_only_to_what_is_there() -> None:
    lost = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in DOCUMENTS
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert not lost, listed(lost)


def test_the_tree_in_the_readme_names_what_git_knows() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = text.split("```\napp.py", 1)[1].split("```", 1)[0]
    named = re.findall(r"^( *)([a-z_]+(?:\.py)?)/? ", "app.py" + tree, re.MULTILINE)
    paths = [f"cifar_core/{name}" if indent else name for indent, name in named]
    known = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = known.stdout.split()
    assert len(paths) > 10
    assert [p for p in paths if not any(f == p or f.startswith(f"{p}/") for f in files)] == []


def test_no_document_has_a_figure_left_to_fill_in() -> None:
    left = [
        f"{page.relative_to(ROOT)}: {mark}"
        for page in DOCUMENTS
        for mark in re.findall(r"@[A-Z0-9_]+@", page.read_text(encoding="utf-8"))
    ]
    assert not left, listed(left)


def test_no_document_counts_the_tests() -> None:
    """Such a number is stale with the next test."""
    counted = [
        f"{page.relative_to(ROOT)}: {words}"
        for page in DOCUMENTS
        if page.name != "CHANGELOG.md"
        for words in re.findall(
            r"\b\d[\d,]* (?:test items|tests|laws)\b", page.read_text(encoding="utf-8")
        )
    ]
    assert not counted, listed(counted)


def test_a_checkout_that_prefers_crlf_has_the_line_ends_that_shells_read(tmp_path: Path) -> None:
    git = ["git", "-c", "core.autocrlf=true", "-c", "core.eol=crlf"]
    checkout = [*git, "checkout-index", "--all", f"--prefix={tmp_path}/"]
    subprocess.run(checkout, cwd=ROOT, check=True, timeout=60)
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(found) > 500
    changed = [
        str(path.relative_to(tmp_path))
        for path in found
        if b"\r\n" in path.read_bytes() and path.suffix not in BINARY and path.name != "predictions"
    ]
    assert not changed, listed(changed)


def test_no_binary_file_is_taken_for_text() -> None:
    """Git guesses by the first 8,000 bytes; a digest of what ships hangs on it."""
    names = [*ROOT.glob("models/*/*"), *ROOT.glob("cifar_core/**/*.[nw]*[zp]")]
    assert len(names) > 50
    question = "\n".join(str(path.relative_to(ROOT)) for path in names)
    answer = subprocess.run(
        ["git", "check-attr", "--stdin", "text"],
        input=question,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    guessed = [line for line in answer.stdout.splitlines() if not line.endswith(": text: unset")]
    assert not guessed, listed(guessed)
