"""The Python environment that lmms-eval is installed in: this one, or one that is named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec

from egocross_eval.errors import UsageError

KNOWN = ("0.7",)
"""Versions of lmms-eval, without the last number, that this package was tested with."""

INSTALL = (
    "docs/lmms-eval.md says how to make one: 'make lmms-eval-env' in the clone of egocross-eval, or pip install "
    "lmms-eval beside it"
)

_PROBE = """
import importlib.metadata as m, importlib.util as u, json
found = {}
for name in ("lmms_eval", "egocross_eval", "msgspec"):
    if u.find_spec(name) is not None:
        try:
            found[name] = m.version(name)
        except m.PackageNotFoundError:
            found[name] = ""
print(json.dumps(found))
"""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """An interpreter that has lmms-eval and this package."""

    python: str
    version: str
    """Of lmms-eval."""


def lmms_eval_environment(python: Path | str = "", *, named_by: str = "--python") -> Environment:
    """The environment of an interpreter, by default this one; `named_by` is the option that errors name.

    Raises `UsageError` where it can't be run, lacks a package, or has a version of lmms-eval that isn't known.
    """
    named = str(python) if python else sys.executable
    found = _packages(named, named_by)
    for package in ("lmms_eval", "egocross_eval", "msgspec"):
        if package not in found:
            raise UsageError(f"the environment of {named} has no {package}; name one that has by {named_by}: {INSTALL}")
    check_version(found["lmms_eval"])
    return Environment(python=named, version=found["lmms_eval"])


def _packages(python: str, named_by: str) -> dict[str, str]:
    try:
        done = subprocess.run(
            [python, "-c", _PROBE], capture_output=True, text=True, errors="replace", timeout=120, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"{named_by} {python}: didn't answer within {error.timeout:g} s") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{named_by} {python}: can't be run: {error}") from error
    try:
        return msgspec.json.decode(done.stdout.strip().rpartition("\n")[2], type=dict[str, str])
    except msgspec.MsgspecError as error:
        said = done.stderr.strip().rpartition("\n")[2]
        raise UsageError(
            f"{named_by} {python}: it's no Python that works (exit code {done.returncode}{said and f': {said}'}); name "
            "the interpreter of lmms-eval's environment"
        ) from error


def check_version(version: str) -> None:
    """Raises `UsageError` for a version of lmms-eval whose interface isn't known."""
    if version and not version.startswith(tuple(f"{known}." for known in KNOWN)):
        raise UsageError(f"lmms-eval {version} isn't known here; known: {', '.join(f'{known}.*' for known in KNOWN)}")
