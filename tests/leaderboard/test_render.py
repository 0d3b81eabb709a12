"""The same rows as Markdown, CSV, JSON, LaTeX and HTML, whatever names they carry."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from scored_samples import outcomes, question, record, sample, score_samples

from egocross_eval.errors import UsageError
from egocross_eval.leaderboard.columns.declared import declared
from egocross_eval.leaderboard.links import safe_link
from egocross_eval.leaderboard.ranking import boards
from egocross_eval.leaderboard.render import escape_latex, render
from egocross_eval.leaderboard.rows import join_repeats, read_row_file, row_from_run
from egocross_eval.schema import Outcome, Row
from egocross_eval.tasks.egocross.published_rows import published_rows

HOSTILE = 'evil | **name**\n<script>alert("x")</script> & [a](javascript:b) `c` $d_e$ \\ ~f~'


def row(made: list[Outcome], *, origin: str = "a" * 64, link: str = "", **changes: Any) -> Row:
    domains = ["animal", "industry", "xsports", "surgery"]
    lines = [sample(question(n, domain=domains[n % 4]), outcome) for n, outcome in enumerate(made)]
    run = record(**{"question_count": len(lines), "settings": {"split": "demo"}, **changes})
    results = score_samples(lines, total=len(lines))
    return row_from_run(run, results, source="my-run", origin_hash=origin, link=link)


def good(**changes: Any) -> Row:
    return row(outcomes(right=6, wrong=5, not_parsed=1), **changes)


def markdown_cells(text: str) -> list[list[str]]:
    """Cells of the first table, by unescaped pipes."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def markdown_row(text: str, model: str) -> dict[str, str]:
    header, _, *rows = markdown_cells(text)
    (found,) = [cells for cells in rows if cells[1].startswith(model)]
    return dict(zip(header, found, strict=True))


def test_micro_and_macro_have_columns_of_their_own() -> None:
    cells = markdown_row(render(published_rows()), "GPT-4.1")
    assert cells["Micro"] == r"52.04\*"
    assert cells["Macro"] == "52.63"
    assert (cells["Animal"], cells["Industry"], cells["XSports"], cells["Surgery"]) == (
        "64.48",
        "45.71",
        "43.09",
        "57.24",
    )


def test_published_rows_are_marked_and_link_to_their_source() -> None:
    text = render(published_rows())
    header, _, *rows = markdown_cells(text)
    assert all("(published)" in cells[1] for cells in rows)
    assert markdown_row(text, "Gemini")["Source"].endswith("(https://arxiv.org/abs/2508.10729)")
    assert "Parsed" not in header


def test_a_run_shows_parsed_and_complete_shares_settings_and_date() -> None:
    cells = markdown_row(render([good(link="runs/my-run")]), "some-model")
    assert cells["Micro"] == "50.00"
    assert cells["Parsed"] == "91.6"
    assert cells["Answered"] == "100.0"
    assert cells["Settings"] == "style letter, frames all, media images, answers generate, seed 0"
    assert cells["Date"] == "2026-01-02"
    assert cells["Source"] == "[my-run](runs/my-run)"
    assert cells["Rank"] == "1"


def test_an_incomplete_run_shows_lower_bounds_and_no_rank() -> None:
    text = render([row(outcomes(right=6, wrong=4, errored=2))])
    cells = markdown_row(text, "some-model")
    assert cells["Rank"] == "–"
    assert cells["Micro"] == "≥ 50.00"
    assert cells["Answered"] == "83.3 (10/12)"
    assert "≥: some questions failed" in text
    assert "Not ranked, as not all questions are graded (2 errored): some-model." in text


def test_a_run_without_answers_shows_no_accuracy() -> None:
    lines = [sample(question(n, target=None), "unscored") for n in range(4)]
    results = score_samples(lines, total=4)
    cells = markdown_row(render([row_from_run(record(), results, source="r", origin_hash="a" * 64)]), "some-model")
    assert (cells["Rank"], cells["Micro"], cells["Macro"], cells["Answered"]) == ("–", "–", "–", "100.0")


def test_intervals_are_shown_on_request() -> None:
    (baseline,) = [r for r in published_rows() if r.model == "Qwen3-VL-4B baseline"]
    assert markdown_row(render([baseline]), "Qwen3")["Micro"] == "45.14"
    assert markdown_row(render([baseline], intervals="half-width"), "Qwen3")["Micro"] == "45.14 ± 4.7"
    assert markdown_row(render([baseline], intervals="ends"), "Qwen3")["Micro"] == r"45.14 \[40.5, 49.9\]"


def test_intervals_of_version_0_1_are_said_to_be_so() -> None:
    made = good()
    assert made.micro is not None
    old = replace(made, micro=replace(made.micro, interval="wilson"))
    assert "Interval (wilson): as version 0.1 found it" in render([old], intervals="ends")


