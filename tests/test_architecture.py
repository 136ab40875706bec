"""The laws of docs/architecture.md, read from the source or proved in a fresh interpreter.

One test a law, which lists every offence. Who imports whom stands in pyproject.toml and is held by
import-linter; a new module is under every law the day it comes.
"""

from __future__ import annotations

import ast
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.source import (
    APP,
    CORE,
    HEAVY,
    PAGES,
    ROOT,
    SOURCES,
    WORKER,
    fresh_lines,
    imported,
    is_below,
    listed,
    offences,
    parsed,
)

# Who imports what

PLANTED: Mapping[str, tuple[str, str]] = {
    "Imports go downwards": ("cifar_core/settings.py", "cifar_core.services"),
    "Nothing below imports a page": ("cifar_core/ui/kit/tables.py", "pages.compare"),
    "TensorFlow, Keras and JAX are imported below training and networks only": (
        "pages/results.py",
        "keras.layers",
    ),
    "Nobody imports other engines": ("cifar_core/training/train.py", "torch"),
    "Streamlit is imported by the screen only": ("cifar_core/services/__init__.py", "streamlit"),
    "The worker alone imports training": ("pages/train.py", "cifar_core.training.train"),
    "Nobody imports the worker: it is started": ("cifar_core/runs/manager.py", WORKER),
    "The command line knows no screen": ("cifar_core/commands/runs.py", "cifar_core.ui.kit.tables"),
    "The screen and the command line change the lab through services alone": (
        "pages/train.py",
        "cifar_core.runs.manager",
    ),
    "A page's folder imports the kit, never another page's": (
        "cifar_core/ui/results/panels.py",
        "cifar_core.ui.compare.table",
    ),
    "The kit knows no page": ("cifar_core/ui/kit/page.py", "cifar_core.ui.overview.tour"),
    "A training draws nothing and starts nothing": (
        "cifar_core/training/loop.py",
        "cifar_core.charts.curves",
    ),
}
"""By contract of pyproject.toml: a file and what it must not import."""


LINT = "from importlinter.cli import lint_imports; print(lint_imports(no_cache=True, no_logo=True))"
"""In a process of its own: it changes how this one logs."""


def test_every_contract_on_imports_is_kept() -> None:
    told = fresh_lines(LINT)
    assert told[-1] == "0", "\n".join(told)


def test_every_contract_on_imports_sees_an_import_against_it(tmp_path: Path) -> None:
    for name in ("cifar_core", "pages"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.npz"))
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for place, name in PLANTED.values():
        with (tmp_path / place).open("a") as file:
            file.write(f"\n\ndef planted() -> None:\n    import {name}\n")
    told = fresh_lines(LINT, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    broken = {line.split(" BROKEN")[0] for line in told if " BROKEN" in line}
    assert broken == {contract["name"] for contract in settings["importlinter"]["contracts"]}
    assert broken == set(PLANTED)


def test_app_imports_no_engine_no_training_and_no_worker() -> None:
    """app.py is a script beside the packages that import-linter reads."""
    found = [
        (line, name)
        for line, name in imported(ast.walk(parsed(APP)), APP)
        if name.split(".")[0] in HEAVY or is_below(name, "cifar_core.training", WORKER, "pages")
    ]
    assert not found, listed(found)


def test_no_import_is_hidden_in_a_call() -> None:
    """A fixed name given to import_module is one that import-linter cannot see."""
    found = []
    for path in SOURCES:
        calls = (node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call))
        hidden = (
            call
            for call in calls
            if ast.unparse(call.func).endswith(("import_module", "__import__"))
            and isinstance(call.args[0], ast.Constant)
        )
        found += offences(path, hidden)
    assert not found, listed(found)


_UI = "cifar_core/ui"
ONE_PLACE: Mapping[str, tuple[str, ...]] = {
    "plotly_chart": (f"{_UI}/kit/downloads.py",),
    "vega_lite_chart": (f"{_UI}/train/live_chart.py",),  # moves on without being drawn anew
    "page_link": (f"{_UI}/kit/page.py",),
    "pagination": (f"{_UI}/kit/images.py",),
    "b64encode": (
        *("cifar_core/report/document.py", "cifar_core/report/example_images.py"),
        *(f"{_UI}/kit/images.py", f"{_UI}/shell/gate.py"),
    ),
}
"""By what is called on Streamlit or a library: the only files that may do so."""


def test_what_the_kit_has_a_helper_for_is_called_nowhere_else() -> None:
    calls: dict[str, set[str]] = {name: set() for name in ONE_PLACE}
    for path in SOURCES:
        for node in ast.walk(parsed(path)):
            name = node.attr if isinstance(node, ast.Attribute) else ""
            if name in calls:
                calls[name].add(path.relative_to(ROOT).as_posix())
    assert calls == {name: set(places) for name, places in ONE_PLACE.items()}


def page_of(path: Path) -> str:
    """Returns the page whose fields a file draws; the kit's are those of every page."""
    if path.is_relative_to(ROOT / _UI):
        return path.relative_to(ROOT / _UI).parts[0]
    return {"picture": "dataset"}.get(path.stem, path.stem)


def test_no_two_pages_share_the_key_of_a_field() -> None:
    pages: dict[str, set[str]] = {}
    for path in [path for path in SOURCES if path.is_relative_to(ROOT / _UI)] + PAGES:
        for node in ast.walk(parsed(path)):
            for given in node.keywords if isinstance(node, ast.Call) else []:
                if given.arg == "key" and isinstance(given.value, ast.Constant):
                    pages.setdefault(str(given.value.value), set()).add(page_of(path))
    assert len(pages) > 100
    shared = {key: names for key, names in pages.items() if len(names) > 1}
    assert not shared, listed(shared.items())


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


def test_a_module_keeps_no_state() -> None:
    """Pages and app.py are scripts: Streamlit makes their names anew for every visitor."""
    found = []
    for path in CORE:
        found += offences(path, (node for node in parsed(path).body if keeps_state(node)))
    assert not found, f"annotate a constant as Mapping, Sequence or tuple{listed(found)}"


def test_no_function_rebinds_a_name_of_its_module() -> None:
    found = []
    for path in SOURCES:
        nodes = ast.walk(parsed(path))
        found += offences(path, (node for node in nodes if isinstance(node, ast.Global)))
    assert not found, listed(found)


def test_no_cache_grows_without_bound() -> None:
    """A cache without a limit is fine where there is but one answer to keep."""
    found = []
    for path in SOURCES:
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.FunctionDef) or not ast.unparse(node.args):
                continue
            decorators = [ast.unparse(one).split(".")[-1] for one in node.decorator_list]
            if {"cache", "lru_cache(maxsize=None)", "lru_cache(None)"} & set(decorators):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}")
    assert not found, listed(found)
