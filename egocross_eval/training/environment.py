"""The Python environment that LLaMA-Factory runs in: this one, a named one, or one built from the shipped lock."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.directories import cache_directory
from egocross_eval.errors import RunError, UsageError
from egocross_eval.files import write_file
from egocross_eval.runs.locks import acquire
from egocross_eval.training.optional_modules import MODULES

if TYPE_CHECKING:
    from filelock import BaseFileLock

PYTHON_VERSION = "3.11"
"""The Python that the lock was resolved for."""

LOCKED = {
    "llamafactory": "0.9.5",
    "torch": "2.14.0",
    "torchvision": "0.29.0",
    "torchaudio": "2.11.0",
    "transformers": "5.6.0",
}
"""The set of the shipped lock, which works together; a newer torch fails on importing torchaudio."""

STAMP = ".complete"

PACKAGE = Path(__file__).resolve().parent.parent

_PROBE = """
import importlib.metadata as m, importlib.util as u, json, platform, sys
names = ["llamafactory", "torch", "torchvision", "torchaudio", "transformers", "peft", "deepspeed",
         "msgspec", "pluggy", *sys.argv[1:]]
found = {}
for name in names:
    if u.find_spec(name) is not None:
        try:
            found[name] = m.version(name)
        except m.PackageNotFoundError:
            found[name] = ""
print(json.dumps({"python": platform.python_version(), "packages": found}))
"""

Say = Callable[[str], None]


class TrainingEnvironment(msgspec.Struct, frozen=True, kw_only=True):
    """An interpreter in which llamafactory can be imported."""

    python: Path
    origin: str
    """`this one`, `named` or `built`."""
    versions: dict[str, str]
    """Version of Python and of each package that training rests on."""


def lock_file() -> Path:
    """The shipped lock: exact versions with hashes, for Linux, macOS and Windows."""
    return Path(__file__).parent / "locks" / "train.txt"


def built_folder() -> Path:
    """Where the environment of the shipped lock is or will be; another lock, another folder."""
    digest = hashlib.sha256(lock_file().read_bytes()).hexdigest()[:12]
    return cache_directory() / "training" / f"py{PYTHON_VERSION}-{digest}"


def interpreter(folder: Path) -> Path:
    """The Python of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def find_environment(python: Path | None = None, *, say: Say = lambda text: None) -> TrainingEnvironment:
    """The environment to train in; builds it from the shipped lock, once, where no other is there.

    `python` names an interpreter. Without it this one is taken if it has llamafactory. `say` is told what takes long.
    Raises `UsageError` for an interpreter that can't run it and `RunError` where building fails.
    """
    if python is not None:
        return _checked(python, "named")
    if importlib.util.find_spec("llamafactory") is not None:
        return _checked(Path(sys.executable), "this one")
    folder = built_folder()
    if not (folder / STAMP).is_file():
        _build(folder, say)
    return _checked(interpreter(folder), "built")


def existing_environment(python: Path | None = None) -> TrainingEnvironment | None:
    """As `find_environment`, but None where it would have to be built."""
    if python is None and importlib.util.find_spec("llamafactory") is None:
        folder = built_folder()
        return _checked(interpreter(folder), "built") if (folder / STAMP).is_file() else None
    return find_environment(python)


@functools.cache
def _checked(python: Path, origin: str) -> TrainingEnvironment:
    command = [str(python), "-c", _PROBE, *MODULES]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=300, check=False, env=without_this_python()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"--python {python}: can't be run: {error}") from error
    if done.returncode != 0:
        raise UsageError(f"--python {python}: {done.stderr.strip()[-400:] or 'it failed'}")
    found = json.loads(done.stdout.strip().splitlines()[-1])
    missing = [name for name in ("llamafactory", "torch", "msgspec", "pluggy") if name not in found["packages"]]
    if missing:
        raise UsageError(
            f"{python} lacks {', '.join(missing)}; leave --python out to have an environment built from the shipped "
            f"lock, or install into it: {' '.join(missing)}"
        )
    return TrainingEnvironment(python=python, origin=origin, versions={"python": found["python"], **found["packages"]})


def find_uv() -> list[str] | None:
    """How to call uv: found on PATH, or as a module of this Python; None where it's absent."""
    path = shutil.which("uv")
    if path is not None:
        return [path]
    if importlib.util.find_spec("uv") is not None:
        return [sys.executable, "-m", "uv"]
    private = _private_uv()
    return [str(private)] if private.is_file() else None


def _private_uv() -> Path:
    return cache_directory() / "training" / "uv" / ("Scripts/uv.exe" if os.name == "nt" else "bin/uv")


def _uv(say: Say) -> list[str]:
    found = find_uv()
    if found is not None:
        return found
    target = _private_uv().parent.parent
    say(f"installing uv into {target}")
    # An environment of its own, as the present one may have no pip and is the user's.
    _run([sys.executable, "-m", "venv", "--clear", str(target)], "making an environment for uv")
    pinned = ["--require-hashes", "-r", str(lock_file().with_name("uv.txt"))]
    _run([str(interpreter(target)), "-m", "pip", "install", "--quiet", *pinned], "installing uv")
    if not _private_uv().is_file():
        raise RunError(f"pip left no uv in {target}; install uv yourself and have it on PATH")
    return [str(_private_uv())]


def _build(folder: Path, say: Say) -> None:
    """Builds the environment of the lock in `folder`; the stamp is written last, so half of one is never used."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _held(folder.with_name(f"{folder.name}.lock"), say):
        if (folder / STAMP).is_file():
            return
        uv = _uv(say)
        say(f"building the training environment in {folder} (once; about 6 GB)")
        if folder.exists():
            shutil.rmtree(folder)
        _run([*uv, "venv", "--quiet", "--python", PYTHON_VERSION, str(folder)], "making the environment")
        target = ["--python", str(interpreter(folder))]
        _run(
            [*uv, "pip", "install", *target, "--require-hashes", "-r", str(lock_file())],
            "installing the packages of the lock",
        )
        write_file(folder / STAMP, lock_file().name + "\n")


def _held(lock: Path, say: Say) -> BaseFileLock:
    """The lock; says that another process builds the environment where that is so, and for how long."""
    from egocross_eval.training.waiting import EVERY, Waiting

    waiting = None
    while True:
        try:
            return acquire(lock, timeout=0 if waiting is None else EVERY)
        except UsageError:
            what = f"another process to build the training environment in {lock.with_suffix('')}"
            waiting = waiting or Waiting(what, f"is it still at work? If not, remove {lock}", say)
            waiting.look()


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=without_this_python())
    if done.returncode == 0:
        return
    text = (done.stderr or done.stdout).strip()
    hint = ""
    if "No space left" in text or "os error 28" in text:
        hint = "; the disk is full: free about 8 GB or set EGOCROSS_CACHE to a larger disk"
    raise RunError(f"{what} failed{hint}:\n{text[-1500:]}")


def without_this_python() -> dict[str, str]:
    """The process environment without what would leak this Python's packages into another one."""
    return {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
