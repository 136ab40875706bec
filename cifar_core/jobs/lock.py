"""Kernel locks: the heartbeat of every process the lab starts.

A process holds an exclusive ``flock`` on a file for life. The kernel frees it when the process
ends, however it ends, so there are no process numbers to go stale and no lock files to clean up.
The one who starts a process takes the lock first and hands the open file to it; between the
order and the process's last breath the lock is never free.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path
from typing import Self


class Lock:
    """An exclusive kernel lock on a file, held while this object is open."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def adopt(cls, descriptor: int) -> Lock:
        """Takes over a lock that the parent process acquired for this one."""
        os.set_inheritable(descriptor, False)
        return cls(descriptor)

    def is_on(self, path: Path) -> bool:
        """Says whether the locked file is still the one at a path.

        Where that cannot be found out, the answer is yes.
        """
        try:
            return os.path.samestat(os.fstat(self.descriptor), path.stat())
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True

    def release(self) -> None:
        """Closes this process's hold; another process that shares it keeps the lock."""
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def try_lock(path: Path, *, patience_seconds: float = 0.0) -> Lock | None:
    """Takes the lock on a file, or returns None when another process holds it.

    Args:
        path: The file to lock; made when missing.
        patience_seconds: How long to try again. A reader that looks whether the lock is held
            keeps it for microseconds; a starter needs some patience not to mistake that for
            a living worker.

    Raises:
        OSError: The file cannot be made or opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return Lock(descriptor)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(0.01)
        except BaseException:
            os.close(descriptor)
            raise


def is_held(path: Path) -> bool:
    """Says whether a living process holds the lock on a file.

    Where that cannot be found out (a process may run out of open files), the answer is yes:
    no living worker is ever called dead.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
