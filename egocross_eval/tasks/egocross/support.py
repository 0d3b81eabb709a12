"""Reads the support set, or any file in its ShareGPT form: frames, question and options, and a letter in reply."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from egocross_eval.contracts.task import DataSource, Questions
from egocross_eval.counted import counted
from egocross_eval.documents import decode_entries
from egocross_eval.errors import DataError, unknown
from egocross_eval.files import read_bytes
from egocross_eval.frames.roots import DataRoot
from egocross_eval.schema import Frame, Question
from egocross_eval.tasks.egocross.catalogue import DATASET_DOMAINS, LETTERS, Cell, cell_of_folder, worded_as
from egocross_eval.tasks.egocross.clips import Clip, clip_names, in_time_order, parse_clip, parse_options
from egocross_eval.tasks.egocross.layout import SUPPORT_FOLDER, Prefix, frame_prefix, no_frames, support_files
from egocross_eval.tasks.egocross.notices import Notice, common_notices, notice, summarise
from egocross_eval.tasks.egocross.source import root_of, with_root
from egocross_eval.tasks.egocross.times import frame_times, missing_frames, time_rule

if TYPE_CHECKING:
    from pathlib import Path

PLACEHOLDER = "<image>"

_ROLES = {"human": "user", "gpt": "assistant"}
"""The names that ShareGPT's own form has for them."""


class SupportMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One turn."""

    role: str
    content: str


class SupportTurn(msgspec.Struct, frozen=True, kw_only=True):
    """One turn in ShareGPT's own form."""

    role: str = msgspec.field(name="from")
    content: str = msgspec.field(name="value")


class SupportItem(msgspec.Struct, frozen=True, kw_only=True):
    """One example, as it's written: with `messages` or `conversations`."""

    images: list[str]
    """Relative to the folder of the file."""
    messages: list[SupportMessage] = []
    conversations: list[SupportTurn] = []
    domain: str | None = None


def read_support(source: DataSource) -> Questions:
    """The support set (or a file of that form), with its answers; ids count from 1 in file order.

    Looked for as `train.json`, else as one `train_<domain>.json` per domain, where `layout` finds them; a JSON list or
    JSON lines. There is no question type in it: that's taken from the clip folder's abbreviation, unless the question
    is worded as another type. It then carries another question's clip: there is a warning and the type stays empty.
    Raises `DataError` naming the file and the example.
    """
    return read_support_with_notices(source)[0]


def read_support_with_notices(source: DataSource) -> tuple[Questions, list[Notice]]:
    """As `read_support`, with what is remarkable about single questions."""
    source = with_root(source)
    root = DataRoot(root_of(source)).path
    files = support_files(root, source.questions_file)
    questions: list[Question] = []
    notices: list[Notice] = []
    names: Counter[str] = Counter()
    found = False
    for path in files:
        items = decode_entries(read_bytes(path), SupportItem, str(path))
        prefix = frame_prefix(root, path, SUPPORT_FOLDER, [item.images for item in items])
        found = found or prefix is not None
        for place, item in enumerate(items, 1):
            owner = f"{path}: example {place}"
            questions.append(_question(item, owner, prefix or _usual(root, path), len(questions) + 1, names, notices))
    if not questions:
        raise DataError(f"{files[0]} has no examples")
    return Questions(
        root=root,
        questions=tuple(questions),
        files=files,
        warnings=summarise(notices),
        no_frames="" if found else no_frames(root, SUPPORT_FOLDER, questions),
    ), notices


def _usual(root: Path, path: Path) -> Prefix:
    """Where image paths lead if nothing is there: to the file's folder, or to the support set's if the file isn't in
    one of the root's."""
    folder = path.resolve().parent
    below = folder.relative_to(root).as_posix() if folder != root and folder.is_relative_to(root) else SUPPORT_FOLDER
    return Prefix(f"{below}/", f"{below}/")


