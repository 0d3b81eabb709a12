"""Checks the frames of any task's questions: that each is there and whole."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from egocross_eval.contracts.task import Questions
from egocross_eval.errors import DataError
from egocross_eval.frames.check import check_frame
from egocross_eval.frames.roots import DataRoot


class FrameFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a frame of a question."""

    key: str
    frame: str
    trouble: str
    message: str


def check_questions(loaded: Questions, *, decode: bool = False) -> Iterator[FrameFinding]:
    """What is wrong with the frames of the questions, file by file; `decode` decodes each in full."""
    root = DataRoot(loaded.root) if loaded.root is not None else None
    seen: dict[str, FrameFinding | None] = {}
    for question in loaded.questions:
        for frame in question.frames:
            if frame.name not in seen:
                seen[frame.name] = _checked(question.key, frame.name, root, decode)
            found = seen[frame.name]
            if found is not None:
                yield msgspec.structs.replace(found, key=question.key)


def _checked(key: str, name: str, root: DataRoot | None, decode: bool) -> FrameFinding | None:
    if root is None:
        return FrameFinding(key=key, frame=name, trouble="missing", message="the task names no data root")
    try:
        check = check_frame(root.resolve_str(name), decode=decode)
    except DataError as error:
        return FrameFinding(key=key, frame=name, trouble="unsafe", message=str(error))
    if check.trouble is None:
        return None
    return FrameFinding(key=key, frame=name, trouble=check.trouble, message=check.message)
