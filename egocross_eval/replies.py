"""What a verb replies: words to people and, by `--format json`, one JSON document of a known type to programs."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any, Generic, TextIO, TypeVar

import click
import msgspec

from egocross_eval.errors import EgoCrossError
from egocross_eval.files import write_file
from egocross_eval.visible import json_text

T_co = TypeVar("T_co", covariant=True)


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the place of a reply where a verb can't do what it was asked."""

    error: str
    """The thing, the place and the remedy; standard error says the same."""
    exit_code: int


class Reply(msgspec.Struct, Generic[T_co], frozen=True, kw_only=True):
    """What a verb has to say. The type of `value` is that of the document, and its schema is made of it."""

    value: T_co
    show: Callable[[], object] = lambda: None
    """Tells people what `value` says."""
    code: int = 0
    """The exit code."""
    output: Path | None = None
    """Where the document is written instead of standard output."""
    then: Callable[[], object] = lambda: None
    """What goes on after the reply, such as a server."""


Verb = Callable[..., Reply[Any] | None]


def replies(*forms: str, by_output: bool = False) -> Callable[[Verb], Callable[..., int]]:
    """Gives a verb `--format` of `forms` and `json`, and has it reply in the one that is asked for; by default in the
    first, or, with `by_output`, in the one that its file of `--output` wants.

    For programs standard output holds the document and nothing else, see `ours_alone`. A verb whose inner verb replies
    returns None.
    """
    known = list(dict.fromkeys([*(forms or ("text",)), "json"]))

    def decorate(verb: Verb) -> Callable[..., int]:
        @functools.wraps(verb)
        def replying(*arguments: Any, form: str | None, **given: Any) -> int:
            if form == "json" or _outer_form() == "json":
                reply = _replied(verb, arguments, given)
            else:
                reply = verb(*arguments, **given)
                if reply is not None:
                    reply.show()
            if reply is None:
                return 0
            reply.then()
            return reply.code

        return click.option(
            "--format",
            "form",
            type=click.Choice(known),
            default=None if by_output else known[0],
            show_default=True,
            help="Form of the output." + (" Default: by the suffix of --output." if by_output else ""),
        )(replying)

    return decorate


def _replied(verb: Verb, arguments: Sequence[Any], given: Mapping[str, Any]) -> Reply[Any] | None:
    """Replies for programs, also where the verb can't: then by a `Fault`."""
    with ours_alone() as out:
        try:
            reply = verb(*arguments, **given)
        except click.ClickException:
            raise  # put into words where the command line ends
        except EgoCrossError as error:
            reply = _fault(str(error), error.exit_code)
        except Exception as error:
            traceback.print_exc()
            reply = _fault(f"{type(error).__name__}: {error}", 1)
        if reply is not None:
            _write(reply, out)
    return reply


replying = replies
"""`replies` under the name that plugins import: `@replying()` gives a verb `--format text|json`. The verb returns a
`Reply`, and its return type is that of the JSON document."""


@contextmanager
def ours_alone() -> Iterator[TextIO]:
    """Standard output for programs: what writes to it. Whatever else is printed meanwhile, by the verb, by engines and
    by processes that they start, goes to standard error."""
    stream = sys.stdout
    stream.flush()
    if not _is_descriptor(stream, 1):
        with redirect_stdout(sys.stderr):
            yield stream
        return
    kept = os.dup(1)
    os.dup2(2, 1)
    out = open(kept, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    try:
        with redirect_stdout(sys.stderr):
            yield out
    finally:
        with suppress(OSError):  # of a reader that went away: told when it was written to
            out.close()
        os.dup2(kept, 1)
        os.close(kept)


def _is_descriptor(stream: TextIO, number: int) -> bool:
    try:
        return stream.fileno() == number
    except (OSError, ValueError):
        # A stream in memory has none, and needs none.
        return False


def _outer_form() -> str | None:
    """What was asked for before the name of an inner verb: `models --format json show hf`."""
    outer = click.get_current_context().parent
    return outer.params.get("form") if outer is not None else None


def _write(reply: Reply[Any], out: TextIO) -> None:
    text = json_text(reply.value)
    if reply.output is None:
        click.echo(text, file=out)
        return
    write_file(reply.output, text.encode() + b"\n")
    click.echo(f"wrote {reply.output}", err=True)


def reply_fault(message: str, exit_code: int, words: Sequence[str]) -> None:
    """Says what is wrong, also as a document where the `words` of the command line ask for JSON."""
    fault = _fault(message, exit_code)
    if asks_for_json(words):
        with suppress(OSError):  # where it's standard output that can't be written
            click.echo(json_text(fault.value))


def asks_for_json(words: Sequence[str]) -> bool:
    """Whether the words of a command line, which may be faulty, ask for one JSON document."""
    pairs = zip(words, [*words[1:], ""], strict=True)
    return not {"--format=json", "--json"}.isdisjoint(words) or ("--format", "json") in pairs


def _fault(message: str, exit_code: int) -> Reply[Fault]:
    """What stands in the place of a reply; people are told at once."""
    click.echo(f"Error: {message}", err=True)
    return Reply(value=Fault(error=message, exit_code=exit_code), code=exit_code)
