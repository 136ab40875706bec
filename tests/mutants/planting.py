"""Finds every one-line defect that could be planted in a module, and draws a sample of them.

Why an own planter (tried: mutmut 3.8.1, cosmic-ray 8.7.0): mutmut wraps functions in trampolines
named after their module, so it never changes module level (page scripts, constants), and a page
that AppTest executes as ``__main__`` has "no tests"; cosmic-ray rewrites the user's own tree,
runs one command for every mutant and knows no coverage. Neither exchanges the split, the
attribute or the keyword, which is how figures go wrong.

A change is made on the tree of the source, but written by position: all else stays as it is.
"""

from __future__ import annotations

import ast
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.mutants import defects
from tests.mutants.project import COSMETIC, Project
from tests.mutants.spots import Change, Spot, targets

_CONSTANTS = (
    "PIXELS",
    "HEIGHT",
    "WIDTH",
    "SIDE",
    "ICON",
    "SIGN",
    "GAP",
    "TTL",
    "CELL",
    "TICK",
)
_DEFINING = "cifar_core/evaluation/"
"""Where a number by itself is a definition or was published, and other libraries hold it up."""

_SKIPPED = (ast.Raise, ast.Assert, ast.Import, ast.ImportFrom, ast.Global, ast.Pass)


@dataclass(frozen=True)
class Mutant:
    """One planted defect.

    Attributes:
        path: The file, from the root of the project.
        lines: First and last line of what is changed.
        statement: First and last line of the statement around it, of its head if it has a body.
        kind: Which operator of :mod:`tests.mutants.defects`.
        span: Bytes of the source that are replaced.
        text: What replaces them.
        words: The change in short.
        names: By which what an import runs is used later; empty within a function.
        tests: Files of tests that must see it; empty where those that cover the lines must.
    """

    path: str
    lines: tuple[int, int]
    statement: tuple[int, int]
    kind: str
    span: tuple[int, int]
    text: str
    words: str
    names: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names the mutant, no two of one source alike."""
        return f"{self.path}@{self.span[0]} {self.kind}: {self.words}"

    @property
    def title(self) -> str:
        """Names the mutant for a person."""
        return f"{self.path}:{self.lines[0]} {self.kind}: {self.words}"

    def apply(self, source: bytes) -> bytes:
        """Returns the source with the defect."""
        return source[: self.span[0]] + self.text.encode() + source[self.span[1] :]


def draw(sources: Mapping[str, bytes], project: Project, sample: int, seed: int) -> list[Mutant]:
    """Returns one mutant of each of some statements: the same for the same seed.

    Args:
        sources: The modules by their paths.
        project: What is known of all modules.
        sample: How many statements; fewer where there are not so many.
        seed: Of the choice.
    """
    chance = random.Random(seed)
    groups = [(path, spots) for path in sorted(sources) for spots in statements(sources[path])]
    chance.shuffle(groups)
    drawn: list[Mutant] = []
    for path, spots in groups:
        if len(drawn) == sample:
            break
        drawn += itertools.islice(plant(path, sources[path], spots, project, chance), 1)
    return drawn


def statements(source: bytes) -> list[list[Spot]]:
    """Returns what can be planted in, a list for each statement."""
    tree = ast.parse(source)
    found: dict[int, list[Spot]] = {}
    for spot in _spots(tree, (tree,)):
        found.setdefault(spot.statement.lineno, []).append(spot)
    return list(found.values())


def plant(
    path: str,
    source: bytes,
    spots: Sequence[Spot],
    project: Project,
    chance: random.Random,
) -> Iterator[Mutant]:
    """Returns the defects of a statement in a random order, each kind as likely as any other."""
    if _is_tuned(spots[0].parent, spots[0].node) and not path.startswith(_DEFINING):
        return
    kinds: dict[str, list[tuple[Spot, Change]]] = {}
    for spot in spots:
        for change in defects.of(spot, project):
            kinds.setdefault(change.kind, []).append((spot, change))
    while kinds:
        kind = chance.choice(sorted(kinds))
        mutant = _mutant(path, source, *kinds[kind].pop(chance.randrange(len(kinds[kind]))))
        kinds = {name: rest for name, rest in kinds.items() if rest}
        if mutant is not None:
            yield mutant


def _spots(node: ast.AST, above: tuple[ast.AST, ...]) -> Iterator[Spot]:
    """Walks through everything that may be changed, each with the nodes around it."""
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or _is_left_alone(node, field, child):
                continue
            yield Spot(child, above)
            yield from _spots(child, (*above, child))


def _is_left_alone(parent: ast.AST, field: str, child: ast.AST) -> bool:
    """Whether a part of the source is none to plant in: types, prose, looks."""
    if isinstance(child, _SKIPPED) or field in ("annotation", "returns", "decorator_list", "bases"):
        return True
    match parent, child:
        case _, ast.Expr(value=ast.Constant()):
            return True
        case _, ast.keyword(arg=str(name)) if name in COSMETIC:
            return True
        case ast.Call(func=ast.Attribute(attr="columns" | "space")), _:
            return True
        case _, ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case _, ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name in ("logging", "logger", "log", "LOG")
        case ast.Subscript(value=ast.Name(id=name) | ast.Attribute(attr=name)), _:
            return field == "slice" and name[:1].isupper() and not name.isupper()
        case ast.Dict(keys=keys, values=values), _ if field == "values":
            own = keys[[value is child for value in values].index(True)]
            return isinstance(own, ast.Constant) and own.value in COSMETIC
        case ast.arguments(), _ if field in ("defaults", "kw_defaults"):
            return _argument_of(parent, child) in COSMETIC
    names = targets(child)
    return any(part in name for name in names if name.isupper() for part in _CONSTANTS) or (
        "__all__" in names
    )


def _is_tuned(parent: ast.AST, child: ast.AST) -> bool:
    """Whether a number stands by itself under a name, such as a limit or a delay.

    A test that repeats it proves nothing. What is made of it is planted in, and so are tables.
    """
    value = getattr(child, "value", None)
    is_named = isinstance(parent, ast.Module) and isinstance(child, ast.Assign | ast.AnnAssign)
    return is_named and isinstance(value, ast.Constant) and type(value.value) in (int, float)


def _argument_of(arguments: ast.arguments, default: ast.AST) -> str:
    """Returns the name of the parameter that a default belongs to."""
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(positional), reversed(arguments.defaults), strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return next(own.arg for own, value in pairs if value is default)


def _mutant(path: str, source: bytes, spot: Spot, change: Change) -> Mutant | None:
    """Writes a change as a replacement of bytes; None where it cannot be written or compiled."""
    text = _written(spot, change.new)
    outer = spot.written
    if text is None or not isinstance(outer, ast.expr | ast.stmt):
        return None
    starts = [0, *itertools.accumulate(map(len, source.splitlines(keepends=True)))]
    first, last = outer.lineno, outer.end_lineno or outer.lineno
    span = (starts[first - 1] + outer.col_offset, starts[last - 1] + (outer.end_col_offset or 0))
    statement = spot.statement
    body = getattr(statement, "body", None)
    end = max(body[0].lineno - 1, statement.lineno) if body else statement.end_lineno
    mutant = Mutant(
        path,
        (first, last),
        (statement.lineno, end or last),
        kind=change.kind,
        span=span,
        text=text,
        words=change.words,
        names=_bound(spot),
    )
    planted = mutant.apply(source)
    try:
        compile(planted, path, "exec")
    except (SyntaxError, ValueError):
        return None
    is_changed = ast.dump(ast.parse(planted)) != ast.dump(ast.parse(source))
    return mutant if is_changed else None


def _written(spot: Spot, new: ast.AST) -> str | None:
    """Returns the new text, in brackets where an operator could bind otherwise."""
    try:
        if spot.written is spot.node:
            needs = isinstance(new, ast.BinOp | ast.BoolOp | ast.Compare | ast.UnaryOp | ast.IfExp)
            return f"({ast.unparse(new)})" if needs else ast.unparse(new)
        with spot.replaced(new):
            return ast.unparse(spot.written)
    except ValueError:  # quotes within quotes that Python 3.11 cannot write
        return None


def _bound(spot: Spot) -> tuple[str, ...]:
    """Returns the names by which what an import runs is used later; none within a function."""
    statement = spot.statement
    around = [*spot.above, statement]
    functions = [one for one in around if isinstance(one, ast.FunctionDef)]
    if functions and statement is not functions[0]:
        return ()
    names = [one.name for one in around if isinstance(one, ast.FunctionDef | ast.ClassDef)]
    return (*names, *targets(statement))