def test_what_ranks_rest_on_is_said() -> None:
    text = render(published_rows())
    assert "the number of rows whose micro is shown to be better" in text
    assert "66 pairs of rows are compared by their intervals alone" in text
    assert "is shown to be better" not in render(published_rows()[:1])


def test_rows_with_outcomes_are_compared_question_by_question() -> None:
    text = render([good(), row(outcomes(right=8, wrong=4), origin="b" * 64, model="other")])
    assert "1 pair of rows is compared question by question, by how source videos differ" in text


def test_joined_runs_show_their_number_and_spread() -> None:
    rows = [good(generation={"seed": 1}), row(outcomes(right=8, wrong=4), origin="b" * 64, generation={"seed": 2})]
    cells = markdown_row(render(join_repeats(rows)), "some-model")
    assert cells["Model"] == "some-model (mean of 2 runs)"
    assert cells["Micro"] == "58.33"
    assert "sd 11.79 micro" in cells["Settings"]


def test_rows_over_other_questions_get_a_table_of_their_own() -> None:
    text = render([good(), *published_rows()])
    assert text.index("**EgoCross, testbed, 957 questions**") < text.index("**EgoCross, demo, 12 questions**")
    assert "some-model" not in text[: text.index("**EgoCross, demo")]


@pytest.mark.parametrize("format_", ["md", "csv", "json", "latex", "html"])
def test_every_format_ends_with_one_newline_and_takes_no_rows(format_: str) -> None:
    for rows in ([], [good(), *published_rows()]):
        text = render(rows, format_)
        assert text.endswith("\n")
        assert not text.endswith("\n\n")


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'latex'"):
        render([], "latx")


def test_a_name_that_several_models_have_is_said() -> None:
    animal, surgery = replace(good(), fingerprint="a1"), replace(good(), fingerprint="b2", source="other-run")
    text = render([animal, surgery])
    assert f"{animal.model} stands for 2 different models here, which their sources tell apart" in text
    assert "different models" not in render([animal, replace(animal, source="again")])


def test_a_hostile_name_stays_in_its_markdown_cell() -> None:
    text = render([replace(good(), model=HOSTILE, source=HOSTILE, date=HOSTILE)])
    header, _, *rows = markdown_cells(text)
    assert [len(cells) for cells in rows] == [len(header)]
    assert "<script>" not in text
    assert "[a](javascript" not in text
    assert rows[0][1].startswith(r"evil \| \*\*name\*\* &lt;script&gt;")


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=40))
def test_no_name_breaks_the_markdown_table(name: str) -> None:
    header, _, *rows = markdown_cells(render([replace(good(), model=name)]))
    assert [len(cells) for cells in rows] == [len(header)]


