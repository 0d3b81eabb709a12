"""Whether a server answers at all, asked before a client that would try again and again for most of a minute."""

from __future__ import annotations

import functools
import socket
from urllib.parse import SplitResult, urlsplit

PATIENCE = 4.0
"""Seconds until a server counts as out of reach."""

_PORTS = {"https": 443, "http": 80}


@functools.cache
def reachable(url: str) -> bool:
    """Whether the server of `url`, or the proxy that the environment names for it, takes a connection."""
    try:
        server = _server(url)
        port = server.port or _PORTS[server.scheme]
        socket.create_connection((server.hostname or "", port), timeout=PATIENCE).close()
    except (OSError, ValueError, KeyError):
        return False
    return True


def _server(url: str) -> SplitResult:
    from urllib.request import getproxies, proxy_bypass

    server = urlsplit(url)
    proxy = getproxies().get(server.scheme)
    if not proxy or proxy_bypass(server.hostname or ""):
        return server
    return urlsplit(proxy if "//" in proxy else f"//{proxy}", scheme="http")
