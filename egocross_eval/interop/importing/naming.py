"""Which question each answer of a log is to: as the log itself says, by a map, or by the order of what was asked."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from egocross_eval.contracts.importer import ForeignAnswer
from egocross_eval.counted import agreed, counted
from egocross_eval.documents import decode_json, refuse_repeated_keys
from egocross_eval.errors import UsageError
from egocross_eval.files import read_bytes
from egocross_eval.natural_order import natural_key
from egocross_eval.schema import Question
from egocross_eval.scoring.predictions_file import name_some

_NUMBER = re.compile("[0-9]{1,18}")


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """The answers, each with the name of a question."""

    answers: list[tuple[str, ForeignAnswer]]
    unknown: tuple[str, ...] = ()
    """The tool's names of answers that the map doesn't have."""
    unused: tuple[str, ...] = ()
    """Names of the map that are none of the log's."""


def named(
    answers: Sequence[ForeignAnswer],
    questions: Sequence[Question],
    *,
    in_order: bool = False,
    names: Mapping[str, str] | None = None,
) -> Named:
    """Names the answers' questions.

    Where `names` or `in_order` is given, the tool's names mean what the map or their order says, and nothing else; only
    a question's name beside them counts as it stands. Raises `UsageError` where both are given, where one is given and
    nothing needs it, where answers without a question's name have neither, or where their order isn't sure.
    """
    if names is not None and in_order:
        raise UsageError("--map and --in-order each say which questions are meant: leave one out")
    if names is None and not in_order:
        _refuse_nameless([answer for answer in answers if not answer.question], questions)
        return Named(answers=[(answer.question, answer) for answer in answers])
    own = [(answer.question, answer) for answer in answers if _is_own(answer)]
    theirs = [answer for answer in answers if not _is_own(answer)]
    if own and not theirs:
        option = "--in-order" if in_order else "--map"
        raise UsageError(f"{option}: the log names its questions itself, such as {own[0][0]!r}; leave {option} out")
    if names is None:
        return Named(answers=[*own, *_by_order(theirs, questions)])
    _refuse_no_match(theirs, questions, names)
    used = {_tool_name(answer) for answer in theirs}
    return Named(
        answers=[*own, *((names[_tool_name(one)], one) for one in theirs if _tool_name(one) in names)],
        unknown=tuple(_tool_name(one) for one in theirs if _tool_name(one) not in names),
        unused=tuple(name for name in names if name not in used),
    )


def read_map(path: Path) -> dict[str, str]:
    """A JSON mapping from a tool's names of questions to ours.

    Raises `DataError` for anything else, and for a name that is there twice.
    """
    content = read_bytes(path)
    names = decode_json(content, dict[str, str | int], f"map {path}")
    refuse_repeated_keys(content, f"map {path}")
    return {name: str(value) for name, value in names.items()}


def _is_own(answer: ForeignAnswer) -> bool:
    """Whether an answer has a question's name beside the tool's own."""
    return bool(answer.question and answer.position) and answer.question != answer.position


def _tool_name(answer: ForeignAnswer) -> str:
    return answer.position or answer.question or answer.place


def _refuse_nameless(nameless: Sequence[ForeignAnswer], questions: Sequence[Question]) -> None:
    if nameless:
        raise UsageError(
            f"{nameless[0].place}: {counted(len(nameless), 'answer')} {agreed(len(nameless), 'does', 'do')}n't say "
            "which question is meant; pass --map FILE, a JSON "
            f"mapping from the tool's names such as {nameless[0].position!r} to question_ids, or --in-order where all "
            f"{counted(len(questions), 'question')} {agreed(len(questions), 'was', 'were')} asked in the order "
            "of their ids"
        )


def _refuse_no_match(answers: Sequence[ForeignAnswer], questions: Sequence[Question], names: Mapping[str, str]) -> None:
    """Raises `UsageError` for a map that has none of the tool's names."""
    known = dict.fromkeys(_tool_name(answer) for answer in answers)
    if not known or any(name in names for name in known):
        return
    ours = {name for question in questions for name in (question.key, str(question.id))}
    turned = names and ours.issuperset(names) and not known.keys().isdisjoint(names.values())
    remedy = "it has them as values: turn it round" if turned else "write them as the log has them"
    raise UsageError(
        f"--map: none of its {counted(len(names), 'name')} ({name_some(list(names))}) is one of the log's, such as "
        f"{next(iter(known))!r}; it maps the tool's names to question_ids: {remedy}"
    )


def _by_order(answers: Sequence[ForeignAnswer], questions: Sequence[Question]) -> list[tuple[str, ForeignAnswer]]:
    """Answers with the keys of the questions whose ids are in the same order as the tool's names."""
    names = [_tool_name(answer) for answer in answers]
    tasks = {name.rpartition("/")[0] for name in names}
    if len(tasks) > 1:
        raise UsageError(f"--in-order: the log is of several tasks ({name_some(sorted(tasks))}); pass --map FILE")
    ordered = sorted(set(names), key=natural_key)
    _refuse_gaps(ordered)
    if len(ordered) != len(questions):
        raise UsageError(
            f"--in-order: the log has answers to {counted(len(ordered), 'question')}, and there are "
            f"{len(questions)}; choose "
            "those that were asked by --tasks, or pass --map FILE"
        )
    keys = {name: question.key for name, question in zip(ordered, questions, strict=True)}
    return [(keys[name], answer) for name, answer in zip(names, answers, strict=True)]


def _refuse_gaps(names: Sequence[str]) -> None:
    """Raises `UsageError` where the tool's numbers of questions, in their order, leave some out, or are no numbers."""
    numbers = [name.rpartition("/")[2] for name in names]
    for before, after in itertools.pairwise(numbers):
        if not (_NUMBER.fullmatch(before) and _NUMBER.fullmatch(after) and int(after) == int(before) + 1):
            raise UsageError(
                f"--in-order: after the tool's question {before!r} comes {after!r}, so some are left out; pass --map "
                "FILE"
            )
