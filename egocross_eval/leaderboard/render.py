"""Rows as text: Markdown, CSV, JSON, LaTeX or HTML, all from the same tables."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from typing import TYPE_CHECKING, Literal, get_args

from egocross_eval.errors import UsageError, unknown
from egocross_eval.leaderboard.columns.column import PUBLISHED, Ranked
from egocross_eval.leaderboard.columns.declared import PAPER, TABLE, check_names, chosen, declared
from egocross_eval.leaderboard.ranking import boards
from egocross_eval.leaderboard.rows import RowFile, row_file
from egocross_eval.leaderboard.table import Cell, Table, table_of
from egocross_eval.visible import json_text, on_one_line, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from egocross_eval.leaderboard.columns.column import Field, IntervalStyle
    from egocross_eval.leaderboard.ranking import Board
    from egocross_eval.schema import Row

Format = Literal["md", "csv", "json", "latex", "html"]


def render(
    rows: Sequence[Row],
    format: str = "md",
    *,
    intervals: IntervalStyle = "none",
    sort: str = "micro",
    columns: Sequence[str] | None = None,
    page: bool = False,
) -> str:
    """A leaderboard of `rows` as text that ends with a newline.

    Rows over different questions stand in different tables (CSV: in one, told apart by columns). `columns` names what
    is shown, in that order (see `columns.declared`). `json` is the lossless form that `rows.read_row_file` reads. With
    `page`, HTML is a page of its own, else tables to be put into one. Text of rows is escaped: model names and links
    may come from anyone.
    """
    if format not in get_args(Format):
        raise unknown("format", format, get_args(Format))
    found = boards(rows, sort=sort)
    return render_boards(found, format, intervals=intervals, sort=sort, columns=columns, page=page)


def exported(found: Sequence[Board], columns: Sequence[str] | None = None) -> RowFile:
    """The rows of boards as they are exported. Raises `UsageError` where `columns` are chosen."""
    if columns:
        raise UsageError("json holds everything, so that it can be read again; columns can't be chosen")
    return row_file([row for board in found for row in board.rows], [rank for board in found for rank in board.ranks])


def render_boards(
    found: Sequence[Board],
    format: str,
    *,
    intervals: IntervalStyle = "none",
    sort: str = "micro",
    columns: Sequence[str] | None = None,
    page: bool = False,
) -> str:
    """`render`, of boards that were made before."""
    if found:
        check_names(columns or (), found)
    if format == "json":
        return json_text(exported(found, columns)) + "\n"
    if format == "csv":
        return _csv(found, columns)
    default = PAPER if format == "latex" else TABLE
    tables = [table_of(board, intervals=intervals, sort=sort, columns=columns, default=default) for board in found]
    if format == "html":
        return _html(tables, page)
    if not found:
        return "No runs.\n"
    markup: dict[str, Callable[[Sequence[Table]], str]] = {"md": _markdown, "latex": _latex}
    return markup[format](tables)


def escape_markdown(text: str) -> str:
    """`text` as it should be read, within a table cell or a line of Markdown."""
    text = on_one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
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
            headers=[escape_markdown(column.title) for column in table.columns],
            tablefmt="pipe",
            disable_numparse=True,
            colalign=["right" if column.number else "left" for column in table.columns],
        )
        notes = "\n".join(f"- {escape_markdown(note)}" for note in table.notes)
        blocks.append(f"**{escape_markdown(table.title)}**\n\n{text}\n\n{notes}")
    return "\n\n".join(blocks) + "\n"


def _latex(tables: Sequence[Table]) -> str:
    """Floats for a paper, as wide as its text: `\\usepackage{booktabs}`, and `\\usepackage[utf8]{inputenc}` or a newer
    engine. What must be known of the figures is in the caption; sources belong into the bibliography."""
    return "\n\n".join(_latex_table(table) for table in tables) + "\n"


def _latex_table(table: Table) -> str:
    align = "".join("r" if column.number else "l" for column in table.columns)
    rows = [" & ".join(_short(cell.text) for cell in row) + r" \\" for row in table.rows]
    return "\n".join(
        [
            r"\begin{table*}[t]",
            r"\centering",
            r"\footnotesize",
            r"\setlength{\tabcolsep}{3pt}",
            rf"\caption{{{escape_latex(table.title)}. {' '.join(_short(note) for note in table.notes)}}}",
            rf"\begin{{tabular}}{{@{{}}{align}@{{}}}}",
            r"\toprule",
            " & ".join(escape_latex(column.title) for column in table.columns) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table*}",
        ]
    )


def _short(text: str) -> str:
    """Escaped, with a letter for what a column has no room for."""
    return escape_latex(text).replace(f" {PUBLISHED}", "$^p$").replace(PUBLISHED, "$^p$")


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
    return "".join(_LATEX.get(char, char) for char in on_one_line(text))


def _html(tables: Sequence[Table], page: bool) -> str:
    """Static tables, without script; every text is escaped."""
    from jinja2 import Environment, PackageLoader

    # Only plain texts: what a template itself makes is escaped already.
    environment = Environment(
        autoescape=True,
        loader=PackageLoader("egocross_eval.leaderboard"),
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    text = environment.get_template("leaderboard.html.j2").render(tables=tables, page=page)
    return text.rstrip("\n") + "\n"


def _csv(found: Sequence[Board], names: Sequence[str] | None) -> str:
    """One line for each row: percentages in full precision with the ends of their intervals, counts and texts."""
    known = declared(found)
    everything = [name for name in known if not known[name].interval]
    # Groups differ from benchmark to benchmark: each board brings its own.
    shown = {column.name: column for board in found for column in chosen(board, names or everything)}
    fields = {name: get for column in (shown or known).values() for name, get in column.fields.items()}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(_csv_value, fields))
    for board in found:
        for ranked in map(Ranked, board.rows, board.ranks):
            writer.writerow([_csv_value(get(ranked)) for get in fields.values()])
    return out.getvalue()


_FORMULA_SIGNS = ("=", "+", "-", "@")


def _csv_value(value: Field) -> Field:
    """Text in a form that a spreadsheet doesn't run as a formula."""
    if not isinstance(value, str):
        return value
    text = on_one_line(value)
    # Some spreadsheets take signs of full width too.
    return f"'{text}" if unicodedata.normalize("NFKC", text[:1]) in _FORMULA_SIGNS else text
