"""Rows as text: Markdown, CSV, JSON, LaTeX or HTML, all from the same tables."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Literal, get_args

from egocross_eval.errors import unknown
from egocross_eval.leaderboard.ranking import Board, boards, figure_of
from egocross_eval.leaderboard.rows import encode_row_file
from egocross_eval.leaderboard.table import (
    Cell,
    IntervalStyle,
    Table,
    complete_share,
    parsed_share,
    part_columns,
    safe_link,
    settings_text,
    table_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from egocross_eval.schema import Row

Format = Literal["md", "csv", "json", "latex", "html"]


def render(rows: Sequence[Row], format: str = "md", *, intervals: IntervalStyle = "none", sort: str = "micro") -> str:
    """A leaderboard of `rows` as text that ends with a newline.

    Rows over different questions stand in different tables (CSV: in one, told apart by columns). `json` is the
    lossless form that `rows.read_row_file` reads. Text of rows is escaped: model names and links may come from
    anyone.
    """
    if format not in get_args(Format):
        raise unknown("format", format, get_args(Format))
    found = boards(rows, sort=sort)
    if format == "json":
        ordered = [row for board in found for row in board.rows]
        return encode_row_file(ordered, [rank for board in found for rank in board.ranks]).decode()
    if format == "csv":
        return _csv(found)
    if not found:
        return "No runs.\n"
    markup: dict[str, Callable[[Sequence[Table]], str]] = {"md": _markdown, "latex": _latex, "html": _html}
    return markup[format]([table_of(board, intervals=intervals, sort=sort) for board in found])


def one_line(text: str) -> str:
    """`text` on one line: runs of white space and control characters become single spaces."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f\u2028\u2029]", " ", text).split())


def escape_markdown(text: str) -> str:
    """`text` as it should be read, within a table cell or a line of Markdown."""
    text = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~])", r"\\\1", text)


def _markdown_cell(cell: Cell) -> str:
    text = escape_markdown(cell.text)
    if not cell.link:
        return text
    target = re.sub(r"[\s<>()|\\]", lambda found: f"%{ord(found[0]):02X}", cell.link)
    return f"[{text}]({target})"


def _markdown(tables: Sequence[Table]) -> str:
    from tabulate import tabulate

    blocks = []
    for table in tables:
        text = tabulate(
            [[_markdown_cell(cell) for cell in row] for row in table.rows],
            headers=[_markdown_cell(cell) for cell in table.headers],
            tablefmt="pipe",
            disable_numparse=True,
            colalign=_alignment(table),
        )
        notes = "\n".join(f"- {escape_markdown(note)}" for note in table.notes)
        blocks.append(f"**{escape_markdown(table.title)}**\n\n{text}\n\n{notes}")
    return "\n\n".join(blocks) + "\n"


def _alignment(table: Table) -> list[str]:
    return ["right" if cell.number else "left" for cell in table.headers]


def _latex(tables: Sequence[Table]) -> str:
    """booktabs tables; each needs `\\usepackage{booktabs}` and `\\usepackage[utf8]{inputenc}` (or a newer engine)."""
    blocks = []
    for table in tables:
        columns = "".join("r" if cell.number else "l" for cell in table.headers)
        lines = [f"% {one_line(table.title)}", f"\\begin{{tabular}}{{{columns}}}", "\\toprule"]
        lines.append(" & ".join(escape_latex(cell.text) for cell in table.headers) + r" \\")
        lines.append("\\midrule")
        # The source is the last column; a URL belongs into the bibliography.
        lines += [" & ".join(escape_latex(cell.text) for cell in row) + r" \\" for row in table.rows]
        lines += ["\\bottomrule", "\\end{tabular}"]
        lines += [f"% {one_line(note)}" for note in table.notes]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "≥": r"$\geq$",
    "†": r"$\dagger$",
    "–": "--",
    "[": "{[}",
    "]": "{]}",
}


