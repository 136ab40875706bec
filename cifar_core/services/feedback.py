"""Was this right? What a person says of an answer, kept only if they agree, and theirs to delete.

Each person has a code that they alone hold. Only its digest is on the disk, as the name of a
folder with one small file for each thing said, so that nobody reads another's without the code,
and deleting one thing really deletes it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from cifar_core import files, settings
from cifar_core.dataset import CIFAR10
from cifar_core.decoding import Share, Time
from cifar_core.errors import LabError
from cifar_core.services.access import check_may_say, check_owns
from cifar_core.services.predictions import Fit, Prediction

MOST_OF_ONE = 1_000
"""What one person may have kept at most."""

MOST_OF_ALL = 20_000
"""What the lab keeps at most, about 80 MB."""

NONE_OF_THESE = "none of these"
SHOWS: tuple[str, ...] = (*CIFAR10.class_names, NONE_OF_THESE)
"""What a picture may show, in a person's word."""

_PERSON = re.compile(r"[0-9a-f]{32}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class FeedbackError(LabError):
    """What a person said cannot be kept or found."""


@dataclass(frozen=True)
class Said:
    """What a person said of the answers for one picture.

    Attributes:
        id: Its name among what this person said.
        kept_at: When it was kept, in seconds since 1970.
        sha256: Digest of the picture's file; the picture itself is not kept.
        fit: How the picture became 32 × 32.
        mirrored: Whether the answers were averaged with those for the mirror image.
        answers: By run: the probabilities by class that were shown.
        was_right: Whether the person calls the answer right.
        shows: What the picture shows in the person's word; empty where they did not say.
    """

    id: str
    kept_at: Time
    sha256: str
    fit: str
    mirrored: bool
    answers: dict[str, Annotated[dict[str, Share], Meta(min_length=1)]]
    was_right: bool
    shows: str = ""


def new_code() -> str:
    """Returns a code for one person: 128 random bits as text."""
    return secrets.token_urlsafe(16)


def keep_feedback(
    code: str,
    *,
    sha256: str,
    fit: Fit,
    answers: Sequence[Prediction],
    was_right: bool,
    shows: str = "",
    agreed: bool,
) -> Said:
    """Keeps what a person said of the answers for a picture, durably.

    Args:
        code: The person's.
        sha256: Digest of the picture's file.
        fit: How it became 32 × 32.
        answers: What was shown.
        was_right: Whether the person calls it right.
        shows: One of :data:`SHOWS`, or nothing.
        agreed: Whether the person has agreed that it is kept.

    Raises:
        NotAllowedError: The lab is read-only.
        FeedbackError: The person has not agreed, or there is no room for more.
    """
    check_may_say()
    if not agreed:
        raise FeedbackError(
            "Nothing was kept: you have not agreed to it.",
            expected="What you say is kept only if you agree.",
            remedy="Tick that you agree, or leave it.",
        )
    if _DIGEST.fullmatch(sha256) is None or shows not in ("", *SHOWS):
        raise ValueError(f"no picture's digest, or no class: {sha256!r}, {shows!r}")
    folder = _folder(code)
    _check_room(folder)
    said = Said(
        id=f"{time.time_ns():019d}-{secrets.token_hex(4)}",
        kept_at=time.time(),
        sha256=sha256,
        fit=fit,
        mirrored=any(answer.flip for answer in answers),
        answers={answer.run.id: _shares(answer) for answer in answers},
        was_right=was_right,
        shows=shows,
    )
    try:
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            files.flush_folder(folder.parent)
        files.write_json(folder / f"{said.id}.json", asdict(said))
    except OSError as error:
        raise _failed(f"It could not be kept ({error.strerror}).") from error
    return said


def read_feedback(code: str) -> list[Said]:
    """Returns what the person with a code said, the oldest first; nothing for a wrong code."""
    return _read(_folder(code))


def read_all_feedback() -> list[Said]:
    """Returns what all people said, the oldest first: for the owner of the machine.

    Raises:
        NotAllowedError: Somebody else asks.
    """
    check_owns()
    everything = [said for folder in _folders() for said in _read(folder)]
    return sorted(everything, key=lambda said: said.id)


def delete_feedback(code: str, said_id: str | None = None) -> int:
    """Deletes what a person said: one thing, or all of it. Returns how many there were.

    Raises:
        NotAllowedError: The lab is read-only.
    """
    check_may_say()
    return _delete(_folder(code), said_id)


def delete_all_feedback() -> int:
    """Deletes what all people said and returns how many there were.

    Raises:
        NotAllowedError: The lab is read-only, or somebody else than its owner asks.
    """
    check_may_say()
    check_owns()
    return sum(_delete(folder, None) for folder in _folders())


def feedback_facts(said: Said) -> dict[str, Any]:
    """Returns what was said as plain values, for JSON."""
    return asdict(said)


def feedback_row(said: Said) -> dict[str, str | float]:
    """Returns what was said as one flat row, for a table: each run's first choice and its share."""
    row: dict[str, str | float] = {
        "kept at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(said.kept_at)),
        "SHA-256": said.sha256,
        "32 × 32 by": said.fit,
        "right": "yes" if said.was_right else "no",
        "shows": said.shows,
    }
    for run, shares in said.answers.items():
        best = max(shares, key=shares.__getitem__)
        row[run] = best
        row[f"{run}, how sure"] = shares[best]
    return row


def _shares(answer: Prediction) -> dict[str, float]:
    shares = (round(float(share), 6) for share in answer.probabilities)
    return dict(zip(CIFAR10.class_names, shares, strict=True))


def _folder(code: str) -> Path:
    """Returns a person's folder; from the name nobody finds the code."""
    person = hashlib.sha256(code.strip().encode(errors="replace")).hexdigest()[:32]
    return settings.current().feedback_dir / person


def _folders() -> list[Path]:
    try:
        return [path for path in settings.current().feedback_dir.iterdir() if _is_person(path)]
    except FileNotFoundError:
        return []


def _is_person(path: Path) -> bool:
    return _PERSON.fullmatch(path.name) is not None and path.is_dir()


def _read(folder: Path) -> list[Said]:
    """Reads a person's folder; a file that is none of ours is passed over."""
    said = []
    for path in sorted(folder.glob("[0-9]*.json")):
        try:
            said.append(files.read_json(path, Said))
        except (OSError, ValueError):
            continue
    return said


def _delete(folder: Path, said_id: str | None) -> int:
    doomed = [p for p in folder.glob("[0-9]*.json") if said_id in (None, p.stem)]
    try:
        for path in doomed:
            path.unlink(missing_ok=True)
        if folder.is_dir():
            files.flush_folder(folder)
    except OSError as error:
        raise _failed(f"It could not be deleted ({error.strerror}).") from error
    return len(doomed)


def _check_room(folder: Path) -> None:
    """Raises FeedbackError where one person, or all together, have kept a great deal."""
    mine = sum(1 for _ in folder.glob("*.json"))
    if mine >= MOST_OF_ONE:
        raise FeedbackError(
            f"You have {mine:,} things kept here, and that is the most.",
            expected=f"At most {MOST_OF_ONE:,} for each person.",
            remedy="Save and delete some of them first.",
        )
    if sum(1 for other in _folders() for _ in other.glob("*.json")) >= MOST_OF_ALL:
        raise FeedbackError(
            "The lab keeps no more: its room for what people say is full.",
            expected=f"At most {MOST_OF_ALL:,} things are kept.",
            remedy="Tell whoever runs the lab.",
        )


def _failed(what: str) -> FeedbackError:
    return FeedbackError(
        what,
        expected="The lab writes into its folder for what people say.",
        remedy="Tell whoever runs the lab: the folder is full or cannot be written.",
    )
