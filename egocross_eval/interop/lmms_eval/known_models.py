"""Whether lmms-eval has a model of a name and can ask it: told before weights, data or a server are looked at.

As a program, in another environment: the model's name is the argument, and a line of JSON says what is wrong.
"""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import msgspec

from egocross_eval.errors import RunError, UsageError, did_you_mean
from egocross_eval.interop.lmms_eval.clients import check_client

_SECONDS = 120


_said: deque[str] = deque(maxlen=1)


def lmms_models() -> Any:
    """lmms-eval's registry of models, without its log on the screen."""
    if "lmms_eval.models" in sys.modules:
        return importlib.import_module("lmms_eval.models")
    from loguru import logger

    with redirect_stdout(io.StringIO()):  # where its log goes from now on
        models = importlib.import_module("lmms_eval.models")
    logger.add(lambda message: _said.append(message.record["message"]), level="ERROR", filter="lmms_eval")
    return models


def last_said() -> str:
    """The last error in lmms-eval's log since this was asked before; empty where there's none."""
    return _said.pop() if _said else ""


def check_model(name: str) -> None:
    """Raises `UsageError` for a name that the lmms-eval of this process doesn't have, or as `check_client`."""
    known: Sequence[str] = lmms_models().list_available_models(include_aliases=True)
    if name not in known:
        raise UsageError(
            f"lmms-eval has no model {name!r}{did_you_mean(name, known)}; 'lmms-eval models --aliases' lists them"
        )
    check_client(name)


def check_model_there(name: str, python: str) -> None:
    """As `check_model`, in the environment of an interpreter. Raises `RunError` where it can't be asked."""
    command = [python, "-m", "egocross_eval.interop.lmms_eval.known_models", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise RunError(f"lmms:{name}: {python} didn't list lmms-eval's models within {_SECONDS} s") from error
    try:
        fault = msgspec.json.decode(done.stdout.strip().rpartition("\n")[2], type=str)
    except msgspec.MsgspecError as error:
        said = done.stderr.strip().rpartition("\n")[2]
        raise RunError(f"lmms:{name}: {python} can't list lmms-eval's models: {said}") from error
    if fault:
        raise UsageError(fault)


def _main() -> None:
    fault = ""
    try:
        check_model(sys.argv[1])
    except UsageError as error:
        fault = str(error)
    print("\n" + msgspec.json.encode(fault).decode())


if __name__ == "__main__":
    _main()
