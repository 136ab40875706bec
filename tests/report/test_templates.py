"""What holds for every template of a report, and what its Python leaves to them."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from cifar_core.report import rendering
from tests.source import ROOT, fresh, listed, parsed

REPORT = ROOT / "cifar_core" / "report"
TEMPLATES = REPORT / "templates"


def write(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """Writes a template and lets the report find it."""
    monkeypatch.setattr(rendering, "_TEMPLATES", folder)
    monkeypatch.setattr(rendering, "_environment", rendering._environment.__wrapped__)
    (folder / name).write_text(text, encoding="utf-8")


def test_a_value_that_is_missing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, monkeypatch, "new.html.j2", "{{ value }}")
    with pytest.raises(UndefinedError):
        rendering.render("new.html.j2")


@pytest.mark.parametrize(
    "text",
    [
        "{{ value }}",
        '<p title="{{ value }}">',
        "{% macro m(x) %}{{ x }}{% endmacro %}{{ m(value) }}",
    ],
)
def test_a_value_is_text_in_elements_attributes_and_macros(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    write(tmp_path, monkeypatch, "new.html.j2", text)
    shown = rendering.render("new.html.j2", value="<b a='1' c=\"2\">&\x00\u202e\ud800")
    for sign in ("<b", "'", '"2', "&\ufffd", "\x00", "\u202e", "\ud800"):
        assert sign not in shown.removeprefix('<p title="')


def test_a_template_of_a_new_kind_is_escaped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, monkeypatch, "new.svg.j2", "{{ value }}")
    assert rendering.render("new.svg.j2", value="<b>") == "&lt;b&gt;"


def test_only_what_the_lab_made_itself_is_drawn_unescaped() -> None:
    found = {
        expression
        for path in TEMPLATES.iterdir()
        for expression in re.findall(r"([\w.]+)\s*\|\s*safe", path.read_text(encoding="utf-8"))
    }
    assert found == {"one.drawing", "charts_json", "plotly", "script", "value"}
    assert "safe" in (TEMPLATES / "report.css.j2").read_text(encoding="utf-8")  # value: a colour


def test_the_python_of_the_report_holds_no_html() -> None:
    found = [
        f"{path.name}:{node.lineno}: {node.value[:40]}"
        for path in REPORT.glob("*.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.search(r"</?[a-zA-Z]", node.value)
    ]
    assert not found, listed(found)


def test_the_templates_go_where_the_package_goes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["cifar_core"]
    packed = {path for pattern in patterns for path in (ROOT / "cifar_core").glob(pattern)}
    assert {path for path in REPORT.rglob("*") if path.suffix in {".j2", ".js"}} <= packed


def test_the_server_starts_without_the_template_engine() -> None:
    program = (
        "import sys, cifar_core.services.report, cifar_core.report.document as document\n"
        "document.script_digests()\n"
        "print('jinja2' in sys.modules)"
    )
    assert fresh(program) == "False"
