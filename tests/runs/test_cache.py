"""The response cache is used by several versions, and may be damaged."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from fake_server import FakeServer

from egocross_eval import evaluate
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


def test_a_cache_that_fails_in_the_middle_is_done_without(tmp_path: Path) -> None:
    request = Request(
        key="q", prompt=Prompt(messages=(), style="letter"), settings=GenerationSettings(), content_hash="0"
    )
    cache = ResponseCache("model", tmp_path / "responses.sqlite")
    with sqlite3.connect(tmp_path / "responses.sqlite") as database:
        database.execute("DROP TABLE responses")
    with pytest.warns(UserWarning, match="going on without it"):
        cache.put(request, Response(key="q", text="B"))
    assert (cache.get(request), cache.knows_model()) == (None, False)
    cache.put(request, Response(key="q", text="B"))
    cache.close()


def test_a_run_goes_on_without_a_cache_that_cannot_be_used(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache" / "responses.sqlite").mkdir(parents=True)
    (tmp_path / "cache").chmod(0o700)
    monkeypatch.setenv("EGOCROSS_CACHE", str(tmp_path / "cache"))
    with FakeServer(answers="A") as server, pytest.warns(UserWarning, match="going on without a cache: can't use"):
        run = evaluate(f"openai:fake,base_url={server.base_url}", data=demo, output=tmp_path / "run", limit=2)
    assert run.results.complete
