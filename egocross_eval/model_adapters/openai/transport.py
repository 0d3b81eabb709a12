"""HTTP: one session to one server, bodies written piece by piece, and the faults of connections told apart."""

from __future__ import annotations

import asyncio
import urllib.request
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pybase64
from aiohttp.abc import AbstractStreamWriter

from egocross_eval import __version__
from egocross_eval.model_adapters.openai.address import ApiKey
from egocross_eval.model_adapters.openai.body import EncodedFrame, Piece
from egocross_eval.model_adapters.openai.faults import AttemptFault, bad_response

LARGEST_REPLY = 64 * 2**20
"""Bytes of a reply after which it's given up: no answer is that long, and a broken proxy can send without end."""

UPLOAD_BYTES = 64 * 2**20
"""Frame bytes held at once by the requests that are being sent; a single larger request goes alone."""

CONNECT_SECONDS = 30.0


class HttpReply(msgspec.Struct, frozen=True):
    """A complete reply."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class JsonBody(aiohttp.Payload):
    """A body whose frames are put into base64 one at a time, as the connection takes them.

    Each piece is let go once written, so that nothing of it is left while the server thinks; `on_sent` is called after
    the last one, or when sending ends early.
    """

    _default_content_type = "application/json"

    def __init__(self, pieces: list[Piece], on_sent: Callable[[], None]) -> None:
        super().__init__(None)
        self._on_sent = on_sent
        self._pieces = deque(pieces)
        self._size = sum(piece.size if isinstance(piece, EncodedFrame) else len(piece) for piece in pieces)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The body as text (for debugging tools of the HTTP library)."""
        return b"".join(_ready(piece) for piece in self._pieces).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Writes all pieces; waits whenever the connection's buffer is full."""
        pieces = self._pieces
        try:
            while pieces:
                await writer.write(_ready(pieces.popleft()))
        finally:
            self._on_sent()


def _ready(piece: Piece) -> bytes:
    return piece if isinstance(piece, bytes) else pybase64.b64encode(piece.data)


class Hold:
    """A share of an `UploadBudget`, given back once."""

    def __init__(self, budget: UploadBudget, size: int) -> None:
        self._budget = budget
        self._size = size

    def release(self) -> None:
        """Gives the share back; further calls do nothing."""
        size, self._size = self._size, 0
        if size:
            self._budget.give_back(size)


class UploadBudget:
    """Bounds the bytes held by requests that are being sent. First come, first served."""

    def __init__(self, limit: int = UPLOAD_BYTES) -> None:
        self._limit = limit
        self._held = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> Hold:
        """Waits until `size` bytes fit, or until nothing else is held."""
        if not self._waiting and self._fits(size):
            self._held += size
            return Hold(self, size)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back(size)
            raise
        return Hold(self, size)

    def give_back(self, size: int) -> None:
        """Frees `size` bytes for those that wait."""
        self._held -= size
        while self._waiting:
            needed, turn = self._waiting[0]
            if not turn.cancelled():
                if not self._fits(needed):
                    return
                self._held += needed
                turn.set_result(None)
            self._waiting.popleft()

    def _fits(self, size: int) -> bool:
        return self._held == 0 or self._held + size <= self._limit


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
