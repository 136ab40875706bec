"""A place in a source where a defect may be planted, and the change that does it."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """A node in place of another.

    Attributes:
        kind: Which operator.
        new: The node.
        words: What changes, in short.
    """

    kind: str
    new: ast.AST
    words: str


@dataclass(frozen=True)
class Spot:
    """A node with those around it, the module first."""

    node: ast.AST
    above: tuple[ast.AST, ...]

    @property
    def parent(self) -> ast.AST:
        """Returns the node that this one is a part of."""
        return self.above[-1]

    @property
    def function(self) -> ast.AST:
        """Returns the innermost function, or the module."""
        functions = [one for one in self.above if isinstance(one, ast.FunctionDef)]
        return functions[-1] if functions else self.above[0]

    @property
    def statement(self) -> ast.stmt:
        """Returns the statement that the node is, or is a part of."""
        return next(one for one in (self.node, *self.above[::-1]) if isinstance(one, ast.stmt))

    @property
    def written(self) -> ast.AST:
        """Returns what is written anew: the node, or the f-string around it.

        Python 3.11 does not know where the parts of an f-string stand.
        """
        return next((one for one in self.above if isinstance(one, ast.JoinedStr)), self.node)

    @contextlib.contextmanager
    def replaced(self, new: ast.AST) -> Iterator[None]:
        """Puts a node in this one's place for a moment."""
        for name, value in ast.iter_fields(self.parent):
            if value is self.node:
                setattr(self.parent, name, new)
                yield
                setattr(self.parent, name, value)
                return
            if isinstance(value, list) and any(one is self.node for one in value):
                setattr(self.parent, name, [new if one is self.node else one for one in value])
                yield
                setattr(self.parent, name, value)
                return


def targets(statement: ast.AST) -> list[str]:
    """Returns the names that an assignment binds."""
    nodes = [*getattr(statement, "targets", []), getattr(statement, "target", None)]
    return [one.id for one in nodes if isinstance(one, ast.Name)]
