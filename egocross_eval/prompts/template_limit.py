"""Templates of others render within bounds: they come with checkpoints and prompt styles that people exchange."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egocross_eval.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2.sandbox import ImmutableSandboxedEnvironment

SECONDS = 20.0
"""For one prompt, which takes milliseconds; machines may be busy."""
MEMORY = 2**31
"""Bytes by which the process may grow meanwhile."""
_LONGEST = 10**6
"""Characters or items that one operation of a template may make."""
_LOOK = 0.02
_WIDTH = re.compile(r"%[-+ #0]*(\d+|\*)")


class _StoppedError(BaseException):
    """Raised within a thread that renders; no template catches it."""


class _Rendering:
    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.deadline = time.monotonic() + SECONDS
        self.memory = _memory() + MEMORY
        self.stopped = False


_lock = threading.Lock()
_under_way: set[_Rendering] = set()
_begun = threading.Event()
_watch: list[threading.Thread] = []


@contextlib.contextmanager
def limited_rendering(what: str) -> Iterator[None]:
    """Ends what renders in the block where it takes longer than `SECONDS` or more than `MEMORY`.

    It's ended between two steps of Python, so not within a single one that takes all memory. Raises `UsageError` naming
    `what`.
    """
    rendering = _Rendering()
    with _lock:
        if not _watch or not _watch[0].is_alive():  # a forked process has none
            _watch[:] = [threading.Thread(target=_look, daemon=True, name="template-limit")]
            _watch[0].start()
        _under_way.add(rendering)
    _begun.set()
    try:
        try:
            yield
        except _StoppedError:
            raise
        except BaseException:
            _end(rendering)
            raise
        _end(rendering)
    except _StoppedError:
        with _lock:
            _under_way.discard(rendering)
        raise UsageError(f"{what} takes more than {SECONDS:g} s or {MEMORY >> 30} GiB for one prompt") from None


def _end(rendering: _Rendering) -> None:
    with _lock:
        _under_way.discard(rendering)
    while rendering.stopped:  # just as it ended: the exception is on its way, and must not arrive outside
        time.sleep(_LOOK)


def _look() -> None:
    while True:
        _begun.wait()
        time.sleep(_LOOK)
        now, memory = time.monotonic(), _memory()
        with _lock:
            for rendering in _under_way:
                if not rendering.stopped and (now > rendering.deadline or memory > rendering.memory):
                    rendering.stopped = True
                    thread = ctypes.c_ulong(rendering.thread)
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_StoppedError))
            if not _under_way:
                _begun.clear()


def _memory() -> int:
    """Bytes that the process has in memory; 0 where the system doesn't say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def sandbox(**settings: Any) -> ImmutableSandboxedEnvironment:
    """Jinja2's sandbox, without the operations that fill the memory in one step."""
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**", "%"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if operator == "*" and _repeated(left, right) > _LONGEST:
                raise SecurityError("a text or a list becomes too long")
            if operator == "**" and (not isinstance(right, int | float) or abs(right) > 1000):
                raise SecurityError("a number becomes too large")
            if operator == "%" and isinstance(left, str):
                _check_format(left)
            return super().call_binop(context, operator, left, right)

    environment = Sandbox(**settings)
    del environment.globals["lipsum"]
    center, formatted = environment.filters["center"], environment.filters["format"]

    def bounded_center(value: str, width: int = 80) -> str:
        return str(center(value, min(width, _LONGEST)))

    def bounded_format(value: str, *args: Any, **named: Any) -> str:
        _check_format(value)
        return str(formatted(value, *args, **named))

    environment.filters |= {"center": bounded_center, "format": bounded_format}
    return environment


def _repeated(left: Any, right: Any) -> int:
    """Length of what a multiplication makes of a text or a list; of numbers, their digits."""
    for one, times in ((left, right), (right, left)):
        if isinstance(one, str | list | tuple) and isinstance(times, int):
            return len(one) * times
    return sum(value.bit_length() for value in (left, right) if isinstance(value, int))


def _check_format(text: str) -> None:
    from jinja2.exceptions import SecurityError

    if any(width == "*" or int(width[:9]) > _LONGEST for width in _WIDTH.findall(text)):
        raise SecurityError("a text becomes too long")
