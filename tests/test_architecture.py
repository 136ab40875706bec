"""The laws of ARCHITECTURE, each read from the source or proved in a fresh interpreter.

The tests look at whatever files there are, so a new module is under the law the day it comes.
"""

from __future__ import annotations

import ast
import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORE = sorted((ROOT / "cifar_core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").glob("*.py"))
APP = [path for path in (ROOT / "app.py",) if path.exists()]
SOURCES = [*CORE, *PAGES, *APP]

HEAVY = frozenset({"tensorflow", "keras", "jax", "jaxlib", "flax", "torch"})
MAY_IMPORT_HEAVY = ("cifar_core.training", "cifar_core.networks")
MAY_IMPORT_STREAMLIT = ("cifar_core.ui", "pages", "app")

LAYERS: tuple[frozenset[str], ...] = (
    frozenset(
        {
            "cifar_core",
            "cifar_core.console",
            "cifar_core.errors",
            "cifar_core.settings",
            "cifar_core.files",
            "cifar_core.lock",
            "cifar_core.background",
            "cifar_core.jobs",
            "cifar_core.formats",
            "cifar_core.glossary",
        }
    ),
    frozenset({"cifar_core.networks"}),
    frozenset({"cifar_core.recipes", "cifar_core.named_recipes"}),
    frozenset({"cifar_core.dataset"}),
    frozenset({"cifar_core.evaluation", "cifar_core.inference", "cifar_core.charts"}),
    frozenset({"cifar_core.runs", "cifar_core.summaries"}),
    # Between the two: a report reads runs and draws their charts, and a service hands it out.
    frozenset({"cifar_core.report"}),
    # Reads what runs have answered and opens their networks; services ask it, runs never do.
    frozenset({"cifar_core.analysis"}),
    frozenset({"cifar_core.services"}),
    frozenset({"cifar_core.ui", "cifar_core.commands"}),
    frozenset({"pages"}),
    frozenset({"app"}),
)
"""Lowest first: a module imports from its own layer and from those below it."""

TRAINING_MAY_IMPORT = (
    "cifar_core.training",
    "cifar_core.recipes",
    "cifar_core.dataset",
    "cifar_core.networks",
    "cifar_core.evaluation",
    "cifar_core.inference",  # the exported network is measured with what serves it
    "cifar_core.runs.folder",
    "cifar_core.runs.journal",
    "cifar_core.runs.devices",
    "cifar_core.runs.forecast",
    "cifar_core.errors",
    "cifar_core.settings",
    "cifar_core.files",
)
WORKER = "cifar_core.runs.worker"
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


@functools.cache
def imports(path: Path) -> tuple[tuple[int, str], ...]:
    return tuple(imported(ast.walk(parsed(path)), path))


def layer(module: str) -> int:
    """Returns the height of a module; the longest name that fits decides."""
    fitting = [
        (len(name), height)
        for height, names in enumerate(LAYERS)
        for name in names
        if module == name or (module.startswith(f"{name}.") and name != "cifar_core")
    ]
    assert fitting, f"{module} has no place in LAYERS: give it one and say why"
    return max(fitting)[1]


