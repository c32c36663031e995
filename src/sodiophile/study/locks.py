"""A lock between processes, and between machines on one file system, that dies with whoever holds it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_WAIT_S = 0.1


def _try_lock(descriptor: int) -> bool:
    """Lock the file without waiting; the system frees it when the process ends, however it ends."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _acquire(path: Path) -> int | None:
    """Return the descriptor of the locked file, None if somebody else holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    if _try_lock(descriptor):
        # whoever held it before may have removed the file between our opening and our locking it: then it guards nothing
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
    os.close(descriptor)
    return None


@contextmanager
def locked(path: Path, give_up: Callable[[], bool]) -> Iterator[bool]:
    """Hold the lock of `path` for the time of the block.

    Parameters
    ----------
    path
        The lock file; removed afterwards.
    give_up
        Asked again and again while somebody else holds the lock; true ends the wait.

    Yields
    ------
    bool
        False if `give_up` ended the wait, and the lock is not held.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while (descriptor := _acquire(path)) is None:
        if give_up():
            yield False
            return
        time.sleep(_WAIT_S)
    try:
        yield True
    finally:
        with suppress(OSError):  # an open file cannot be removed on Windows: it stays and is used again
            path.unlink()
        os.close(descriptor)
