"""HTTP: one session to one server, and the faults of connections told apart."""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from types import TracebackType
from urllib.parse import urlsplit

import aiohttp
import msgspec

from egocross_eval.model_adapters.openai.address import ApiKey
from egocross_eval.model_adapters.openai.faults import AttemptFault, bad_response
from egocross_eval.model_adapters.openai.pieces import JsonBody
from egocross_eval.version import __version__

LARGEST_REPLY = 64 * 2**20
"""Bytes of a reply after which it's given up: no answer is that long, and a broken proxy can send without end."""

MODELS = "/models"

CONNECT_SECONDS = 30.0


class HttpReply(msgspec.Struct, frozen=True):
    """A complete reply."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class Transport:
    """A session to the server at `base_url`. An async context manager: opens nothing before it's entered."""

    def __init__(self, base_url: str, key: ApiKey, *, timeout: float, connections: int) -> None:
        self.key = key
        self._base_url = base_url
        self._timeout = aiohttp.ClientTimeout(total=timeout, sock_connect=min(CONNECT_SECONDS, timeout))
        self._seconds = timeout
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Transport:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, limit_per_host=0, ttl_dns_cache=300),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": f"egocross-eval/{__version__}", "Accept": "application/json", **self.key.headers()},
            timeout=self._timeout,
            proxy=_proxy(self._base_url),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def post(self, path: str, body: JsonBody) -> HttpReply:
        """Sends a body and reads the whole reply, whatever its status. Raises `AttemptFault` where none arrives."""
        return await self._exchange("POST", path, body)

    async def get(self, path: str) -> HttpReply:
        """Reads `path`. Raises `AttemptFault` where no reply arrives."""
        return await self._exchange("GET", path, None)

    async def _exchange(self, method: str, path: str, body: JsonBody | None) -> HttpReply:
        assert self._session is not None
        url = self._base_url + path
        try:
            # A redirect would turn a POST into a GET or carry the key elsewhere: it's reported instead.
            async with self._session.request(method, url, data=body, allow_redirects=False) as response:
                return HttpReply(response.status, response.headers, await _read(response))
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise AttemptFault(
                "connection",
                f"can't connect to {self._base_url} ({_reason(error)})",
                retryable=not isinstance(error, aiohttp.ClientConnectorCertificateError),
                contact="unreachable",
            ) from error
        except TimeoutError as error:
            # Two more chances: a question that never ends shouldn't take all its retries times the whole timeout.
            raise AttemptFault(
                "timeout",
                f"no complete reply within {self._seconds:g} s (timeout=)",
                retryable=True,
                contact="faulty",
                most_retries=2,
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise AttemptFault(
                "connection", f"the connection broke off ({_reason(error)})", retryable=True, contact="faulty"
            ) from error


async def _read(response: aiohttp.ClientResponse) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > LARGEST_REPLY:
            response.close()
            raise bad_response(f"the reply is longer than {LARGEST_REPLY >> 20} MB")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _reason(error: BaseException) -> str:
    detail = getattr(error, "os_error", None) or error
    return f"{type(error).__name__}: {getattr(detail, 'strerror', None) or detail}"


def _proxy(base_url: str) -> str | None:
    """The proxy that the environment names for this address (HTTPS_PROXY, NO_PROXY, ...); none for this machine."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127.") or urllib.request.proxy_bypass(parts.netloc):
        return None
    proxies: Mapping[str, str] = urllib.request.getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")
