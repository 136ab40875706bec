"""What the planter knows of the project: fields of classes, parameters that must be given."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

COSMETIC = frozenset(
    """
    align alt anchor automargin bargap border cliponaxis color colorscale columns compress_level
    config cornerradius dark dash dragmode durable encoding exist_ok expected fixedrange font gap
    height help hide_index horizontal horizontal_alignment hoverinfo hoverlabel icon indent key
    label_visibility last_bytes layer lineterminator margin margin_b margin_l margin_r margin_t
    max_entries max_visible_pages method mime missing_ok on_click opacity pad padding parents
    placeholder quality quote quoting remedy required row_height show_spinner showarrow showgrid
    showlegend strict template textposition theme thickness threads tickangle tickfont type
    vertical_alignment width wrap xanchor xgap yanchor ygap zeroline
    """.split()  # noqa: SIM905
)
"""Keywords and keys that change no figure: looks, help, sizes of caches and logs, an error's words.

``strict`` is of ``zip``: it asserts what always holds.
"""


@dataclass
class Project:
    """Names of all modules.

    Attributes:
        classes: The fields of each class with their types; of an enumeration, "member".
        members: All names of each class, methods too.
        required: What a call of a name cannot leave out.
    """

    classes: list[dict[str, str]] = field(default_factory=list)
    members: list[set[str]] = field(default_factory=list)
    required: dict[str, set[str]] = field(default_factory=dict)

    def siblings(self, name: str, used: Iterable[str]) -> list[str]:
        """Returns fields of the same type, of a class that has everything that is used."""
        wanted = set(used)
        return sorted(
            {
                other
                for fields, members in zip(self.classes, self.members, strict=True)
                if name in fields and wanted <= members
                for other, kind in fields.items()
                if other != name and kind == fields[name]
            }
        )


def read(sources: Iterable[bytes]) -> Project:
    """Reads the modules."""
    project = Project()
    for source in sources:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
                needed = {own.arg for own, default in pairs if default is None}
                project.required.setdefault(node.name, set()).update(needed)
            elif isinstance(node, ast.ClassDef):
                _read_class(project, node)
    return project


def _read_class(project: Project, node: ast.ClassDef) -> None:
    fields: dict[str, str] = {}
    for row in node.body:
        if isinstance(row, ast.AnnAssign) and isinstance(row.target, ast.Name):
            fields[row.target.id] = ast.unparse(row.annotation)
            if row.value is None:
                project.required.setdefault(node.name, set()).add(row.target.id)
        elif isinstance(row, ast.Assign) and any("Enum" in ast.dump(base) for base in node.bases):
            fields[ast.unparse(row.targets[0])] = "member"
    methods = {row.name for row in node.body if isinstance(row, ast.FunctionDef)}
    project.classes.append(fields)
    project.members.append(methods | set(fields))
