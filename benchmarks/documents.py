"""Tables that a command writes into a document, between two marks."""

from __future__ import annotations


def marks(name: str, by: str) -> tuple[str, str]:
    """Returns the lines between which a command writes a table of a name."""
    return f"<!-- {name}: written by {by} -->", f"<!-- end of {name} -->"


def fill(page: str, name: str, text: str, *, by: str) -> str:
    """Returns a page with everything between the two marks of a table replaced.

    Args:
        page: The document; it holds both :func:`marks`.
        name: Of the table.
        text: What stands between them from now on.
        by: The command that writes it.

    Raises:
        ValueError: A mark is missing.
    """
    first, last = marks(name, by)
    before, begin, rest = page.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"the page needs the lines {first!r} and {last!r}")
    return f"{before}{first}\n\n{text.strip()}\n\n{last}{after}"


def table(head: list[str], rows: list[list[str]], *, numbers: bool = True) -> str:
    """Returns a Markdown table whose columns behind the first hold numbers, or words.

    A cell may hold several columns, divided as Markdown divides them.
    """
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    columns = lines[0].count("|") - 1
    lines.insert(1, "|---" + ("|---:" if numbers else "|---") * (columns - 1) + "|")
    return "\n".join(lines)
