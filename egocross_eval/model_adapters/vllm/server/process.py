"""A `vllm serve` process on this machine: started, waited for, and ended in every case."""

from __future__ import annotations

import atexit
import contextlib
import http.client
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import IO, TYPE_CHECKING

from egocross_eval.errors import RunError, UsageError
from egocross_eval.model_adapters.vllm.watchdogs import end_server

if TYPE_CHECKING:
    from collections.abc import Sequence

HOST = "127.0.0.1"

LOG_LINES = 30
"""Lines of the log that are shown when the server dies."""
_FIRST_ERRORS = 2
_AN_ERROR = re.compile(r"\b\w*(?:Error|Exception): \S.*")

ENVIRONMENT = {"VLLM_NO_USAGE_STATS": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}
"""The server's environment where the user's says nothing: nothing is sent to anyone, and on a CPU the key-value cache
takes a GiB instead of about half of the memory."""

_POLL_SECONDS = 0.2
_MOST_STARTS = 3
_PORT_TAKEN = "already in use"
"""How a server that finds somebody else at its port ends: it listens some time after the port was chosen."""
_WRONG_KEYS = 3

_VERSION = (
    "import importlib.metadata as m\n"
    "print(*next(((n, m.version(n)) for n in sorted(set(m.packages_distributions().get('vllm', [])))), ()))"
)

_RENAMED = (
    "import importlib.metadata as m, sys\n"
    "real, distribution = m.version, sys.argv.pop(1)\n"
    "kind = distribution.removeprefix('vllm-')\n"
    "m.version = lambda name: f'{real(distribution)}+{kind}' if name == 'vllm' else real(name)\n"
    "from vllm.entrypoints.cli.main import main\n"
    "main()"
)
"""Starts vLLM's command line from a distribution of another name (`vllm-cpu`), whose own script asks for the version of
`vllm` and fails. vLLM tells by the version's ending (`+cpu`) what it was built for."""


def serve_command(python: str, distribution: str) -> list[str]:
    """The words before the arguments of `vllm serve` in an environment."""
    if distribution == "vllm":
        return [python, "-m", "vllm.entrypoints.cli.main", "serve"]
    return [python, "-c", _RENAMED, distribution, "serve"]


def version_of(python: str) -> tuple[str, str]:
    """(distribution, version) of vLLM in the environment of an interpreter; vLLM isn't imported.

    Raises UsageError where the interpreter doesn't run or has no vLLM.
    """
    try:
        found = subprocess.run([python, "-I", "-c", _VERSION], capture_output=True, text=True, timeout=120, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"vllm-server: python={python} can't be run: {error}") from error
    words = found.stdout.split()
    if len(words) != 2:
        raise UsageError(
            f"vllm-server: the environment of {python} has no vLLM; name one that has it by python=, "
            f"or install it there: pip install vllm"
        )
    return words[0], words[1]


class Server:
    """A server that runs until `close`, or until this process is gone, however that ends."""

    def __init__(self, command: Sequence[str], *, log: str | None) -> None:
        """Starts it by a command that lacks only the address; `wait` tells when it's ready."""
        self.key = secrets.token_hex(16)
        """Of this run: whoever else listens on the port doesn't know it."""
        self._command = command
        self._log, self.log_path = _log_file(log)
        self._starts = 0
        self._start()
        atexit.register(self.close)

    def _start(self) -> None:
        self._starts += 1
        self.port = _free_port()
        watchdog = str(Path(end_server.__file__))
        self._process = subprocess.Popen(
            [sys.executable, "-I", watchdog, *self._command, "--host", HOST, "--port", str(self.port)],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**ENVIRONMENT, **os.environ, "VLLM_API_KEY": self.key},
            start_new_session=True,  # Ctrl-C is for us: the server is ended in its turn
        )

    @property
    def url(self) -> str:
        """Address that ends before `/v1`."""
        return f"http://{HOST}:{self.port}"

    def wait(self, seconds: float) -> None:
        """Waits until the server is ready; one that somebody was quicker than at its port is started at another.

        Raises RunError with the end of its log where it dies or takes longer.
        """
        deadline = time.monotonic() + seconds
        while not (self._status("/health") == 200 and self._is_ours()):
            if self._process.poll() and self._starts < _MOST_STARTS and self.said(_PORT_TAKEN):
                self._start()
            self.check()
            if time.monotonic() > deadline:
                raise RunError(f"vllm-server: not ready after {seconds:g} s (start_timeout=)\n{self.log_end()}")
            time.sleep(_POLL_SECONDS)

    def check(self) -> None:
        """Raises RunError, with the end of its log, where the server has died."""
        code = self._process.poll()
        if code is not None:
            raise RunError(f"vllm-server: the server ended with exit code {code}\n{self.log_end()}")

    def _is_ours(self) -> bool:
        """Whether it takes the key of this run and no other. Raises RunError where it's a stranger."""
        keys = [self.key, *(secrets.token_hex(16) for _ in range(_WRONG_KEYS))]
        secrets.SystemRandom().shuffle(keys)
        found = {key: self._status("/v1/models", key) for key in keys}
        if None in found.values():
            return False
        if [key for key, status in found.items() if status == 200] != [self.key]:
            raise RunError(f"vllm-server: another program answers on port {self.port}; start the run again")
        return True

    def _status(self, path: str, key: str = "") -> int | None:
        """HTTP status of a reply; None where there's none."""
        # No proxy: the address is this machine's.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            with opener.open(urllib.request.Request(f"{self.url}{path}", headers=headers), timeout=5) as reply:  # noqa: S310
                return int(reply.status)
        except urllib.error.HTTPError as error:
            return error.code
        except (OSError, http.client.HTTPException, ValueError):
            return None

    def said(self, words: str) -> bool:
        """Whether its log has these words."""
        try:
            return words in self.log_path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False

    def log_end(self) -> str:
        """The first errors in the log, which say why it died, and its last lines, which say how."""
        try:
            lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            return f"(its log {self.log_path} can't be read: {error})"
        first = list(dict.fromkeys(found[0] for line in lines if (found := _AN_ERROR.search(line))))[:_FIRST_ERRORS]
        why = "".join(f"  {text[:300]}\n" for text in first)
        shown = "\n".join(f"  {line[:300]}" for line in lines[-LOG_LINES:])
        return (f"what it said first:\n{why}" if why else "") + f"the end of its log, {self.log_path}:\n{shown}"

    def close(self) -> None:
        """Ends the server and all its processes; returns when they are gone. May be called again."""
        atexit.unregister(self.close)
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self._process.wait()
        self._log.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def _log_file(named: str | None) -> tuple[IO[bytes], Path]:
    if named is None:
        number, name = tempfile.mkstemp(prefix="egocross-vllm-", suffix=".log")
        return os.fdopen(number, "wb"), Path(name)
    path = Path(named).expanduser()
    try:
        return path.open("wb"), path
    except OSError as error:
        raise UsageError(f"vllm-server: log={named} can't be written: {error.strerror or error}") from error
