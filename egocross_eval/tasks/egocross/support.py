"""Reads the support set, or any file in its ShareGPT form: frames, question and options, and a letter in reply."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Literal

import msgspec

from egocross_eval.contracts.task import DataSource, Questions
from egocross_eval.documents import read_json
from egocross_eval.errors import DataError, unknown
from egocross_eval.files import find_file
from egocross_eval.frames.roots import DataRoot
from egocross_eval.schema import Frame, Question
from egocross_eval.tasks.egocross.catalogue import DATASET_DOMAINS, DOMAINS, LETTERS, Cell, cell_of_folder, worded_as
from egocross_eval.tasks.egocross.clips import Clip, clip_names, in_time_order, parse_clip, parse_options
from egocross_eval.tasks.egocross.notices import Notice, common_notices, notice, summarise
from egocross_eval.tasks.egocross.times import frame_times, missing_frames, segment_end, time_rule

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "egocross_support_set"
QUESTIONS_NAME = "train.json"
PLACEHOLDER = "<image>"


class SupportMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One turn."""

    role: Literal["user", "assistant"]
    content: str


class SupportItem(msgspec.Struct, frozen=True, kw_only=True):
    """One example, as it's written."""

    messages: list[SupportMessage]
    images: list[str]
    """Relative to the folder of the file."""
    domain: str | None = None


def read_support(source: DataSource) -> Questions:
    """The support set (or a file of that form), with its answers; ids count from 1 in file order.

    Looked for as `egocross_support_set/train.json`, else as one `train_<domain>.json` per domain there. The file has
    no question type: it's taken from the clip folder's abbreviation, unless the question is worded as another type. It
    then carries another question's clip: there is a warning and the type stays empty.
    Raises `DataError` naming the file and the example.
    """
    return read_support_with_notices(source)[0]


def read_support_with_notices(source: DataSource) -> tuple[Questions, list[Notice]]:
    """As `read_support`, with what is remarkable about single questions."""
    root = DataRoot(source.root).path
    files = support_files(root, source.questions_file)
    questions: list[Question] = []
    notices: list[Notice] = []
    names: Counter[str] = Counter()
    for path in files:
        for place, item in enumerate(read_json(path, list[SupportItem]), 1):
            owner = f"{path}: example {place}"
            questions.append(_question(item, owner, _base(root, path), len(questions) + 1, names, notices))
    if not questions:
        raise DataError(f"{files[0]} has no examples")
    return Questions(root=root, questions=tuple(questions), files=files, warnings=summarise(notices)), notices


def support_files(root: Path, given: Path | None) -> tuple[Path, ...]:
    """The files to read; a `DataError` says how to get them where they aren't there."""
    whole = find_file(root, given, (f"{FOLDER}/{QUESTIONS_NAME}",))
    if whole is not None:
        return (whole,)
    parts = tuple(root / FOLDER / f"train_{domain}.json" for domain in DOMAINS)
    found = tuple(path for path in parts if path.is_file())
    if not found:
        raise DataError(
            f"there is no {QUESTIONS_NAME} in {root / FOLDER}; get it with "
            f"'egocross-eval data fetch support --to {root}' or name it by --questions"
        )
    if len(found) < len(parts):
        missing = ", ".join(path.name for path in parts if path not in found)
        raise DataError(f"{root / FOLDER} lacks {missing}; fetch it again, or name one file by --questions")
    return found


def _base(root: Path, path: Path) -> str:
    """Folder that image paths are relative to: the file's, or the support set's if the file isn't in one of the
    root's."""
    folder = path.resolve().parent
    if folder != root and folder.is_relative_to(root):
        return folder.relative_to(root).as_posix()
    return FOLDER


def _question(
    item: SupportItem, owner: str, base: str, number: int, names: Counter[str], notices: list[Notice]
) -> Question:
    text, options, answer = _conversation(item, owner)
    images = clip_names(item.images, owner)
    paths = [image if image.startswith(base + "/") else f"{base}/{image}" for image in images]
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
        question_id=_name(clip, names),
        domain=domain,
        dataset=clip.dataset,
        category=cell.category if cell else "",
        question_type=cell.question_type if cell else "",
        text=text,
        options=options,
        frames=tuple(Frame(name=name, time=time) for name, time in zip(ordered, times, strict=True)),
        video=clip.cluster,
        answer=answer,
        answer_text=options[answer],
        clip_end=segment_end(text),
    )
    if mismatch:
        notices.append(notice("wrong_clip", question, mismatch))
    if ordered != paths:
        notices.append(notice("unsorted_frames", question, f"the list of {len(paths)} frames is out of order"))
    missing = missing_frames(ordered, rule)
    if missing:
        notices.append(notice("dropped_frames", question, f"{missing} missing among {len(paths)} frames"))
    notices.extend(common_notices(question, rule))
    return question


def _conversation(item: SupportItem, owner: str) -> tuple[str, dict[str, str], str]:
    """Question text, options by letter and the right letter."""
    roles = [message.role for message in item.messages]
    if roles != ["user", "assistant"]:
        raise DataError(f"{owner}: the messages are {roles}, not one of the user and one of the assistant")
    content, reply = item.messages[0].content, item.messages[1].content.strip()
    marks = content.count(PLACEHOLDER)
    if marks != len(item.images):
        raise DataError(f"{owner}: {marks} {PLACEHOLDER} marks for {len(item.images)} images")
    lines = [line for line in re.sub(rf"^(?:\s*{PLACEHOLDER})+", "", content).strip().splitlines() if line.strip()]
    if len(lines) <= len(LETTERS):
        raise DataError(f"{owner}: the user message is not a question followed by {len(LETTERS)} option lines")
    if reply not in LETTERS:
        raise DataError(f"{owner}: the assistant's reply is {reply!r}, not one of A, B, C, D")
    text = "\n".join(line.rstrip() for line in lines[: -len(LETTERS)])
    if PLACEHOLDER in text:
        raise DataError(f"{owner}: {PLACEHOLDER} stands within the question instead of before it")
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
