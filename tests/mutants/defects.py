"""The kinds of defects that are planted: each takes a node and yields what could stand there."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.mutants.project import COSMETIC, Project
from tests.mutants.spots import Change, Spot

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE), ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
_CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
_OPPOSITES = (
    "train test", "validation test", "pca tsne", "squash crop", "x y", "row column", "right wrong",
    "true predicted", "low high", "min max", "argmin argmax", "any all", "confidence accuracy",
    "precision recall", "top5 accuracy", "first last", "left right", "mean sum",
)  # fmt: skip
SWAPPED = {
    one: other
    for pair in map(str.split, _OPPOSITES)
    for one, other in (pair, pair[::-1])
    if (one, other) not in {("test", "validation"), ("right", "left")}
}
"""What is mistaken for what, in names, keys and keywords."""

_EMPTY = {"list": "[]", "dict": "{}", "str": "''", "tuple": "()", "bytes": "b''", "int": "0",
          "set": "set()", "float": "0.0", "Sequence": "()", "Mapping": "{}"}  # fmt: skip
_SYMMETRIC = ("max", "min", "accuracy", "hypot")
"""Functions of which two arguments may be swapped."""

_KEY = re.compile(r"[a-z][\w.%-]*|%\.\d+f%*|%")
_AXIS = re.compile(r"%\{([xy])")


def of(spot: Spot, project: Project) -> Iterator[Change]:
    """Returns everything that could go wrong at a node."""
    for operator in _OPERATORS:
        for kind, new, words in operator(spot.node, spot, project):
            yield Change(kind, new, words)


Found = Iterator[tuple[str, ast.AST, str]]


def _with(node: ast.AST, **fields: Any) -> Any:
    """Returns a node with other fields."""
    made = copy.copy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else text[:59] + "…"


def _operators(node: ast.AST, _: Spot, __: Project) -> Found:
    match node:
        case ast.Compare(ops=[operator]):
            for other in _COMPARED[type(operator)]:
                new = _with(node, ops=[other()])
                yield "comparison", new, f"{_short(node)} → {_short(new)}"
        case ast.BinOp(op=operator, left=left, right=right) if type(operator) in _CALCULATED:
            texts = (ast.JoinedStr, ast.Dict, ast.List, ast.Tuple)
            is_text = [isinstance(side, texts) or _is_str(side) for side in (left, right)]
            if not any(is_text):
                new = _with(node, op=_CALCULATED[type(operator)]())
                yield "arithmetic", new, f"{_short(node)} → {_short(new)}"
        case ast.BoolOp(op=operator):
            new = _with(node, op=ast.Or() if isinstance(operator, ast.And) else ast.And())
            yield "boolean", new, f"{_short(node)} → {_short(new)}"
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield "boolean", operand, f"{_short(node)} → {_short(operand)}"


def _conditions(node: ast.AST, spot: Spot, _: Project) -> Found:
    is_tested = getattr(spot.parent, "test", None) is node
    is_tested = is_tested or any(one is node for one in getattr(spot.parent, "ifs", []))
    if is_tested and isinstance(node, ast.expr) and not isinstance(node, ast.Compare | ast.UnaryOp):
        yield "boolean", ast.UnaryOp(ast.Not(), node), f"{_short(node)} → not"


def _constants(node: ast.AST, spot: Spot, _: Project) -> Found:
    match node:
        case ast.Constant(value=bool(value)):
            yield "constant", ast.Constant(not value), f"{value} → {not value}"
        case ast.Constant(value=int(value) | float(value)):
            for other in (round(value + 1, 6), round(value - 1, 6)):
                new = (
                    ast.Constant(other) if other >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(1))
                )
                yield "constant", new, f"{value} → {other}"
        case ast.FormattedValue(format_spec=ast.JoinedStr(values=[ast.Constant(value=str(text))])):
            spec = re.sub(r"\d", lambda digit: str(abs(int(digit[0]) - 1)), text)
            if spec != text:
                new = _with(node, format_spec=ast.JoinedStr([ast.Constant(spec)]))
                yield "format", new, f"{text} → {spec}"
        case ast.Constant(value=str(text)):
            yield from _texts(text, spot)


def _texts(text: str, spot: Spot) -> Found:
    """A key for its sibling, or nothing in its place; prose stays."""
    other = ""
    if _AXIS.search(text):
        other = _AXIS.sub(lambda axis: "%{" + SWAPPED[axis[1]], text)
    elif isinstance(spot.parent, ast.JoinedStr) or any(
        isinstance(one, ast.Call)
        and _called(one) in ("Kept", "Path", "join", "replace", "reset_index")
        for one in spot.above[-1:]
    ):
        return
    elif isinstance(spot.parent, ast.Dict | ast.Subscript | ast.Compare):
        if len(text.split()) > 3 or not text:
            return
        other = SWAPPED.get(text, "")
    elif _KEY.fullmatch(text):
        other = SWAPPED.get(text, "")
    if other or _KEY.fullmatch(text) or isinstance(spot.parent, ast.Dict | ast.Subscript):
        yield "constant", ast.Constant(other), f"{text!r} → {other!r}"


def _calls(node: ast.AST, spot: Spot, project: Project) -> Found:
    if not isinstance(node, ast.Call):
        return
    name = _called(node)
    if len(node.args) >= 2:
        first, second, *rest = node.args
        are_words = any(isinstance(one, ast.Starred) for one in (first, second)) or all(
            _is_str(one) for one in (first, second)
        )
        if ast.dump(first) != ast.dump(second) and not are_words and name not in _SYMMETRIC:
            new = _with(node, args=[second, first, *rest])
            yield "arguments", new, f"{name}({_short(first)}, {_short(second)} swapped)"
    needed = project.required.get(name, set())
    for at, own in enumerate(node.keywords):
        others = node.keywords[:at] + node.keywords[at + 1 :]
        if own.arg is not None and own.arg not in needed | COSMETIC:
            yield "keyword", _with(node, keywords=others), f"{name} without {_short(own)}"
        twin = [one for one in others if own.arg and one.arg == SWAPPED.get(own.arg)]
        if twin:
            pair = [ast.keyword(own.arg, twin[0].value), ast.keyword(twin[0].arg, own.value)]
            same = [one for one in others if one is not twin[0]]
            words = f"{name}: {own.arg} and {twin[0].arg} swapped"
            yield "arguments", _with(node, keywords=[*pair, *same]), words
    if name == "sorted":
        keys = [one for one in node.keywords if one.arg != "reverse"]
        if len(keys) == len(node.keywords):
            keys = [*keys, ast.keyword("reverse", ast.Constant(True))]
        yield "order", _with(node, keywords=keys), f"{_short(node)} in the other order"
    if isinstance(node.func, ast.Name) and name in ("min", "max", "any", "all"):
        new = _with(node, func=ast.Name(SWAPPED[name], ast.Load()))
        yield "name", new, f"{name} → {SWAPPED[name]}"


def _names(node: ast.AST, spot: Spot, project: Project) -> Found:
    """Another name of the same scope and the same kind, another field of the same type."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            for other in sorted(_same_kind(name, spot.function)):
                yield "name", ast.Name(other, ast.Load()), f"{name} → {other}"
        case ast.Attribute(value=ast.Name(id="colours")):
            return  # of the theme: a look, no figure
        case ast.Attribute(value=value, attr=name, ctx=ast.Load()):
            whose = ast.dump(value)
            used = {
                one.attr
                for one in ast.walk(spot.function)
                if isinstance(one, ast.Attribute) and ast.dump(one.value) == whose
            }
            others = project.siblings(name, used)
            others += [SWAPPED[name]] if name.startswith("arg") and name in SWAPPED else []
            for other in others:
                yield "name", _with(node, attr=other), f"{_short(node)} → {other}"