def fresh(program: str, *, cwd: Path = ROOT, **environ: str) -> str:
    """Runs a program in a new interpreter at the root of the project, returns its output."""
    answer = subprocess.run(
        [sys.executable, "-B", "-c", program],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", **environ},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip().splitlines()[-1] if answer.stdout.strip() else ""


each_source = pytest.mark.parametrize(
    "path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES]
)


def test_there_is_a_core_to_judge() -> None:
    assert {"cifar_core", "cifar_core.errors", "cifar_core.networks"} <= known_modules()


# Who imports what


@each_source
def test_keras_and_tensorflow_are_imported_below_training_and_networks_only(path: Path) -> None:
    if is_below(module_name(path), *MAY_IMPORT_HEAVY):
        return
    found = [(line, name) for line, name in imports(path) if name.split(".")[0] in HEAVY]
    assert not found


@each_source
def test_streamlit_is_imported_by_the_screen_only(path: Path) -> None:
    if is_below(module_name(path), *MAY_IMPORT_STREAMLIT):
        return
    assert not [(line, name) for line, name in imports(path) if is_below(name, "streamlit")]


@each_source
def test_arrows_never_go_upwards(path: Path) -> None:
    module = module_name(path)
    if is_below(module, "cifar_core.training") or module in (WORKER, COMMAND_LINE):
        return  # they have laws of their own
    own = [(line, name) for line, name in imports(path) if name in known_modules()]
    upwards = [
        (line, name)
        for line, name in own
        if not is_below(name, "cifar_core.training") and layer(name) > layer(module)
    ]
    assert not upwards


@each_source
def test_the_worker_and_the_command_line_alone_import_training(path: Path) -> None:
    module = module_name(path)
    if is_below(module, "cifar_core.training") or module in (WORKER, COMMAND_LINE):
        return
    assert not [at for at in imports(path) if is_below(at[1], "cifar_core.training")]


@each_source
def test_training_imports_what_it_works_with_and_nothing_else(path: Path) -> None:
    if not is_below(module_name(path), "cifar_core.training"):
        return
    own = [(line, name) for line, name in imports(path) if is_below(name, "cifar_core")]
    assert not [
        at for at in own if at[1] != "cifar_core" and not is_below(at[1], *TRAINING_MAY_IMPORT)
    ]


@each_source
def test_nobody_imports_the_worker_it_is_started(path: Path) -> None:
    if module_name(path) == WORKER:
        return
    assert not [at for at in imports(path) if is_below(at[1], WORKER)]


@each_source
def test_the_command_line_and_the_worker_know_no_screen(path: Path) -> None:
    if not is_below(module_name(path), WORKER, COMMAND_LINE, "cifar_core.commands"):
        return
    assert not [at for at in imports(path) if is_below(at[1], "cifar_core.ui", "pages", "app")]


# What an import does


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


@pytest.mark.parametrize("path", [*APP, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_opening_a_page_loads_neither_keras_nor_tensorflow(path: Path, tmp_path: Path) -> None:
    program = (
        "import json, sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"page = AppTest.from_file({str(path)!r}, default_timeout=60).run()\n"
        "assert not page.exception, page.exception\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    loaded = set(json.loads(fresh(program, CIFAR_LAB_RUNS=str(tmp_path / "runs"))))
    assert "streamlit" in loaded
    assert not HEAVY & loaded


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


# What a module keeps

CHANGEABLE_CALLS = frozenset(
    {"list", "dict", "set", "bytearray", "defaultdict", "deque", "OrderedDict", "Counter"}
)
FIXED_ANNOTATIONS = frozenset(
    {"Final", "Mapping", "Sequence", "Collection", "Iterable", "Set", "tuple", "frozenset"}
)


def keeps_state(node: ast.stmt) -> bool:
    """Returns whether a statement of a module binds a name to a thing that can be changed."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return False
    names = node.targets if isinstance(node, ast.Assign) else [node.target]
    if [ast.unparse(name) for name in names] == ["__all__"]:
        return False
    if isinstance(node, ast.AnnAssign):
        annotation = ast.unparse(node.annotation).split("[")[0].split(".")[-1]
        if annotation in FIXED_ANNOTATIONS:
            return False
    value = node.value
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).split(".")[-1] in CHANGEABLE_CALLS
    return isinstance(
        value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp
    )


@pytest.mark.parametrize("path", CORE, ids=[str(path.relative_to(ROOT)) for path in CORE])
def test_a_module_keeps_no_state(path: Path) -> None:
    """Pages and app.py are scripts: Streamlit makes their names anew for every visitor."""
    found = [
        f"line {node.lineno}: {ast.unparse(node)[:60]}"
        for node in parsed(path).body
        if keeps_state(node)
    ]
    assert not found, "annotate a constant as Mapping, Sequence or tuple"


@each_source
def test_no_function_rebinds_a_name_of_its_module(path: Path) -> None:
    assert not [node.lineno for node in ast.walk(parsed(path)) if isinstance(node, ast.Global)]


@each_source
def test_no_cache_grows_without_bound(path: Path) -> None:
    """A cache without a limit is fine where there is but one answer to keep."""
    found = []
    for node in ast.walk(parsed(path)):
        if not isinstance(node, ast.FunctionDef) or not ast.unparse(node.args):
            continue
        decorators = [ast.unparse(decorator).split(".")[-1] for decorator in node.decorator_list]
        if {"cache", "lru_cache(maxsize=None)", "lru_cache(None)"} & set(decorators):
            found.append(f"line {node.lineno}: {node.name}")
    assert not found


# How long it is


@each_source
def test_a_file_is_short_enough_to_read(path: Path) -> None:
    limit = 120 if path in PAGES else 450
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit
