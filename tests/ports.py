"""Ports of this machine: free ones for servers that start later, and such as nobody listens at."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Iterator

HOST = "127.0.0.1"
_BELOW_WHAT_IS_HANDED_OUT = range(21_000, 29_000)
"""Systems give ports above these to whoever asks for any, and to each connection that is made."""


def free_port() -> int:
    """A port that is still free when a slow server comes to listen at it."""
    for port in random.SystemRandom().sample(_BELOW_WHAT_IS_HANDED_OUT, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise RuntimeError("a hundred ports are taken")


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port that refuses connections. It is bound meanwhile: nobody else comes to listen at it."""
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        yield bound.getsockname()[1]