def _same_kind(name: str, function: ast.AST) -> set[str]:
    """Returns parameters with the same annotation, and names bound in the same tuple."""
    found: set[str] = set()
    for one in ast.walk(function):
        if isinstance(one, ast.arguments):
            given = [*one.args, *one.kwonlyargs]
            kinds = {own.arg: ast.unparse(own.annotation) for own in given if own.annotation}
            if name in kinds and one is getattr(function, "args", None):
                found |= {own for own, kind in kinds.items() if kind == kinds[name]}
        elif isinstance(one, ast.Tuple) and isinstance(one.ctx, ast.Store):
            names = [part.id for part in one.elts if isinstance(part, ast.Name)]
            if name in names:
                found |= {own for own in names if own != "_"}
    return found - {name}


def _parts(node: ast.AST, spot: Spot, _: Project) -> Found:
    """Bounds of slices, elements of lists, what a function returns, calls as statements."""
    match node:
        case ast.Slice():
            for kept in ({"lower": None}, {"upper": None}):
                new = _with(node, **kept)
                if ast.dump(new) != ast.dump(node):
                    yield "slice", new, f"[{_short(node)}] → [{_short(new)}]"
        case ast.List(elts=[*_, __, last], ctx=ast.Load()) | ast.Set(elts=[*_, __, last]):
            yield "element", _with(node, elts=node.elts[:-1]), f"without {_short(last)}"
        case ast.Dict(keys=[*_, __, ast.Constant() as key]) if key.value not in COSMETIC:
            new = _with(node, keys=node.keys[:-1], values=node.values[:-1])
            yield "element", new, f"without {_short(key)}"
        case ast.Return(value=ast.expr() as value):
            empty = _empty_like(spot.function, value)
            if empty is not None and ast.dump(empty) != ast.dump(value):
                yield "return", _with(node, value=empty), f"return {_short(empty)}"
        case ast.Expr(value=ast.Call() as call) if not _is_prose(call):
            yield "statement", ast.Pass(), f"without {_short(node)}"
        case ast.AugAssign():
            yield "statement", ast.Pass(), f"without {_short(node)}"


def _empty_like(function: ast.AST, value: ast.expr) -> ast.expr | None:
    returns = getattr(function, "returns", None)
    kind = ast.unparse(returns) if returns else ""
    if kind.endswith("DataFrame"):
        return ast.Call(ast.Attribute(value, "head", ast.Load()), [ast.Constant(0)], [])
    if kind == "bool":
        return ast.UnaryOp(ast.Not(), value)
    text = "None" if kind.endswith("| None") else _EMPTY.get(kind.split("[")[0])
    return ast.parse(text, mode="eval").body if text else None


def _is_prose(call: ast.Call) -> bool:
    """Whether a statement only shows words, a line or room, or dresses a chart."""
    is_words = bool(call.args) and all(map(_is_str, call.args))
    if _called(call) in ("update_layout", "update_xaxes", "update_yaxes") and call.keywords:
        return all(own.arg in COSMETIC for own in call.keywords)
    return is_words or _called(call) in ("space", "divider", "wait_until_whole", "sleep", "mallopt")


def _is_str(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _called(call: ast.Call) -> str:
    """Returns the last name of what is called."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


_OPERATORS: tuple[Callable[[ast.AST, Spot, Project], Found], ...] = (
    _operators, _conditions, _constants, _calls, _names, _parts,
)  # fmt: skip
