"""How the work of a process ends: in every case with a state and, of a failure, a reason."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cifar_core.errors import LabError
from cifar_core.jobs.stop import StopAskedError


@dataclass(frozen=True)
class End:
    """How some work ended.

    Attributes:
        state: ``interrupted``: it was asked to stop.
        reason: Of a failure, and of a stop where there is more to say.
    """

    state: Literal["finished", "failed", "interrupted"]
    reason: LabError | None = None

    @property
    def exit_status(self) -> int:
        """What the process ends with: 0 when finished."""
        return int(self.state != "finished")


def carry_out(work: Callable[[], object], explain: Callable[[BaseException], LabError]) -> End:
    """Does some work and returns how it ended, whatever happens.

    Args:
        work: What there is to do; finished when it returns, unless it returns another end.
        explain: Puts a failure that is no :class:`LabError` into words.
    """
    try:
        end = work()
        return end if isinstance(end, End) else End("finished")
    except (StopAskedError, KeyboardInterrupt):
        return End("interrupted")
    except BaseException as error:  # noqa: BLE001 - the last place that can tell a person
        with contextlib.suppress(OSError):  # the log may be on a full disk
            traceback.print_exc()
        return End("failed", error if isinstance(error, LabError) else explain(error))
