"""Keeps the paths that data files name below the data root."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from egocross_eval.errors import DataError, UnsafePathError

_TRIED = 500
"""Frames that are looked for in several data roots."""

_DRIVE = re.compile(r"^[A-Za-z]:")


def relative_name(name: str, *, owner: str = "") -> str:
    """`name` without its leading slash (some data files write paths as if the data root were `/`).

    Purely lexical; raises `UnsafePathError` for an empty name, `..`, a drive, `//`, a backslash or a control character.
    `owner` says in the message who names the path, e.g. `question 12`.
    """
    bare = name[1:] if name.startswith("/") else name
    reason = ""
    if not bare:
        reason = "it is empty"
    elif bare.startswith("/"):
        reason = "it starts with two slashes"
    elif "\\" in bare or _DRIVE.match(bare):
        reason = "it has a drive or a backslash"
    elif not bare.isprintable():
        reason = "it has a character that can't be printed"
    elif ".." in bare and ".." in bare.split("/"):
        reason = "it goes up by '..'"
    if reason:
        who = f"{owner}: " if owner else ""
        raise UnsafePathError(f"{who}the path {name!r} is refused: {reason}; paths must lie below the data root")
    return bare


def root_that_holds(roots: Sequence[Path], names: Iterable[str]) -> Path:
    """The first of the data roots that one of the named frames lies below; the first of all where none does."""
    if len(roots) == 1:
        return roots[0]
    tried = [relative_name(name) for name in islice(names, _TRIED)]
    return next((root for root in roots if any((root / name).is_file() for name in tried)), roots[0])


class DataRoot:
    """A folder that named files are resolved below, and never outside.

    The root itself may be a symbolic link; it's resolved once. Resolving is cheap, since the folders that were checked
    are remembered: links changed in mid-run are seen only for files.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.path = Path(os.path.realpath(root))
        """The real path of the root."""
        if not self.path.is_dir():
            raise DataError(f"the data root {str(root)!r} is not a folder; give it by --data or EGOCROSS_DATA")
        self._root = str(self.path)
        self._prefix = self._root if self._root.endswith(os.sep) else self._root + os.sep
        self._folders: dict[str, str] = {}

    def resolve(self, name: str, *, owner: str = "") -> Path:
        """The absolute path of the file `name`, which need not exist; an `UnsafePathError` if it leads outside."""
        return Path(self.resolve_str(name, owner=owner))

    def resolve_str(self, name: str, *, owner: str = "") -> str:
        """As `resolve`, as a plain string: half the cost, which counts where there are thousands of frames."""
        bare = relative_name(name, owner=owner)
        folder, _, file = bare.rpartition("/")
        real = self._folders.get(folder)
        if real is None:
            real = self._real(os.path.join(self._root, folder), name, owner)  # noqa: PTH118 - pathlib is much slower
            self._folders[folder] = real
        path = f"{real}{os.sep}{file}"
        try:
            linked = stat.S_ISLNK(os.lstat(path).st_mode)
        except OSError:
            return path
        return self._real(path, name, owner) if linked else path

    def _real(self, path: str, name: str, owner: str) -> str:
        real = os.path.realpath(path)
        if real != self._root and not real.startswith(self._prefix):
            who = f"{owner}: " if owner else ""
            raise UnsafePathError(
                f"{who}the path {name!r} is refused: a symbolic link leads it outside the data root, to {real!r}; "
                f"copy the files below {self._root!r} instead"
            )
        return real
