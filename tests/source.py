"""The source as the tests of its laws read it."""

from __future__ import annotations

import ast
import functools
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "cifar_core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))
APP = ROOT / "app.py"
SOURCES = [*CORE, *PAGES, APP]

HEAVY = frozenset({"tensorflow", "keras", "jax", "jaxlib", "flax", "torch"})
WORKER = "cifar_core.worker"
COMMAND_LINE = "cifar_core.__main__"


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_below(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@functools.cache
def known_modules() -> frozenset[str]:
    return frozenset(module_name(path) for path in SOURCES)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(nodes: Iterator[ast.AST], path: Path) -> Iterator[tuple[int, str]]:
    """Yields (line, module) of every import, `from package import module` resolved."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield node.lineno, full if full in known_modules() else str(node.module)
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith("import_module")
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.lineno, str(node.args[0].value)


def offences(path: Path, nodes: Iterator[ast.AST]) -> list[str]:
    """Returns where each node stands and how it begins."""
    place = path.relative_to(ROOT)
    return [f"{place}:{n.lineno}: {ast.unparse(n)[:60]}" for n in nodes if hasattr(n, "lineno")]


def listed(found: Iterable[object]) -> str:
    """Returns every offence on a line of its own: pytest shortens what it compares."""
    return "\n".join(["", *sorted(map(str, found))])


def fresh(program: str, *, cwd: Path = ROOT, **environ: str) -> str:
    """Runs a program in a new interpreter, returns the last line of its output."""
    return (fresh_lines(program, cwd=cwd, **environ) or [""])[-1]


def fresh_lines(program: str, *, cwd: Path = ROOT, **environ: str) -> list[str]:
    """Runs a program in a new interpreter at the root of the project, returns its output."""
    answer = subprocess.run(
        [sys.executable, "-B", "-c", program],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **environ},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip().splitlines()
