"""The site of runs that are under way, served on this machine alone and made anew as answers come.

The page and its Content-Security-Policy are the site's own; the server adds one script, which shows how the runs stand
and reloads the page when it was made anew. It answers only requests that name this machine and carry the token, and
gives out nothing but the files of the site.
"""

from __future__ import annotations

import contextlib
import hmac
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from egocross_eval.errors import UsageError
from egocross_eval.files import read_bytes
from egocross_eval.leaderboard.collect import run_folders
from egocross_eval.leaderboard.site.build import build_site
from egocross_eval.leaderboard.site.chart_library import chart_library
from egocross_eval.leaderboard.site.scripts import data_script
from egocross_eval.runs.store import SAMPLES_FILE

LOOKS_EVERY = 2.0
"""Seconds from one look at the run folders to the next."""

REST = 10
"""After a site was made, so many times what that took is waited before the next: watching must not slow the run."""

_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_NAME = re.compile(r"(?:[a-z]+/)?[A-Za-z0-9-]+\.[a-z]+")
"""Files of a site: no way leads out of its folder."""

_ASSET = Path(__file__).parent / "assets" / "live.js"
_NOTHING_YET = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Nothing answered yet</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; style-src 'self'">
<script defer src="assets/core.js"></script><script defer src="assets/dom.js"></script></head>
<body><main id="content"><p>No question is answered yet.</p></main></body></html>
"""


class LiveSite:
    """A context manager: serves while it's open."""

    def __init__(self, path: Path, standings: Callable[[], Any], *, port: int = 0) -> None:
        """`standings` are what the page shows of each run, as msgspec encodes it.

        Raises `UsageError` where the port can't be had, and `MissingExtraError` without the extra `site`.
        """
        chart_library()
        self._path, self._standings = path, standings
        self._token = secrets.token_urlsafe(24)
        self._scratch = Path(tempfile.mkdtemp(prefix="egocross-live-"))
        self._folder: Path | None = None
        self._made = 0
        self._lengths: dict[Path, int] = {}
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        except OSError as error:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise UsageError(f"--port {port}: {error.strerror or error}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="live", daemon=True)

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self._server.server_port}/{self._token}/"

    def __enter__(self) -> LiveSite:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def keep_up_to_date(self) -> None:
        """Makes the site anew whenever answers came, until KeyboardInterrupt."""
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                begun = time.monotonic()
                made = self.refresh()
                time.sleep(max(LOOKS_EVERY, REST * (time.monotonic() - begun)) if made else LOOKS_EVERY)

    def refresh(self) -> bool:
        """Makes the site anew if answers came since; whether it did."""
        lengths = self._current_lengths()
        if lengths == self._lengths or not any(lengths.values()):
            return False
        folder = self._scratch / str(self._made + 1)
        try:
            build_site([path for path, length in lengths.items() if length], folder)
        except UsageError:
            # A folder in the middle of being made; there's another look soon.
            return False
        self._lengths, self._made = lengths, self._made + 1
        old, self._folder = self._folder, folder
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)
        return True

    def _current_lengths(self) -> dict[Path, int]:
        try:
            folders = [folder.path for folder in run_folders(self._path)]
        except UsageError:  # a sweep whose first run has no folder yet
            return {}
        samples = {folder: folder / SAMPLES_FILE for folder in folders}
        return {folder: file.stat().st_size if file.is_file() else 0 for folder, file in samples.items()}

    def content(self, target: str) -> tuple[str, bytes] | None:
        """Type and bytes of what a path means; None for whatever isn't served."""
        _, token, *rest = [*unquote(urlsplit(target).path).split("/"), ""]
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        name = "/".join(rest[:-1]) or "index.html"
        if name == "live.js":
            return "text/javascript", _ASSET.read_bytes()
        if name == "data/status.js":
            return "text/javascript", data_script("status", {"made": self._made, "runs": self._standings()})
        return self._file(name)

    def _file(self, name: str) -> tuple[str, bytes] | None:
        if self._folder is None:
            return self._before_the_first(name)
        path = self._folder / name
        if path.suffix not in _KINDS or not _NAME.fullmatch(name):
            return None
        try:
            content = read_bytes(path, follow=False)
        except UsageError:
            return None
        return _KINDS[path.suffix], _with_script(content) if name == "index.html" else content

    @staticmethod
    def _before_the_first(name: str) -> tuple[str, bytes] | None:
        if name == "index.html":
            return "text/html", _with_script(_NOTHING_YET)
        if name in ("assets/core.js", "assets/dom.js"):
            return "text/javascript", (_ASSET.parent / Path(name).name).read_bytes()
        return None


def _with_script(page: bytes) -> bytes:
    return page.replace(b"</head>", b'<script defer src="live.js"></script>\n</head>', 1)


def _handler(site: LiveSite) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Reads only, and only for pages of this machine: a name that leads here from elsewhere isn't one of ours."""

        server_version = "egocross-eval"
        sys_version = ""

        def do_GET(self) -> None:
            """Gives out a file of the site."""
            found = site.content(self.path) if self._asked_here() else None
            kind, content = found if found is not None else ("text/plain", b"not found\n")
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Cross-Origin-Resource-Policy", "same-origin")
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(content)

        def _asked_here(self) -> bool:
            host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
            return host in ("127.0.0.1", "localhost")

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: the address holds the token."""

    return Handler
