"""A local server that speaks as much of the Hugging Face hub and of ModelScope as their clients need for a download."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FakeHub:
    """What the server serves, and what it was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.token = ""
        """Where set, files are only for who sends it: 401 without one, 403 with another."""
        self.gate_listing = False
        """Whether the listing is gated too."""
        self.cut_after: int | None = None
        """Where set, the next longer body of a file breaks off after so many bytes."""
        self.failing = ""
        """Where set, this file is answered with status 400."""
        self.status = 0
        """Where set, every request is answered with it."""
        self.requests: list[tuple[str, str, str]] = []
        """(method, path, Range header) of every request."""
        self.url = ""

    def fetched(self, name: str) -> list[str]:
        """Range headers of the GET requests for a file."""
        return [sent for method, path, sent in self.requests if method == "GET" and path.endswith(name)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), parse_qs(parts.query)
        name = query.get("FilePath", [""])[0]
        self.hub.requests.append((self.command, name or path, self.headers.get("Range", "")))
        if self.hub.status:
            self._send(self.hub.status, b"{}")
        elif path.startswith("/api/v1/"):
            self._modelscope(path, name)
        elif path.startswith("/api/datasets/"):
            self._listing(path)
        else:
            self._file(path.partition(f"/resolve/{COMMIT}/")[2])

    def _listing(self, path: str) -> None:
        if self.hub.gate_listing and self._refuse():
            return
        if f"/tree/{COMMIT}" in path:
            entries = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in self.hub.files.items()
            ]
            self._send(200, json.dumps(entries).encode())
        else:
            self._send(200, json.dumps({"id": "myuniverse/EgoCross", "sha": COMMIT, "siblings": []}).encode())

    def _refuse(self) -> bool:
        sent = self.headers.get("Authorization", "")
        if not self.hub.token or sent == f"Bearer {self.hub.token}":
            return False
        self._send(403 if sent else 401, b"", {"X-Error-Code": "GatedRepo"})
        return True

    def _file(self, name: str) -> None:
        if self._refuse():
            return
        if name == self.hub.failing:
            self._send(400, b"")
            return
        if name not in self.hub.files:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        self._body(self.hub.files[name], {"X-Repo-Commit": COMMIT})

    def _modelscope(self, path: str, name: str) -> None:
        if path.endswith(("/repo/tree", "/repo/files")):
            entries = [
                {
                    "Path": name,
                    "Name": name,
                    "Type": "blob",
                    "Size": len(data),
                    "Sha256": hashlib.sha256(data).hexdigest(),
                }
                for name, data in self.hub.files.items()
            ]
            self._send(200, json.dumps({"Code": 200, "Success": True, "Data": {"Files": entries}}).encode())
        elif path.endswith("/repo") and name in self.hub.files:
            self._body(self.hub.files[name], {})
        else:
            self._send(404, b'{"Code": 404, "Success": false, "Message": "not found"}')

    def _body(self, data: bytes, headers: dict[str, str]) -> None:
        etag = hashlib.sha1(data).hexdigest()
        sent = self.headers.get("Range", "")
        status, start = 200, 0
        if sent.startswith("bytes="):
            first, _, last = sent.removeprefix("bytes=").partition("-")
            status, start = 206, int(first or 0)
            end = int(last) + 1 if last else len(data)
            headers = {**headers, "Content-Range": f"bytes {start}-{min(end, len(data)) - 1}/{len(data)}"}
            data = data[start:end]
        self._send(status, data, {**headers, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}, cut=self.hub.cut_after)

    def _send(self, status: int, data: bytes, headers: dict[str, str] | None = None, cut: int | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut is not None and cut < len(data):
            self.wfile.write(data[:cut])
            self.close_connection = True
            self.hub.cut_after = None
        else:
            self.wfile.write(data)


@contextmanager
def serve() -> Iterator[FakeHub]:
    """The server on a free port of this machine."""
    hub = FakeHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
