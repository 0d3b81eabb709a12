"""Runs lmms-eval's command line in a process of its own.

Its exit code says nothing (it is 0 after "Error during evaluation"): what counts is that it wrote results.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from egocross_eval.errors import RunError, UsageError
from egocross_eval.interop.importing.keys import without_keys
from egocross_eval.interop.lmms_eval.environment import Environment

OWN = ("--include_path", "--output_path", "--log_samples", "--tasks")
"""Options of lmms-eval that are given here."""

RESULTS = "*_results.json"

ENVIRONMENT = {"LMMS_IMAGE_ENCODE_FORMAT": "JPEG", "TOKENIZERS_PARALLELISM": "false"}
"""Where the user's says nothing. Without the first, its API classes send JPEG frames as PNG, ten times as large."""

LOGS = "lmms-eval"
"""Folder of what lmms-eval writes, within the run folder that is made of it."""

_SHOWN = 20

_ERROR, _HINT = "Error during evaluation: ", "Please set `--verbosity=DEBUG` to get more information."
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def run_lmms_eval(
    environment: Environment, tasks: Path, names: str, arguments: Sequence[str], logs: Path, show: TextIO
) -> Path:
    """Runs tasks of a folder; what it prints goes to `show`. Returns the results file, beside which the samples are.

    Raises `UsageError` for arguments that `check_arguments` refuses, `RunError` with its own error, or its last lines,
    where no results came.
    """
    check_arguments(arguments)
    before = set(logs.rglob(RESULTS))
    command = [environment.python, "-m", "lmms_eval", "--include_path", str(tasks), "--tasks", names]
    command += ["--log_samples", "--output_path", str(logs), *arguments]
    code, end = _shown(command, show)
    written = sorted(set(logs.rglob(RESULTS)) - before)
    if not written:
        raise RunError(f"lmms-eval wrote no results (exit code {code}){_why(end)}")
    return written[-1]


def _why(end: Sequence[str]) -> str:
    """Its own word on the error where it has one, else its last lines."""
    lines = [_COLOURS.sub("", line).rstrip() for line in end]
    if said := [line.partition(_ERROR)[2] for line in lines if _ERROR in line]:
        return f": {said[-1].removesuffix(_HINT).rstrip('. ')}"
    return "; the end of what it printed:\n" + "\n".join(f"  {line}" for line in lines)


def check_arguments(arguments: Sequence[str]) -> None:
    """Raises `UsageError` for arguments that are given here, and for keys, which lmms-eval would write into its log."""
    for argument in arguments:
        if argument.partition("=")[0] in OWN:
            raise UsageError(f"{argument}: egocross-eval gives this to lmms-eval itself; use --tasks and --output")
        if without_keys(argument) != argument:
            raise UsageError(
                f"lmms-eval's {without_keys(argument)} would write a secret into the run folder; set it in the "
                f"environment, where lmms-eval's clients look for it (OPENAI_API_KEY and the like)"
            )


def named_model(arguments: Sequence[str]) -> str:
    """The model that lmms-eval's arguments name, the last one as there; empty where none does."""
    found = ""
    for argument, behind in zip(arguments, [*arguments[1:], ""], strict=True):
        if argument == "--model":
            found = behind
        elif argument.startswith("--model="):
            found = argument.partition("=")[2]
    return found


def _shown(command: Sequence[str], show: TextIO) -> tuple[int, Sequence[str]]:
    """Runs a command, passing on what it prints; its exit code and its last lines."""
    end: deque[str] = deque(maxlen=_SHOWN)
    environment = {**ENVIRONMENT, **os.environ}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            end.append(line)
            show.write(line)
            show.flush()
    return process.returncode, end
