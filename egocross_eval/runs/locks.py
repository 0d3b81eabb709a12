"""Locks between processes, also on file systems that have none: there a file that names its owner stands for one."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from egocross_eval.errors import RunError, UsageError, warn_caller
from egocross_eval.files import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from filelock import BaseFileLock

OWNER_SUFFIX = ".owner"
"""Behind the name of a lock: the file that stands for it where there are no locks."""

_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL})


def acquire(path: Path, *, timeout: float = 0) -> BaseFileLock:
    """Holds the lock at `path` until it's released; waits `timeout` seconds for it, for ever if that is negative.

    On a file system without locks, `path` with `OWNER_SUFFIX` holds the owner's process and host: one whose process is
    gone from this host is taken over. Raises `UsageError` where another process has it, and `RunError` where it can't
    be made.
    """
    import filelock

    native = filelock.FileLock(path)
    try:
        native.acquire(timeout=timeout)
        return native
    except filelock.Timeout:
        raise _busy(path) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise RunError(f"can't lock {path}: {error.strerror or error}") from error
    owner = path.with_name(path.name + OWNER_SUFFIX)
    warn_caller(f"{path.parent} lies on a file system without locks: {owner.name} names the process at work there")
    marker = filelock.SoftFileLock(owner)
    try:
        marker.acquire(timeout=timeout)
    except filelock.Timeout:
        raise _busy(path, owner) from None
    except OSError as error:
        raise RunError(f"can't make {owner}: {error.strerror or error}") from error
    return marker


def _busy(path: Path, owner: Path | None = None) -> UsageError:
    if owner is None:
        return UsageError(f"another process is at work on {path.parent}; wait for it or choose another --output")
    try:
        process, host = read_bytes(owner, follow=False, limit=1024).decode("utf-8", "replace").split()[:2]
    except (UsageError, ValueError):
        process, host = "unknown", "unknown"
    return UsageError(
        f"another process is at work on {path.parent} (number {process} on {host}); wait for it, choose another "
        f"--output, or remove {owner} if it's gone"
    )
