"""The response cache: one SQLite file, shared by all runs and safe for several processes."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.directories import cache_directory
from egocross_eval.documents import decode_json
from egocross_eval.errors import DataError, RunError, warn_caller
from egocross_eval.schema import Request, Response

_COMMIT_EVERY = 32
"""Responses between commits: losing a few to a kill costs asking them again, and only if their samples are lost too."""


class ResponseCache:
    """Responses by model fingerprint and request content. Failures are never kept."""

    def __init__(self, fingerprint: str, path: Path | None = None) -> None:
        self._path = path or cache_directory() / "responses.sqlite"
        self._fingerprint = fingerprint.encode()
        self._model = hashlib.sha256(self._fingerprint).digest()
        self._is_listed = False
        self._lock = threading.Lock()
        self._pending = 0
        self._usable = True
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(self._path, timeout=30, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("CREATE TABLE IF NOT EXISTS responses (key BLOB PRIMARY KEY, response BLOB) WITHOUT ROWID")
            self._db.execute("CREATE TABLE IF NOT EXISTS models (model BLOB PRIMARY KEY) WITHOUT ROWID")
            self._db.commit()
        except (OSError, sqlite3.Error) as error:
            raise RunError(
                f"can't use the response cache {self._path}: {error}; "
                f"set EGOCROSS_CACHE to another folder or pass --no-cache"
            ) from error

    def _key(self, request: Request) -> bytes:
        return hashlib.sha256(self._fingerprint + b"\0" + request.content_hash.encode()).digest()

    def knows_model(self) -> bool:
        """False where nothing that this model answered can be here: then nothing need be looked up."""
        return self._row("SELECT 1 FROM models WHERE model = ?", self._model) is not None

    def get(self, request: Request) -> Response | None:
        """The kept response, marked as cached and carrying this request's key; None where there is none."""
        found = self._row("SELECT response FROM responses WHERE key = ?", self._key(request))
        if found is None or not isinstance(found[0], bytes):
            return None
        try:
            response = decode_json(found[0], Response, str(self._path))
        except DataError:  # written by another version, or by someone else
            return None
        return msgspec.structs.replace(response, key=request.key, cached=True)

    def _row(self, query: str, value: bytes) -> Any:
        with self._lock:
            try:
                return self._db.execute(query, (value,)).fetchone() if self._usable else None
            except sqlite3.Error as error:
                return self._give_up(error)

    def put(self, request: Request, response: Response) -> None:
        """Keeps a response, unless it's a failure."""
        if response.failure is not None:
            return
        with self._lock:
            if self._usable:
                try:
                    self._put(self._key(request), msgspec.json.encode(response))
                except sqlite3.Error as error:
                    self._give_up(error)

    def _put(self, key: bytes, content: bytes) -> None:
        self._db.execute("INSERT OR REPLACE INTO responses VALUES (?, ?)", (key, content))
        if not self._is_listed:
            self._db.execute("INSERT OR IGNORE INTO models VALUES (?)", (self._model,))
            self._is_listed = True
        self._pending += 1
        if self._pending >= _COMMIT_EVERY:
            self._db.commit()
            self._pending = 0

    def _give_up(self, error: sqlite3.Error) -> None:
        """Goes on without: answers are worth more than what asking them again would cost."""
        self._usable = False
        warn_caller(f"the response cache {self._path} fails ({error}): going on without it")

    def close(self) -> None:
        """Commits and closes."""
        with self._lock:
            try:
                self._db.commit()
            except sqlite3.Error as error:
                self._give_up(error)
            self._db.close()
