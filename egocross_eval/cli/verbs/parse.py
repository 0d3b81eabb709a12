"""`egocross-eval parse`: try the answer extraction on a text or on a file of outputs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from egocross_eval.command_options import renamed
from egocross_eval.errors import UsageError
from egocross_eval.files import read_bytes, writing
from egocross_eval.replies import Reply, replies
from egocross_eval.visible import visible_json

if TYPE_CHECKING:
    from egocross_eval.reading import Extraction

_CONTEXT = 60


class ReadingRules(msgspec.Struct, frozen=True, kw_only=True):
    """How letters are read: what each rule and each reason means, rules in their order."""

    rules: dict[str, str]
    reasons: dict[str, str]


class LinesWritten(msgspec.Struct, frozen=True, kw_only=True):
    """A file of which each line is what was read from an output."""

    output: Path
    lines: int


@click.command(name="parse")
@click.argument("text", required=False)
@click.option("--option", "options", multiple=True, metavar="A=TEXT", help="An option and its text; repeat it.")
@renamed("-o", "--option", multiple=True)
@click.option("--letters", help="The valid letters. [default: those of --option, else ABCD]")
@click.option("--jsonl", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read outputs from FILE.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the lines of --jsonl here.")
@replies()
@renamed("--json", "--format", value="json")
@click.option("--rules", is_flag=True, help="List the rules and the reasons for having no answer.")
def command(
    text: str | None,
    options: tuple[str, ...],
    letters: str | None,
    jsonl: Path | None,
    output: Path | None,
    rules: bool,
) -> Reply[Extraction | list[Extraction] | ReadingRules | LinesWritten]:
    """Read the answer letter from TEXT (- reads standard input).

    Prints the letter, the rule that read it and the place in the text, or why there is no answer. --jsonl reads
    lines of {"output", "options", "letters"} and writes lines of {"letter", "rule", "span", "reason"}; lines without
    options or letters take those of the command line.

    \b
    egocross-eval parse "It is not A, so (B) it is." --option A=scalpel --option B=forceps
    egocross-eval parse --jsonl outputs.jsonl --output letters.jsonl
    """
    if sum((rules, jsonl is not None, text is not None)) != 1:
        raise UsageError("parse needs one of: a TEXT (or - for standard input), --jsonl FILE, --rules")
    if output is not None and jsonl is None:
        raise UsageError("--output goes with --jsonl; a single TEXT is printed")
    from egocross_eval.reading import REASONS, RULES

    if rules:
        return Reply(value=ReadingRules(rules=dict(RULES), reasons=dict(REASONS)), show=_print_rules)
    if text is not None:
        given = sys.stdin.buffer.read().decode("utf-8", errors="replace") if text == "-" else text
        found = _parse_text(given, _read_options(options), letters)
        return Reply(value=found, show=lambda: _show(given, found))
    assert jsonl is not None
    extractions = _extractions(jsonl, _read_options(options), letters)
    if output is not None:
        return Reply(value=LinesWritten(output=output, lines=_write_lines(output, extractions)))
    every = list(extractions)
    return Reply(value=every, show=lambda: _print_lines(every))


def _read_options(pairs: tuple[str, ...]) -> dict[str, str]:
    options = {}
    for pair in pairs:
        letter, equals, text = pair.partition("=")
        if not equals or len(letter.strip()) != 1:
            raise UsageError(f"--option {pair!r}: write it as LETTER=TEXT, such as --option A=scalpel")
        options[letter.strip()] = text.strip()
    return options


def _parse_text(text: str, options: dict[str, str], letters: str | None) -> Extraction:
    from egocross_eval.reading import extract

    try:
        return extract(text, options, letters or ("" if options else "ABCD"))
    except ValueError as error:
        raise UsageError(f"--letters: {error}") from error


def _show(text: str, found: Extraction) -> None:
    from egocross_eval.reading import REASONS

    if found.letter is None:
        click.echo(f"no answer  {found.reason}: {REASONS[found.reason or 'no_answer']}")
    else:
        click.echo(f"letter  {found.letter}\nrule    {found.rule}\nspan    {_in_context(text, found)}")


def _in_context(text: str, found: Extraction) -> str:
    """The offsets and the marked evidence with what stands around it, on one line."""
    start, end = found.span or (0, 0)
    before = ("…" if start > _CONTEXT else "") + text[max(0, start - _CONTEXT) : start]
    after = text[end : end + _CONTEXT] + ("…" if end + _CONTEXT < len(text) else "")
    return f"{start}:{end}  {' '.join(before.split(' '))}»{text[start:end]}«{after}".replace("\r", " ").replace(
        "\n", " "
    )


def _print_rules() -> None:
    from egocross_eval.cli.show.terminal import described
    from egocross_eval.reading import REASONS, RULES

    for title, entries in (("Rules, in order", RULES), ("Reasons for having no answer", REASONS)):
        click.echo(f"{title}:")
        click.echo(described(entries.items(), indent=2))


def _line(found: Extraction) -> str:
    return visible_json(msgspec.json.encode(found).decode())


def _print_lines(extractions: list[Extraction]) -> None:
    for found in extractions:
        click.echo(_line(found))


def _write_lines(target: Path, extractions: Iterator[Extraction]) -> int:
    """How many lines were written."""
    count = 0
    with writing(target) as file:
        for count, found in enumerate(extractions, 1):  # noqa: B007
            file.write(_line(found).encode() + b"\n")
    return count


def _extractions(source: Path, options: dict[str, str], letters: str | None) -> Iterator[Extraction]:
    from egocross_eval.documents import decode_json_lines
    from egocross_eval.reading import extract

    class Line(msgspec.Struct):
        output: str | None
        options: dict[str, str] | None = None
        letters: str | list[str] | None = None

    for number, line in decode_json_lines(read_bytes(source), Line, str(source)):
        try:
            own = line.options or options
            yield extract(line.output or "", own, line.letters or letters or ("" if own else "ABCD"))
        except ValueError as error:
            raise UsageError(f"{source}, line {number}: {error}") from error
