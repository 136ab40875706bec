from __future__ import annotations

import pytest

from cifar_core.settings import PROJECT_DIR
from tests.mutants.named import NAMED, Named, locate


def test_each_known_defect_fits_the_source_of_today_and_compiles() -> None:
    for named in NAMED:
        source = (PROJECT_DIR / named.path).read_bytes()
        changed = locate(named, source).apply(source)
        assert changed == source.replace(named.old.encode(), named.new.encode()) != source
        if named.path.endswith(".py"):
            compile(changed, named.path, "exec")


def test_each_known_defect_has_its_own_name_and_tests_that_exist() -> None:
    assert len({named.key for named in NAMED}) == len(NAMED)
    assert all((PROJECT_DIR / test).exists() for named in NAMED for test in named.tests)


@pytest.mark.parametrize("source", [b"", b"a = 1\na = 1\n"])
def test_a_known_defect_that_fits_no_longer_says_so(source: bytes) -> None:
    with pytest.raises(ValueError, match="“old”"):
        locate(Named("old", "nothing", "a.py", "a = 1", "a = 2"), source)
