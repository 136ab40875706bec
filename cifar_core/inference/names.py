"""Labels made from the names strangers give their files; never used as paths."""

from __future__ import annotations

import unicodedata

MAX_NAME_CHARACTERS = 80
"""Longer names are cut in the middle, so that the ending stays readable."""

UNNAMED = "unnamed file"


def safe_name(name: str) -> str:
    """Returns a file's name as one short line of visible text.

    Control, format (right-to-left marks, zero-width), surrogate and unassigned characters go,
    and so do empty, ``.`` and ``..`` parts. The result is plain text: whoever shows it as HTML
    or Markdown escapes it there.

    Args:
        name: The name as it came, of any length.

    Returns:
        At most :data:`MAX_NAME_CHARACTERS` characters; ``unnamed file`` where nothing is left.
    """
    ends = name if len(name) <= 4096 else name[:2048] + name[-2048:]
    composed = unicodedata.normalize("NFC", ends)  # macOS writes "ä" as "a" and two dots
    spaced = "".join(" " if c.isspace() else c for c in composed.replace("\\", "/"))
    visible = "".join(c for c in spaced if not unicodedata.category(c).startswith("C"))
    parts = (part.strip() for part in visible.split("/"))
    label = " ".join("/".join(p for p in parts if p not in ("", ".", "..")).split())
    if len(label) > MAX_NAME_CHARACTERS:
        tail = MAX_NAME_CHARACTERS // 2
        label = f"{label[: MAX_NAME_CHARACTERS - tail - 1]}…{label[-tail:]}"
    return label or UNNAMED