def escape_latex(text: str) -> str:
    """`text` as it should be read in LaTeX. Brackets are braced, for they would be read as an argument of a row
    end."""
    return "".join(_LATEX.get(char, char) for char in one_line(text))


_HTML = """\
{% for table in tables -%}
<table class="egocross-leaderboard">
<caption>{{ table.title }}</caption>
<thead><tr>
{%- for cell in table.headers %}<th scope="col"{% if cell.number %} class="number"{% endif %}>{{ cell.text }}</th>
{%- endfor %}</tr></thead>
<tbody>
{% for row in table.rows -%}
<tr>
{%- for cell in row %}<td{% if cell.number %} class="number"{% endif %}>
{%- if cell.link %}<a href="{{ cell.link }}" rel="noopener nofollow">{{ cell.text }}</a>
{%- else %}{{ cell.text }}{% endif -%}
</td>{% endfor %}</tr>
{% endfor -%}
</tbody>
</table>
<ul class="egocross-leaderboard-notes">
{% for note in table.notes %}<li>{{ note }}</li>
{% endfor -%}
</ul>
{% endfor -%}
"""


def _html(tables: Sequence[Table]) -> str:
    """Static tables to be put into a page, without style or script; every text is escaped."""
    from jinja2 import Environment

    return Environment(autoescape=True).from_string(_HTML).render(tables=tables)


_CSV_TEXT = ("model", "source", "settings", "note", "link", "date", "split", "ranked_by", "origin_hash")


def _csv(found: Sequence[Board]) -> str:
    """One line for each row: percentages in full precision with the ends of their intervals, counts and texts."""
    names = ["micro", "macro", *dict.fromkeys(name for board in found for name in part_columns(board))]
    fields = _record_fields(names)
    out = io.StringIO()
    writer = csv.DictWriter(out, fields, lineterminator="\n")
    writer.writeheader()
    for board in found:
        writer.writerows(_record(row, rank, names) for row, rank in zip(board.rows, board.ranks, strict=True))
    return out.getvalue()


def _record_fields(names: Sequence[str]) -> list[str]:
    figures = [f"{name}{part}" for name in names for part in ("", "_low", "_high", "_right", "_n")]
    head = ["rank", "model", "source", "published", "ranked_by", "published_overall", "complete", "split", "questions"]
    tail = ["repeats", "micro_sd", "macro_sd", "parsed", "answered", "settings", "date", "link", "origin_hash", "note"]
    return [*head, *figures, *tail]


def _record(row: Row, rank: int | None, names: Sequence[str]) -> dict[str, str | int | float | None]:
    record: dict[str, str | int | float | None] = {
        "rank": rank,
        "model": row.model,
        "source": row.source,
        "published": "yes" if row.published else "no",
        "ranked_by": row.ranked_by,
        "published_overall": row.published_overall,
        "complete": "yes" if row.complete else "no",
        "split": row.split,
        "questions": row.question_count,
        "repeats": row.repeats,
        "micro_sd": _points(row.micro_spread),
        "macro_sd": _points(row.macro_spread),
        "parsed": _points(parsed_share(row)),
        "answered": _points(complete_share(row)),
        "settings": settings_text(row) if row.settings else "",
        "date": row.date,
        "link": safe_link(row.link),
        "origin_hash": row.origin_hash,
        "note": row.note,
    }
    for name in names:
        figure = figure_of(row, name)
        if figure is not None:
            record[name] = _points(figure.accuracy)
            record[f"{name}_low"], record[f"{name}_high"] = _points(figure.low), _points(figure.high)
            record[f"{name}_right"], record[f"{name}_n"] = figure.right, figure.n
    return {key: _csv_text(value) if key in _CSV_TEXT else value for key, value in record.items()}


def _points(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 6)


def _csv_text(value: str | int | float | None) -> str:
    """Text that a spreadsheet doesn't run as a formula."""
    text = one_line(str(value or ""))
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
