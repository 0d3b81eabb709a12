"""The response cache is used by several versions, and may be damaged."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from egocross_eval.runs.cache import ResponseCache
from egocross_eval.schema import Prompt, Request, Response
from egocross_eval.settings import GenerationSettings


@pytest.mark.parametrize("row", [b"{", b"{}", b"[" * 100_000, b"\xff", "text", 7, None])
def test_a_row_that_cannot_be_read_is_as_good_as_none(tmp_path: Path, row: object) -> None:
    request = Request(
        key="q", prompt=Prompt(messages=(), style="letter"), settings=GenerationSettings(), content_hash="0"
    )
    path = tmp_path / "responses.sqlite"
    cache = ResponseCache("model", path)
    cache.put(request, Response(key="q", text="B"))
    assert cache.get(request) == Response(key="q", text="B", cached=True)
    cache.close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE responses SET response = ?", (row,))
    cache = ResponseCache("model", path)
    assert cache.get(request) is None
    cache.close()
