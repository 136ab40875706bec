"""The form of the code as CONTRIBUTING states it, and what no test does; one test a law.

An entry in a table of exceptions that is one no longer fails too, so the tables only shrink.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.source import PAGES, ROOT, SOURCES, imported, listed, offences, parsed

TESTS = sorted((ROOT / "tests").rglob("*.py"))
BENCHMARKS = sorted((ROOT / "benchmarks").rglob("*.py"))
TOOLS = sorted((ROOT / "tools").glob("*.py"))
EVERYTHING = [*SOURCES, *TESTS, *BENCHMARKS, *TOOLS]

PAGE_LINES, FILE_LINES, FUNCTION_LINES = 100, 300, 40

LONG: Mapping[str, tuple[str, ...]] = {
    "waits for the restructure of core and pages": (
        "cifar_core/charts/bars.py:epoch_time_bars",
        "cifar_core/charts/curves.py:_curves",
        "cifar_core/charts/examples.py:course_heatmap",
        "cifar_core/charts/places.py:places_map",
        "cifar_core/charts/theme.py:style",
        "cifar_core/inference/novelty.py",
        "cifar_core/inference/upload.py:read_picture",
        "cifar_core/runs/folder.py",
        "cifar_core/training/finish.py:finish",
        "cifar_core/training/train.py:train",
        "cifar_core/ui/dataset/augmentation.py:augmentation_section",
        "cifar_core/ui/dataset/image_gallery.py:gallery_section",
        "cifar_core/ui/classify/feedback.py:_mine",
        "cifar_core/ui/classify/feedback.py:feedback_section",
        "cifar_core/ui/train/live_chart.py:specification",
        "cifar_core/ui/train/run_details.py:_pictures",
        "cifar_core/ui/compare/runs_picker.py:_table",
        "cifar_core/ui/networks/worked_numbers.py:convolution_html",
        "cifar_core/ui/networks/worked_section.py:_choose_place",
        "pages/classify.py:classify_page",
    ),
    "a row of a table, column by column": ("cifar_core/ui/compare/table.py:_run_row",),
    "the tests of a page are split with the page": (
        "tests/networks/test_description.py",
        "tests/pages/test_classify.py",
        "tests/pages/test_compare.py",
        "tests/pages/test_dataset.py",
        "tests/pages/test_networks.py",
        "tests/pages/test_results.py",
        "tests/pages/test_saving.py",
        "tests/report/test_document.py",
    ),
    "one path, told in its order": (
        "tests/browser/test_path.py:test_from_the_first_look_to_an_answer",
        "benchmarks/load.py:visit_together",
        "benchmarks/photographs.py:main",
        "benchmarks/photographs.py:measure_novelty",
    ),
    "a contender is one closure, so that nothing else is timed": (
        "benchmarks/contenders/lab.py:prepare",
        "benchmarks/contenders/overhead.py:measure",
        "benchmarks/contenders/overhead.py:prepare",
        "benchmarks/contenders/tutorial.py:prepare",
    ),
}
"""What is longer, by reason: pages, files and ``file:function``."""


def place_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def excepted() -> set[str]:
    return {place for places in LONG.values() for place in places}


def is_function(place: str) -> bool:
    return ":" in place


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Returns how many lines a function has from its ``def`` to its end, its docstring apart."""
    assert function.end_lineno is not None
    count = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is None or first.end_lineno is None:
        return count
    return count - (first.end_lineno - first.lineno + 1)


def test_a_page_has_100_lines_and_a_file_300() -> None:
    longer = set()
    for path in EVERYTHING:
        count = len(path.read_text(encoding="utf-8").splitlines())
        if count > (PAGE_LINES if path in PAGES else FILE_LINES):
            longer.add(place_of(path))
    allowed = {place for place in excepted() if not is_function(place)}
    assert longer == allowed, listed(longer ^ allowed)


def test_a_function_has_40_lines_beside_its_docstring() -> None:
    longer = {
        f"{place_of(path)}:{function.name}"
        for path in EVERYTHING
        for function in functions(path)
        if lines_of(function) > FUNCTION_LINES
    }
    allowed = {place for place in excepted() if is_function(place)}
    assert longer == allowed, listed(longer ^ allowed)


def calls(path: Path, *names: str) -> Iterator[ast.Call]:
    """Yields the calls of functions and methods with one of these last names."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in names:
            yield node


def test_nothing_waits_for_a_time_in_a_browser() -> None:
    """A test waits for a condition; a pause is too short on a busy machine and too long else."""
    found = []
    for path in (*TESTS, *BENCHMARKS):
        found += offences(path, calls(path, "wait_for_timeout"))
    assert not found, listed(found)


def test_no_opened_page_has_streamlits_limit_of_three_seconds() -> None:
    """A busy neighbour makes a page slow: AppTest is always given a limit of its own."""
    found = []
    for path in (*TESTS, *BENCHMARKS):
        openings = calls(path, "from_file", "from_function", "from_string")
        found += offences(
            path,
            (
                call
                for call in openings
                if ast.unparse(call.func).startswith("AppTest.")
                and "default_timeout" not in {keyword.arg for keyword in call.keywords}
            ),
        )
    assert not found, listed(found)


def test_benchmarks_import_no_tests_and_tests_import_benchmarks_only_to_test_them() -> None:
    found = []
    for path in (*TESTS, *BENCHMARKS, *TOOLS):
        if (ROOT / "tests" / "benchmarks") in path.parents:
            continue
        forbidden = {"tests", "benchmarks"} - {path.relative_to(ROOT).parts[0]}
        names = imported(ast.walk(parsed(path)), path)
        found += [
            f"{place_of(path)}:{line}: {name}"
            for line, name in names
            if name.split(".")[0] in forbidden
        ]
    assert not found, listed(found)