def _question(
    item: SupportItem, owner: str, prefix: Prefix, number: int, names: Counter[str], notices: list[Notice]
) -> Question:
    text, options, answer = _conversation(item, owner)
    paths = [prefix.name(image) for image in clip_names(item.images, owner)]
    clip = parse_clip(paths, owner)
    if clip.dataset not in DATASET_DOMAINS:
        raise DataError(f"{owner}: {unknown('dataset', clip.dataset, DATASET_DOMAINS)}")
    domain = DATASET_DOMAINS[clip.dataset]
    if item.domain is not None and item.domain != domain:
        raise DataError(f"{owner}: domain is {item.domain!r}, but {clip.dataset} belongs to {domain!r}")
    ordered = in_time_order(paths, clip)
    rule = time_rule(clip.dataset, ordered[0], "support")
    times = frame_times(ordered, rule)
    cell, mismatch = _cell(clip, text)
    question = Question(
        id=number,
        key=_name(clip, names),
        labels={
            "domain": domain,
            "dataset": clip.dataset,
            "category": cell.category if cell else "",
            "question_type": cell.question_type if cell else "",
        },
        text=text,
        options=options,
        frames=tuple(Frame(name=name, time=time) for name, time in zip(ordered, times, strict=True)),
        cluster=clip.cluster,
        target=answer,
        references={"answer_text": options[answer]},
    )
    if mismatch:
        notices.append(notice("wrong_clip", question, mismatch))
    if ordered != paths:
        notices.append(
            notice("unsorted_frames", question, f"the list of {counted(len(paths), 'frame')} is out of order")
        )
    missing = missing_frames(ordered, rule)
    if missing:
        notices.append(notice("dropped_frames", question, f"{missing} missing among {counted(len(paths), 'frame')}"))
    notices.extend(common_notices(question, rule))
    return question


def _conversation(item: SupportItem, owner: str) -> tuple[str, dict[str, str], str]:
    """Question text, options by letter and the right letter."""
    turns = item.messages or item.conversations
    roles = [_ROLES.get(turn.role, turn.role) for turn in turns]
    if roles != ["user", "assistant"]:
        raise DataError(
            f"{owner}: the messages are {roles}, not one of the user and one of the assistant; make it one example for "
            "each question, without other messages"
        )
    content, reply = turns[0].content, turns[1].content.strip()
    marks = content.count(PLACEHOLDER)
    if marks != len(item.images):
        raise DataError(f"{owner}: {marks} {PLACEHOLDER} marks for {counted(len(item.images), 'image')}")
    # Wherever the marks stand: the frames of a clip are shown in their order, before the question.
    lines = [line for line in content.replace(PLACEHOLDER, "").splitlines() if line.strip()]
    if len(lines) <= len(LETTERS):
        raise DataError(f"{owner}: the user message is not a question followed by {len(LETTERS)} option lines")
    if reply not in LETTERS:
        raise DataError(f"{owner}: the assistant's reply is {reply!r}, not one of A, B, C, D")
    text = "\n".join(line.rstrip() for line in lines[: -len(LETTERS)]).lstrip()
    return text, parse_options(lines[-len(LETTERS) :], owner), reply


def _cell(clip: Clip, text: str) -> tuple[Cell | None, str]:
    """The cell that the clip's folder names, or None and what speaks against it."""
    cell = cell_of_folder(clip.dataset, clip.abbreviation)
    worded = worded_as(text)
    if cell is not None and worded is not None and worded != cell.question_type:
        folder = clip.folder.rpartition("/")[2]
        return None, f"worded as {worded!r}, but its frames are those of {folder!r} ({cell.question_type!r})"
    return cell, ""


def _name(clip: Clip, names: Counter[str]) -> str:
    """A question_id from the clip's path; a second question on the same clip folder gets a number."""
    name = f"{clip.dataset}_{clip.video}_q{clip.number}_{clip.abbreviation}"
    names[name] += 1
    return name if names[name] == 1 else f"{name}_{names[name]}"
