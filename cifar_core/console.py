"""What the command line reads and writes: pictures, results, and what happens meanwhile.

Results go to standard output, all else to standard error. Either may be closed, on a full disk
or read by nobody, and names may hold what no encoding can or what steers a terminal: a failure
to write ends in a sentence at most, and such characters are spelt out.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import stat
import sys
from pathlib import Path
from typing import Any, TextIO

from cifar_core import files
from cifar_core.errors import LabError, PictureError
from cifar_core.settings import MAX_UPLOAD_BYTES

UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but tabs and line ends, and halves of surrogate pairs."""


class OutputError(Exception):
    """Standard output takes nothing any more: a full disk, or a reader that has gone."""


def prepare() -> None:
    """Lets standard output spell out what it cannot encode: dashes, where only ASCII goes."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def show(text: str, *, end: str = "\n") -> None:
    """Writes a result on standard output.

    Raises:
        OutputError: It takes nothing any more.
    """
    _wipe_progress()
    try:
        _write(sys.stdout, _spelt(text) + end)
    except OSError as error:
        raise OutputError(error.strerror or error) from error


def show_json(value: Any) -> None:
    """Writes a result as JSON, in ASCII."""
    show(json.dumps(value, indent=1))


def tell(text: str, *, same_line: bool = False) -> None:
    """Says what happens, on standard error.

    Args:
        text: What happens.
        same_line: It is progress: on a terminal the next words take its place.
    """
    _wipe_progress()
    with contextlib.suppress(OSError):  # nobody left to tell
        _write(sys.stderr, _spelt(text) + ("" if same_line and _is_terminal() else "\n"))


def drop_output() -> None:
    """Sends what could not be written to nowhere, or Python would try again at its end."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def answers(error: LabError) -> dict[str, str]:
    """Returns the answers a foreseen failure gives, by name; those it does not give left out."""
    given = {"what": error.what, "expected": error.expected, "remedy": error.remedy}
    return {key: text for key, text in given.items() if text}


def sentence(error: LabError) -> str:
    """Returns the answers of a foreseen failure on one line."""
    return " ".join(answers(error).values())


def read_file(path: Path) -> bytes:
    """Returns the bytes of a regular file; nothing else is opened: a pipe could block for ever.

    Args:
        path: Its full path, for the sentence that refuses it.

    Returns:
        At most one byte more than an upload may have.

    Raises:
        PictureError: It is none, too large, or cannot be read.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise PictureError(
                f"“{path}” is no file: it is a folder, a pipe or a device.",
                expected="A picture file.",
                remedy="Name the files one by one, such as pictures/*.jpg.",
            )
        if facts.st_size > MAX_UPLOAD_BYTES:
            raise PictureError(
                f"“{path}” has {facts.st_size / 2**20:,.1f} MB.",
                expected=f"At most {MAX_UPLOAD_BYTES / 2**20:.0f} MB are accepted.",
                remedy="Save it smaller or with more compression, then try again.",
            )
        with path.open("rb") as file:
            return file.read(MAX_UPLOAD_BYTES + 1)  # a file may grow, or hide its size
    except OSError as error:
        raise PictureError(
            f"The file “{path}” cannot be read: {error.strerror or error}.",
            expected="A picture file that this user may read.",
            remedy="Check its name and permissions.",
        ) from error


def is_output(name: str) -> bool:
    """Says whether a file that a person names is standard output: ``-``, or a name of the same."""
    if name == "-":
        return True
    try:
        return os.path.samestat(Path(name).stat(), os.fstat(1))
    except OSError:
        return False


def write_file(name: str, content: bytes) -> None:
    """Writes where a person said.

    A regular file is there whole, or as it was before; a link stays, and the file it leads to is
    written; a pipe or a device is written to; ``-`` is standard output.

    Args:
        name: The file, as a person named it.
        content: The complete content.

    Raises:
        LabError: It is a folder, its disk is full, or it cannot be written.
        OutputError: Standard output takes nothing any more.
    """
    if is_output(name):
        _write_output(content)
        return
    try:
        _write_named(name, content)
    except OSError as error:
        raise LabError(
            f"The file {name} cannot be written: {error.strerror or error}.",
            expected="A file, a pipe or a device, in a folder that is there and may be written to, "
            "with room on its disk.",
            remedy="Name another file, or make the folder.",
        ) from error


def _write_named(name: str, content: bytes) -> None:
    path = Path(os.path.realpath(name))
    if name.endswith(os.sep):  # which a path would forget
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    try:
        is_file = stat.S_ISREG(Path(name).stat().st_mode)
    except FileNotFoundError:
        is_file = True
    if is_file:
        files.write_whole(path, content)
        return
    with open(os.open(name, os.O_WRONLY), "wb", buffering=0) as target:  # noqa: PTH123
        files.write_all(target.fileno(), content)


def _write_output(content: bytes) -> None:
    if sys.stdout is None:
        raise OutputError("it is closed")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise OutputError(error.strerror or error) from error


def _wipe_progress() -> None:
    if _is_terminal():
        with contextlib.suppress(OSError):
            _write(sys.stderr, "\r\033[K")


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _spelt(text: str) -> str:
    """Returns text with what no terminal should get spelt out, as Python does in quotes."""
    return UNSPEAKABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _write(stream: TextIO | None, text: str) -> None:
    if stream is not None:  # Python's name for a stream that was closed before it started
        stream.write(text)
        stream.flush()
