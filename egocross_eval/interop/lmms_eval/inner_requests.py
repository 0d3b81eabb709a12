"""From a request of lmms-eval's to one of ours."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.errors import UsageError
from egocross_eval.runs.requests import build_request
from egocross_eval.schema import Frame, ImagePart, Message, Part, Prompt, Question, Request, TextPart
from egocross_eval.settings import GenerationSettings


class Pictures:
    """Pictures that a task hands over in memory, as files, which is what adapters take."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="egocross-lmms-")
        self._count = 0

    def path_of(self, picture: Any) -> str:
        """The path of a picture: its own where it is one, else that of a new PNG file."""
        if isinstance(picture, str):
            return os.path.abspath(picture.removeprefix("file://"))  # noqa: PTH100 - a plain string is wanted
        path = str(Path(self._folder.name) / f"{self._count}.png")
        self._count += 1
        picture.convert("RGB").save(path, compress_level=1)
        return path

    def close(self) -> None:
        """Removes the files."""
        self._folder.cleanup()


def request_of(number: int, instance: Any, task_dict: Mapping[str, Any], pictures: Pictures) -> Request:
    """The request that an instance of lmms-eval's is.

    Raises `UsageError` for a clip in a file, which our adapters don't take.
    """
    _, doc_to_messages, kwargs, doc_id, task, split = instance.args
    doc = task_dict[task][split][doc_id]
    messages = tuple(
        Message(role=message["role"], parts=tuple(_part(part, pictures, task) for part in _parts(message["content"])))
        for message in doc_to_messages(doc)
    )
    prompt = Prompt(messages=messages, style=task)
    question = _question(doc, f"{number} {task}/{doc_id}")
    frames = prompt.frame_paths()
    root = os.path.commonpath([os.path.dirname(path) for path in frames]) if frames else ""  # noqa: PTH120
    return build_request(question, prompt, settings_of(kwargs), split=split, data_root=root, read_frames=True)


def _parts(content: Any) -> Sequence[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _part(part: Mapping[str, Any], pictures: Pictures, task: str) -> Part:
    if part["type"] == "text":
        return TextPart(text=part["text"])
    if part["type"] != "image":
        raise UsageError(f"the task {task} shows {part['type']}; egocross-eval's adapters take pictures and text")
    path = pictures.path_of(part["url"])
    return ImagePart(frame=Frame(name=Path(path).name), path=path)


def _question(doc: Mapping[str, Any], key: str) -> Question:
    """The question behind a document of ours, without its answer; of any other, only a key."""
    if "question" in doc and "messages" in doc and "grader" in doc:
        known = msgspec.json.decode(doc["question"], type=Question).without_target()
        return msgspec.structs.replace(known, key=key)
    return Question(id=0, key=key, text="")


def settings_of(kwargs: Mapping[str, Any]) -> GenerationSettings:
    """The settings that generation arguments of lmms-eval's mean."""
    temperature = float(kwargs.get("temperature") or 0.0) if kwargs.get("do_sample", True) else 0.0
    return GenerationSettings(
        max_new_tokens=int(kwargs.get("max_new_tokens") or GenerationSettings().max_new_tokens),
        temperature=temperature,
        top_p=float(kwargs.get("top_p") or 1.0) if temperature else 1.0,
    )


def until(instance: Any) -> Sequence[str]:
    """The texts at which an answer ends."""
    stops = instance.args[2].get("until") or ()
    return [stops] if isinstance(stops, str) else list(stops)
