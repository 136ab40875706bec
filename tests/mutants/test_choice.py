"""Where defects are planted, and how a folder's share is counted."""

from __future__ import annotations

from pathlib import PurePath

from cifar_core.settings import PROJECT_DIR
from tests.mutants import __main__ as tool
from tests.mutants import planting, project
from tests.mutants.trial import Verdict


def test_every_folder_with_modules_is_planted_in_at_any_depth() -> None:
    planted = {str(PurePath(name).parent) for name in tool.sources()}
    there = {
        path.parent.relative_to(PROJECT_DIR).as_posix()
        for folder in tool.FOLDERS
        for path in (PROJECT_DIR / folder).glob("**/*.py")
    }
    assert planted == there
    assert {"pages", "cifar_core/ui/kit", "cifar_core/ui/train"} <= planted
    assert all(name.startswith("cifar_core/ui/kit/") for name in tool.sources("cifar_core/ui/kit/"))


def test_the_table_counts_what_lies_deeper_in_its_folder() -> None:
    source, known = b"def f():\n    return 5 + 3\n", project.read([])
    paths = ["cifar_core/ui/kit/a.py", "cifar_core/ui/train/b.py", "pages/c.py"]
    drawn = planting.draw(dict.fromkeys(paths, source), known, 9, 1)
    found = {
        mutant: Verdict(mutant.path.endswith("a.py"), by="a test", tests=1, seconds=1.0)
        for mutant in drawn
    }
    rows = [row.strip("| ").split(" | ") for row in tool.table(found).splitlines()[2:]]
    assert len(drawn) == 3
    assert rows == [
        ["cifar_core/ui", "2", "1", "1", "50%"],
        ["pages", "1", "0", "1", "0%"],
        ["all", "3", "1", "2", "33%"],
    ]
