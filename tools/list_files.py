"""Writes the line per file in docs/architecture.md from the first lines of the modules.

``python tools/list_files.py`` writes; ``--check`` ends with status 1 if the page is out of date.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "architecture.md"
BEGIN = "<!-- files: written by tools/list_files.py -->\n"
END = "<!-- end of files -->\n"


def listing() -> str:
    """Returns a Markdown table of the product's modules and what each is for."""
    asked = ["git", "ls-files", "app.py", "pages/*.py", "cifar_core/*.py", "tools/*.py"]
    names = subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=True)
    lines = ["| File | What it is |", "|---|---|"]
    for name in names.stdout.split():
        text = ast.get_docstring(ast.parse((PROJECT / name).read_text(encoding="utf-8"))) or ""
        paragraph = " ".join(text.split("\n\n")[0].split())
        lines.append(f"| {name} | {paragraph} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Writes or checks the page and returns the exit status."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    wanted = head + BEGIN + listing() + END + tail
    if "--check" in sys.argv:
        return int(text != wanted)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