class Page(HTMLParser):
    """Tags, links and texts of the cells."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells and data.strip():
            self.cells[-1] += data


def parsed(text: str) -> Page:
    page = Page()
    page.feed(text)
    return page


def test_a_hostile_name_is_text_in_html() -> None:
    page = parsed(render([replace(good(), model=HOSTILE, link="javascript:alert(1)")], "html"))
    assert set(page.tags) <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li", "a", "div"}
    assert page.links == []
    assert HOSTILE in page.cells


def test_html_has_the_same_cells_as_markdown() -> None:
    rows = [good(), *published_rows()]
    page = parsed(render([rows[0]], "html"))
    cells = markdown_row(render([rows[0]]), "some-model")
    assert page.cells[len(page.cells) // 2 : -1] == list(cells.values())[:-1]


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://example.org/a?b=c", True),
        ("runs/my-run", True),
        ("../runs/my run", True),
        ("/absolute/run", True),
        ("javascript:alert(1)", False),
        ("JavaScript:alert(1)", False),
        ("data:text/html,x", False),
        ("//evil.example/x", False),
        ("\\\\evil\\share", False),
        ("java\nscript:alert(1)", False),
        ("http://[", False),
        ("https:nohost", False),
    ],
)
def test_only_web_addresses_and_paths_become_links(link: str, kept: bool) -> None:
    assert safe_link(link) == (link if kept else "")


def test_a_link_with_odd_characters_stays_one_link() -> None:
    cells = markdown_row(render([good(link="runs/a (b) | c")]), "some-model")
    assert cells["Source"] == "[my-run](runs/a%20%28b%29%20%7C%20c)"


def test_html_is_a_page_of_its_own_or_tables_for_one() -> None:
    page = render([good()], "html", page=True)
    assert page.startswith("<!doctype html>")
    assert "<td>some-model</td>" in page
    assert "<html" not in render([good()], "html")


def test_columns_are_chosen_by_name_in_the_order_given() -> None:
    rows = [good(), *published_rows()]
    text = render(rows, columns=["micro-interval", "model", "parts", "questions"])
    headers = [cells for cells in markdown_cells(text) if "Model" in cells]
    assert headers[0] == ["Micro, 95 % interval", "Model", "Animal", "Industry", "XSports", "Surgery", "Questions"]
    assert "Interval (" in text
    assert "Rank:" not in text
    ends = render(published_rows(), columns=["model", "parts-interval"])
    assert "Surgery, 95 % interval" in ends
    table = render(rows, "csv", columns=["model", "micro-interval"])
    assert table.splitlines()[0] == "model,published,repeats,micro_low,micro_high"


def test_every_declared_column_has_a_cell_in_every_format() -> None:
    rows = [good(), *join_repeats([good(generation={"seed": 1}), good(origin="b" * 64)]), *published_rows()]
    known = declared(boards(rows))
    for format_ in ("md", "html", "latex", "csv"):
        assert render(rows, format_, columns=list(known))
    fields = [name for column in known.values() for name in column.fields]
    header = render(rows, "csv").splitlines()[0].split(",")
    assert set(header) == set(fields)
    assert len(header) == len(set(header))
    assert all(column.title and column.meaning for column in known.values())


def test_the_document_names_every_column() -> None:
    page = (Path(__file__).parents[2] / "docs" / "leaderboard.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z-]+)`", page[page.index("## Columns") : page.index("## A published")]))
    assert set(declared([])) - named == set()


def test_a_group_called_like_another_column_has_a_column_of_its_own() -> None:
    made = good()
    row_ = replace(made, parts={"date": made.parts["animal"]})
    known = declared(boards([row_]))
    assert known["date"].title == "Date"
    assert known["part-date"].figure == "date"


def test_an_unknown_column_is_refused_and_json_keeps_all() -> None:
    with pytest.raises(UsageError, match=r"unknown column 'macr' \(did you mean 'macro'"):
        render([good()], columns=["macr"])
    with pytest.raises(UsageError, match="json holds everything"):
        render([good()], "json", columns=["macro"])


def test_csv_holds_numbers_ends_and_counts() -> None:
    lines = list(csv.DictReader(io.StringIO(render([good(), *published_rows()], "csv"))))
    mine = next(line for line in lines if line["model"] == "some-model")
    assert (mine["micro"], mine["micro_right"], mine["micro_n"], mine["rank"]) == ("50.0", "6", "12", "1")
    assert float(mine["micro_low"]) < 50 < float(mine["micro_high"])
    gpt = next(line for line in lines if line["model"] == "GPT-4.1")
    assert (gpt["published"], gpt["ranked_by"], gpt["published_overall"]) == ("yes", "macro", "52.63")
    assert (gpt["surgery_right"], gpt["surgery_n"]) == ("162", "283")
    assert float(gpt["macro"]) == pytest.approx(52.632102, abs=1e-6)


def test_csv_text_is_no_formula_for_a_spreadsheet() -> None:
    (line,) = csv.DictReader(io.StringIO(render([replace(good(), model="=cmd|' /C calc'!A1")], "csv")))
    assert line["model"].startswith("'=")


def test_json_can_be_read_again(tmp_path: Path) -> None:
    rows = [good(), *published_rows()]
    path = tmp_path / "board.json"
    path.write_text(render(rows, "json"))
    again = read_row_file(path)
    assert sorted(again, key=lambda r: r.model) == sorted(rows, key=lambda r: r.model)
    assert render(again, "md") == render(rows, "md")


def test_latex_is_a_booktabs_table_with_a_cell_for_each_header() -> None:
    text = render([replace(good(), model=HOSTILE), *published_rows()], "latex", intervals="ends")
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    columns = [len(re.findall(r"(?<!\\)&", line)) for line in body]
    specs = re.findall(r"\\begin\{tabular\}\{@\{\}([lr]+)@\{\}\}", text)
    assert len(specs) == 2
    assert set(columns) == {len(spec) - 1 for spec in specs}
    assert "GPT-4.1$^p$ & " in text
    assert "$^p$: measured by the source named" in text
    assert text.count(r"\toprule") == text.count(r"\midrule") == text.count(r"\bottomrule") == 2


@given(st.text(alphabet=r"a\&%$#_{}~^<>|[]", max_size=12))
def test_latex_text_has_no_active_character_left(text: str) -> None:
    escaped = escape_latex(text)
    commands = r"\\(?:textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar)\{\}"
    plain = re.sub(commands + r"|\\[&%$#_{}]|\{\[\}|\{\]\}", "", escaped)
    assert re.fullmatch("a*", plain)
