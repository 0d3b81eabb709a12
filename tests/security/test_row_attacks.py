"""Rows and results of others: what they can't be is refused by name, what they claim to be is not believed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from calling import call
from hostile import rewrite
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from egocross_eval.errors import UsageError
from egocross_eval.leaderboard.collect import rows_from
from egocross_eval.leaderboard.links import safe_link
from egocross_eval.leaderboard.render import render
from egocross_eval.leaderboard.rows import distinct, read_row_file

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def row_file(run: Path, tmp_path: Path) -> Path:
    """An exported row, to be made hostile."""
    path = tmp_path / "board" / "rows.json"
    path.parent.mkdir()
    assert call("leaderboard", run, "--no-published", "--output", path) == 0
    return path


def change(path: Path, what: Change) -> None:
    rewrite(path, lambda content: what(content["rows"][0]["row"]))


def figures_of(accuracy: float) -> dict[str, Any]:
    return {"right": 10_000, "wrong": 1, "n": 10_001, "accuracy": accuracy, "low": 0.0, "high": 1.0}


IMPOSSIBLE: dict[str, Change] = {
    "accuracy above the counts": lambda row: row["micro"].update(accuracy=0.9999),
    "accuracy that is no number": lambda row: row["micro"].update(accuracy=float("nan")),
    "infinite accuracy": lambda row: row["micro"].update(high=float("inf")),
    "negative counts": lambda row: row["micro"].update(right=-1, wrong=5),
    "fractions of questions": lambda row: row["micro"].update(right=1.5),
    "counts as texts": lambda row: row["micro"].update(right="2"),
    "more questions than were asked": lambda row: row.update(micro=figures_of(10_000 / 10_001), outcomes={}),
    "other counts beside it": lambda row: row["counts"].update(right=4),
    "negative counts beside it": lambda row: row["counts"].update(stolen=-5),
    "huge counts beside it": lambda row: row["counts"].update(stolen=10**30),
    "macro of its own": lambda row: row["macro"].update(accuracy=0.99, high=1.0),
    "groups larger than all": lambda row: row["parts"].update(more=figures_of(10_000 / 10_001)),
    "chance above one": lambda row: row["micro"].update(chance=7.0),
    "clusters without end": lambda row: row["micro"].update(clusters=10**12),
    "spread of one run": lambda row: row.update(micro_spread=0.1),
    "many runs that were one": lambda row: row.update(repeats=1000),
    "decimals without end": lambda row: row.update(decimals=10**9),
    "a note like published rows": lambda row: row.update(note="confirmed by the authors"),
    "a published figure": lambda row: row.update(published_overall=99.99, ranked_by="micro"),
    "no hash": lambda row: row.update(origin_hash=""),
    "a name of a megabyte": lambda row: row.update(model="A" * 2**20),
    "a setting of a megabyte": lambda row: row["settings"].update(style="A" * 2**20),
    "a date that sorts first": lambda row: row.update(date="zzzz"),
    "settings that nest": lambda row: row["settings"].update(style=[[[[]]]]),
    "outcomes that are no numbers": lambda row: row.update(outcomes={"xsports": {"": "nan nan nan nan "}}),
    "outcomes beyond the mark": lambda row: row.update(outcomes={"xsports": {"": "1e400 1 1 1 "}}),
    "outcomes of other questions": lambda row: row.update(outcomes={"xsports": {"": "11"}}),
    "fields of its own": lambda row: row.update(verified=True) or row["micro"].update(extra=1),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_a_row_that_cannot_be_is_refused_by_file_and_row(row_file: Path, name: str) -> None:
    change(row_file, IMPOSSIBLE[name])
    with pytest.raises(UsageError) as error:
        read_row_file(row_file)
    assert str(row_file) in str(error.value)
    assert len(str(error.value)) < 500


def test_a_file_cannot_call_its_row_published(row_file: Path) -> None:
    def publish(row: dict[str, Any]) -> None:
        row.update(published=True, origin_hash="", published_overall=99.99, ranked_by="micro", model="GPT-4.1")

    change(row_file, publish)
    with pytest.warns(UserWarning, match=r"left out: .*'GPT-4.1' calls itself published"):
        assert read_row_file(row_file) == []


def test_a_published_row_is_taken_from_the_benchmark_and_not_from_the_file(run: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    assert call("leaderboard", run, "--output", path) == 0

    def adorn(content: dict[str, Any]) -> None:
        for ranked in content["rows"]:
            if ranked["row"]["published"]:
                ranked["row"].update(model="Mine", link="https://evil.example", note="confirmed")

    rewrite(path, adorn)
    published = [row for row in read_row_file(path) if row.published]
    assert published
    assert not any(row.model == "Mine" or "evil" in row.link or row.note == "confirmed" for row in published)


def test_a_name_cannot_say_that_it_is_published(row_file: Path) -> None:
    change(row_file, lambda row: row.update(model="Best (published)"))
    assert "published" not in render(read_row_file(row_file)).lower()


def test_a_row_cannot_claim_to_be_over_a_whole_split(row_file: Path) -> None:
    change(row_file, lambda row: row["benchmark"].update(sizes={"demo": 4}, title="Better board"))
    (row,) = read_row_file(row_file)
    assert row.benchmark.title == "EgoCross"
    assert "demo" not in row.benchmark.sizes


def test_a_row_that_claims_the_hash_of_another_does_not_hide_it(row_file: Path, run: Path) -> None:
    (own,) = rows_from([run])
    change(row_file, lambda row: row.update(model="Impostor"))
    assert [row.model for row in distinct([*read_row_file(row_file), own])] == ["Impostor", own.model]
    assert distinct([own, replace(own, source="copy")]) == [own]


LINKS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    " javascript:alert(1)",
    "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "//evil.example/x",
    "\\\\evil.example\\x",
    "https://github.com@evil.example/x",
    "https://user:password@evil.example/x",
    "https:///x",
    "http://[::1",
    "https://good.example/\u202egpj.exe",
    "ftp://evil.example",
    "C:/x",
]


@pytest.mark.parametrize("link", LINKS)
def test_only_web_addresses_are_links(row_file: Path, link: str) -> None:
    assert safe_link(link) == ""
    change(row_file, lambda row: row.update(link=link))
    assert [row.link for row in rows_from([row_file])] == [""]


@pytest.mark.parametrize("link", ["../../../../../../etc/passwd", "/etc", "../board", ".", "rows.json", "\x00"])
def test_a_path_is_a_link_only_to_the_run_that_the_row_is_of(row_file: Path, link: str) -> None:
    change(row_file, lambda row: row.update(link=link))
    assert [row.link for row in rows_from([row_file])] == [""]


def test_a_link_to_a_run_of_others_goes(row_file: Path, run: Path) -> None:
    assert [row.link for row in rows_from([row_file], relative_to=run.parent)] == ["run"]
    with (run / "samples.jsonl").open("a") as samples:
        samples.write("\n")
    assert [row.link for row in rows_from([row_file], relative_to=run.parent)] == [""]


@given(st.sampled_from("=+-@＝＋－＠﹣﹢﹦﹫\t\r"), st.text(max_size=5))
def test_no_cell_begins_as_a_formula(sign: str, rest: str) -> None:
    from egocross_eval.leaderboard.render import _csv_value

    shown = _csv_value(f"{sign}{rest}")
    assert isinstance(shown, str)
    assert shown[:1] not in tuple("=+-@＝＋－＠﹣﹢﹦﹫\t\r")


def test_no_cell_and_no_heading_of_a_table_begins_as_a_formula(row_file: Path) -> None:
    evil = '=HYPERLINK("https://evil.example","x")'

    def poison(row: dict[str, Any]) -> None:
        row.update(model=evil, source=f"＝{evil}", split=f" {evil}", settings={"=a": evil})
        row["parts"] = {evil: next(iter(row["parts"].values()))}
        row.update(macro=None, outcomes={})

    change(row_file, poison)
    for line in csv.reader(io.StringIO(render(read_row_file(row_file), "csv"))):
        assert not [cell for cell in line if cell[:1] in ("=", "+", "-", "@", "＝")]


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"kind": "egocross-eval rows", "schema_version": 2, "rows": ' + b"[" * 100_000,
        b'{"kind": "egocross-eval rows", "schema_version": ' + b"9" * 5000 + b"}",
        b'{"kind": "egocross-eval rows", "schema_version": 2.5, "rows": []}',
        b'{"kind": "egocross-eval rows", "schema_version": -1, "rows": [{}]}',
        b'{"kind": "egocross-eval rows", "schema_version": 1, "rows": 7}',
        b'{"kind": "egocross-eval rows", "schema_version": 1, "rows": [{"row": []}]}',
        b'{"kind": "egocross-eval rows", "schema_version": 1, "rows": [{"row": {"domains": 7}}]}',
        b'{"kind": "egocross-eval rows", "schema_version": 2, "rows": {"rank": 1}}',
        b"\xff\xfe{}",
        b"\x00" * 100,
        b"null",
    ],
)
def test_a_file_that_is_none_of_rows_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"rows\.json"):
        read_row_file(path)


def test_a_huge_file_of_rows_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(UsageError, match="more than"):
        read_row_file(path)


@pytest.mark.parametrize(
    "name", ["accuracy above the counts", "infinite accuracy", "negative counts", "chance above one"]
)
def test_results_of_a_foreign_run_that_cannot_be_are_refused(run: Path, name: str, tmp_path: Path) -> None:
    def forge(results: dict[str, Any]) -> None:
        IMPOSSIBLE[name](results)

    rewrite(run / "results.json", forge)
    with pytest.raises(UsageError, match="results"):
        rows_from([run])
    assert call("site", run, "--output", tmp_path / "site") == 2


def test_numbers_that_json_lacks_are_refused(run: Path) -> None:
    text = (run / "results.json").read_text()
    accuracy = json.dumps(json.loads(text)["micro"]["accuracy"])
    for number in ("NaN", "Infinity", "1e400", "9" * 400):
        (run / "results.json").write_text(text.replace(f'"accuracy": {accuracy}', f'"accuracy": {number}', 1))
        with pytest.raises(UsageError, match="results"):
            rows_from([run])
