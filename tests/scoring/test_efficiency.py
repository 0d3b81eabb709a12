"""What answers took: counted from samples, shown in tables, priced by a user's table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from calling import call
from msgspec.structs import replace

from egocross_eval import ModelAdapter, Request, Response, Row, UsageError, evaluate
from egocross_eval.leaderboard.collect import rows_from
from egocross_eval.leaderboard.prices import ModelPrice, PriceTable, priced, read_prices
from egocross_eval.leaderboard.render import render
from egocross_eval.leaderboard.row_checks import row_problem
from egocross_eval.leaderboard.rows import join_repeats
from egocross_eval.leaderboard.site.tables import site_tables
from egocross_eval.scoring.efficiency import joined_efficiency

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


class Telling(ModelAdapter):
    """An engine that tells all that an engine can."""

    def generate(self, requests: Iterator[Request]) -> Iterator[Response]:
        for number, request in enumerate(requests):
            yield Response(
                key=request.key,
                text="A",
                input_tokens=1000,
                reused_tokens=400 if number % 2 else 0,
                output_tokens=10,
                first_token_seconds=0.1 * (number % 3),
                token_seconds=0.01,
            )

    def details(self) -> dict[str, object]:
        return {"frame_pixels": 50176, "frame_tokens": 49}

    def fingerprint(self) -> str:
        return "telling"


@pytest.fixture(scope="module")
def row(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Row:
    run = evaluate(Telling(), data=demo, limit=10, output=tmp_path_factory.mktemp("runs") / "run", cache=False)
    return rows_from([run.path])[0]


def test_a_row_tells_what_its_answers_took(row: Row) -> None:
    took = row.efficiency
    assert took is not None
    assert (took.questions, took.requests, took.input_tokens, took.output_tokens) == (10, 10, 10_000, 100)
    assert (took.reused_tokens, took.reused_share) == (2000, 0.2)
    assert took.first_token_seconds == pytest.approx(0.1)
    assert took.token_seconds == 0.01
    assert (took.frame_pixels, took.frame_tokens) == (50176, 49)
    assert took.questions_a_second is not None
    assert took.right == row.counts["right"] > 0
    assert took.tokens_a_right_answer == pytest.approx(10_100 / took.right)


def test_what_engines_do_not_say_is_left_open(tmp_path: Path) -> None:
    run = evaluate("baseline:chance", split="demo", limit=10, output=tmp_path / "run")
    took = run.results.efficiency
    assert took is not None
    assert took.tokens_a_right_answer is None
    assert (took.reused_tokens, took.reused_share, took.first_token_seconds, took.frame_tokens) == (None,) * 4


def test_tables_show_it_where_asked_and_csv_always(row: Row) -> None:
    plain = render([row], "md")
    assert "Reused" not in plain
    asked = render([row], "md", columns=["model", "right-tokens", "reused", "first-token", "frame", "price"])
    assert "20.0" in asked
    assert "50,176 px, 49 tokens" in asked
    (line,) = csv.DictReader(io.StringIO(render([row], "csv")))
    assert (line["reused"], line["frame_tokens"], line["price"]) == ("20.0", "49", "")


def test_the_site_shows_what_some_row_knows(row: Row) -> None:
    (table,) = site_tables([row], {})
    names = [column.name for column in table.columns]
    assert [name for name in ("speed", "right-tokens", "reused", "frame") if name in names] == [
        "speed",
        "right-tokens",
        "reused",
        "frame",
    ]
    assert "price" not in names
    (dear,) = site_tables(priced([row], PriceTable(models={"*": ModelPrice(input=1.0)})), {})
    assert "price" in [column.name for column in dear.columns]
    (silent,) = site_tables([replace(row, efficiency=None)], {})
    assert not {"speed", "right-tokens", "reused", "frame"} & {column.name for column in silent.columns}


def prices(tmp_path: Path, text: str) -> PriceTable:
    (tmp_path / "prices.yaml").write_text(text)
    return read_prices(tmp_path / "prices.yaml")


def test_a_price_is_that_of_tokens_and_hours(row: Row, tmp_path: Path) -> None:
    table = prices(tmp_path, "currency: EUR\nmodels: {'python:T*': {input: 2, reused: 0.5, output: 10}}")
    (found,) = priced([row], table)
    assert found.efficiency is not None
    assert found.efficiency.price == pytest.approx((8000 * 2 + 2000 * 0.5 + 100 * 10) / 1e6)
    assert "0.02 EUR" in render([found], "md", columns=["model", "price"])

    assert row.efficiency is not None
    slow = replace(row, efficiency=replace(row.efficiency, questions_a_second=10 / 3600))
    (by_hour,) = priced([slow], prices(tmp_path, "models: {'*': {hour: 3}}"))
    assert by_hour.efficiency is not None
    assert by_hour.efficiency.price == pytest.approx(3)
    unknown = replace(row, efficiency=replace(row.efficiency, questions_a_second=None))
    (none,) = priced([unknown], prices(tmp_path, "models: {'*': {hour: 3}}"))
    assert none.efficiency is not None
    assert none.efficiency.price is None
    assert priced([row], prices(tmp_path, "models: {'hf:*': {hour: 3}}")) == [row]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: {x: {inptu: 2}}", "inptu"),
        ("models: {x: {input: -2}}", "no amount of money"),
        ("models: {x: {input: .nan}}", "no amount of money"),
        ("models: {x: {input: cheap}}", "input"),
        ("currency: EUR", "models"),
    ],
)
def test_mistakes_in_a_table_of_prices_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=f"price table .*{message}"):
        prices(tmp_path, text)


def test_the_command_line_takes_prices(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rows.json").write_text(render([row], "json"))
    (tmp_path / "p.yaml").write_text("currency: EUR\nmodels: {'*': {input: 100}}")
    shown = ["--no-published", "--prices", str(tmp_path / "p.yaml"), "--columns", "model,price"]
    assert call("leaderboard", tmp_path / "rows.json", *shown) == 0
    assert "1.00 EUR" in capsys.readouterr().out


def test_forged_figures_are_refused(row: Row) -> None:
    assert row.efficiency is not None
    assert row_problem(row) == ""
    for changes in ({"input_tokens": -1}, {"questions_a_second": float("inf")}, {"price": float("nan")}):
        assert "impossible" in row_problem(replace(row, efficiency=replace(row.efficiency, **changes)))


def test_joined_runs_add_up(row: Row) -> None:
    assert row.efficiency is not None
    both = joined_efficiency([row.efficiency, replace(row.efficiency, token_seconds=0.03)])
    assert both is not None
    assert (both.questions, both.input_tokens, both.reused_tokens) == (20, 20_000, 4000)
    assert both.token_seconds == pytest.approx(0.02)
    assert both.questions_a_second == pytest.approx(row.efficiency.questions_a_second)
    assert joined_efficiency([row.efficiency, None]) is None
    other = replace(row, settings=row.settings | {"seed": "1"}, origin_hash="b" * 64)
    (joined,) = join_repeats([row, other])
    assert joined.efficiency is not None
    assert joined.efficiency.questions == 20
