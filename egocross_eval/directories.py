"""Where the package keeps what it can make again: a folder of the user's own that no one else can write to."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from egocross_eval.errors import UsageError

VARIABLE = "EGOCROSS_CACHE"
"""Environment variable that names the cache."""


def cache_directory() -> Path:
    """The cache, made with mode 0700 where it isn't there: `EGOCROSS_CACHE` where set, else the platform's user cache.

    Without a home, or with one that can't be written to, it's a folder of the user's in the temporary one. Raises
    `UsageError` if a cache that was named can't be written to, or if what is found isn't private: a stranger's answers
    would be taken for a model's.
    """
    named = os.environ.get(VARIABLE)
    if named:
        try:
            return _own(Path(named).expanduser())
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise UsageError(f"{VARIABLE}: can't write to {named}: {reason}; name another folder") from error
    import platformdirs

    # A RuntimeError: there is neither HOME nor an entry among the users.
    with contextlib.suppress(OSError, RuntimeError):
        return _own(Path(platformdirs.user_cache_dir("egocross-eval", appauthor=False)).expanduser())
    try:
        return _own(Path(tempfile.gettempdir()) / f"egocross-eval-{_user()}", shared_parent=True)
    except OSError as error:
        raise UsageError(f"no folder for the cache can be written to ({error}); name one by {VARIABLE}") from error


def _user() -> int | str:
    return os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")


def _own(path: Path, *, shared_parent: bool = False) -> Path:
    """The folder, made if need be; an OSError if it can't be written to. In a `shared_parent` no link is believed."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat() if shared_parent else path.stat()
    if hasattr(os, "getuid"):
        owners = {os.getuid()} if shared_parent else {os.getuid(), 0}
        if status.st_uid not in owners or status.st_mode & stat.S_IWOTH or not stat.S_ISDIR(status.st_mode):
            raise UsageError(
                f"the cache {path} belongs to another user or can be written to by all; name a folder of your own by "
                f"{VARIABLE}"
            )
    if not os.access(path, os.W_OK | os.X_OK):
        raise PermissionError(13, "permission denied", str(path))
    return path
