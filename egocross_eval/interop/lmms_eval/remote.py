"""A session in another environment, by a worker process that ends with this one."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from egocross_eval.errors import RunError, UsageError
from egocross_eval.interop.lmms_eval.session import ModelOrder
from egocross_eval.interop.lmms_eval.worker import Answered, Ready
from egocross_eval.schema import Request, Response

T = TypeVar("T", bound=msgspec.Struct)

_LOG_LINES = 20


class RemoteSession:
    """As `Session`, elsewhere."""

    def __init__(self, python: str, order: ModelOrder) -> None:
        """Starts the worker and waits until the model is loaded. Raises `UsageError` for what the class refuses."""
        self._order = order
        self._log = tempfile.NamedTemporaryFile(prefix="egocross-lmms-", suffix=".log")  # noqa: SIM115 - kept
        self._process = subprocess.Popen(
            [python, "-m", "egocross_eval.interop.lmms_eval.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        ready = self._asked(msgspec.json.encode(order), Ready)
        if ready.error:
            self.close()
            raise UsageError(ready.error)
        self._details = ready.details

    def details(self) -> dict[str, Any]:
        """As `Session.details`."""
        return self._details

    def answer(self, requests: Sequence[Request]) -> list[Response]:
        """As `Session.answer`; raises `RunError` with the end of its log where the worker has died."""
        found = self._asked(msgspec.json.encode(requests), Answered)
        if found.error:
            raise UsageError(found.error)
        return found.responses

    def close(self) -> None:
        """Ends the worker; may be called again."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _asked(self, line: bytes, kind: type[T]) -> T:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        reply = self._process.stdout.readline()
        if not reply:
            code = self._process.wait()
            raise RunError(f"lmms:{self._order.name}: its process ended with exit code {code}\n{self._log_end()}")
        return msgspec.json.decode(reply, type=kind)

    def _log_end(self) -> str:
        lines = Path(self._log.name).read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line[:300]}" for line in lines[-_LOG_LINES:])
