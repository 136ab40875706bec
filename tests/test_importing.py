"""Importing a module does nothing, and no page loads what trains; proved in fresh interpreters."""

from __future__ import annotations

import ast
import functools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.source import (
    APP,
    COMMAND_LINE,
    CORE,
    HEAVY,
    PAGES,
    ROOT,
    WORKER,
    fresh,
    imported,
    is_below,
    module_name,
    parsed,
)


@functools.cache
def module_level_imports(path: Path) -> tuple[tuple[int, str], ...]:
    """Returns the imports that run when the module does, so none inside a function."""

    def nodes(body: list[ast.stmt]) -> Iterator[ast.AST]:
        for node in body:
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                continue
            yield node
            for inner in ("body", "orelse", "finalbody"):
                if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from nodes(getattr(node, inner, []))

    return tuple(imported(nodes(parsed(path).body), path))


def test_the_web_side_of_the_core_loads_neither_keras_nor_tensorflow() -> None:
    modules = [
        module_name(path)
        for path in CORE
        if not is_below(module_name(path), "cifar_core.training")
        and module_name(path) not in (WORKER, COMMAND_LINE)
        and not any(name.split(".")[0] in HEAVY for _, name in module_level_imports(path))
    ]
    assert "cifar_core.networks" in modules
    program = (
        "import importlib, json, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    assert not HEAVY & set(json.loads(fresh(program)))


def test_opening_a_page_loads_neither_keras_nor_tensorflow(tmp_path: Path) -> None:
    program = (
        "import json, sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "loaded = {}\n"
        f"for path in {[str(path) for path in (APP, *PAGES)]!r}:\n"
        "    page = AppTest.from_file(path, default_timeout=240).run()\n"
        "    assert not page.exception, page.exception\n"
        "    names = {name.split('.')[0] for name in sys.modules}\n"
        f"    loaded[path] = sorted({set(HEAVY)!r} & names)\n"
        "print(json.dumps([loaded, 'streamlit' in sys.modules]))"
    )
    loaded, has_streamlit = json.loads(fresh(program, CIFAR_LAB_RUNS=str(tmp_path / "runs")))
    assert has_streamlit
    assert loaded == {str(path): [] for path in (APP, *PAGES)}


WATCH = """
import importlib, json, logging, os, sys, threading
for name in {foreign!r}:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:  # a name inside a module, or another backend
        pass
deeds, watching = [], True
LOUD = ("socket.", "subprocess.", "shutil.", "tempfile.", "os.putenv", "os.unsetenv", "os.system",
        "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.fork", "os.exec", "os.posix_spawn",
        "_thread.start", "signal.", "fcntl.", "ctypes.dlopen", "urllib.")
def watch(event, arguments):
    if not watching:
        return
    if event == "open":
        path, _, flags = arguments
        writes = flags and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes or not str(path).endswith((".py", ".pyc", ".so")):
            deeds.append(["open", str(path)])
    elif event.startswith(LOUD):
        deeds.append([event, repr(arguments)[:200]])
def handlers():
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.Logger.manager.loggerDict)]
    return sum(len(logger.handlers) for logger in loggers), logging.getLogger().level
before = handlers(), dict(os.environ), threading.active_count()
sys.addaudithook(watch)
for name in {modules!r}:
    importlib.import_module(name)
watching = False
after = handlers(), dict(os.environ), threading.active_count()
print(json.dumps([deeds, before == after]))
"""


def deeds_of_importing(paths: list[Path]) -> tuple[list[list[str]], bool]:
    """Imports modules under an audit hook, what they lean on having been imported before.

    Returns:
        Files, sockets, processes, threads and variables they touched, and whether loggers,
        environment and threads are as they were.
    """
    foreign = sorted(
        {
            name
            for path in CORE
            if path in paths
            for _, name in module_level_imports(path)
            if not is_below(name, "cifar_core")
        }
    )
    modules = [module_name(path) for path in paths]
    deeds, unchanged = json.loads(fresh(WATCH.format(foreign=foreign, modules=modules)))
    return deeds, unchanged


def imports_heavy(path: Path) -> bool:
    """Returns whether importing a module loads Keras, itself or through another of ours."""
    waiting, seen = [path], set()
    by_name = {module_name(path): path for path in CORE}
    while waiting:
        current = waiting.pop()
        seen.add(current)
        for _, name in module_level_imports(current):
            if name.split(".")[0] in HEAVY:
                return True
            if name in by_name and by_name[name] not in seen:
                waiting.append(by_name[name])
    return False


def test_importing_the_core_does_nothing() -> None:
    light = [path for path in CORE if not imports_heavy(path)]
    assert ROOT / "cifar_core/settings.py" in light
    assert deeds_of_importing(light) == ([], True)


@pytest.mark.slow
def test_importing_the_networks_and_the_training_does_nothing_but_load_keras() -> None:
    heavy = [path for path in CORE if imports_heavy(path)]
    assert ROOT / "cifar_core/networks/cnn4.py" in heavy
    assert deeds_of_importing(heavy) == ([], True)


def test_the_watch_on_imports_sees_a_deed(tmp_path: Path) -> None:
    (tmp_path / "guilty.py").write_text("import os; os.environ['X'] = '1'; open('x', 'w')\n")
    program = WATCH.format(foreign=[], modules=["guilty"])
    deeds, unchanged = json.loads(fresh(program, cwd=tmp_path))
    assert [deed for deed, _ in deeds] == ["os.putenv", "open"]
    assert not unchanged
