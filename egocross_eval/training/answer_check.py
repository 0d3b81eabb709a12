"""Loads a checkpoint and answers one question with it: the last check of a trained or merged model."""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from egocross_eval.runs.requests import build_request
from egocross_eval.schema import Frame, ImagePart, Message, Prompt, Question, TextPart
from egocross_eval.settings import GenerationSettings

OPTIONS = {"A": "red", "B": "green", "C": "blue", "D": "yellow"}


def try_answer(checkpoint: Path, python: Path | None = None) -> str:
    """The letter and its probability for a question about a picture of one colour, in words.

    In this Python where it has torch, else in the training environment. Raises where the checkpoint can't be loaded or
    can't answer.
    """
    with tempfile.TemporaryDirectory(prefix="egocross-") as scratch:
        picture = Path(scratch) / "frame.png"
        _draw(picture)
        payload: dict[str, Any] = {
            "model": str(checkpoint.resolve()),
            "options": {"dtype": "auto", "device": "auto"},
            "request": msgspec.to_builtins(_request(picture)),
        }
        if python is None and all(importlib.util.find_spec(name) for name in ("torch", "torchvision", "transformers")):
            from egocross_eval.training.inside.answer_request import answer_one

            found = answer_one(payload)
        else:
            from egocross_eval.training.environment import find_environment
            from egocross_eval.training.environment_jobs import ask

            found = ask(find_environment(python), "answer", payload)
    scores: dict[str, float] = found["scores"]
    best = max(scores, key=lambda letter: scores[letter])
    return f"{best} of {', '.join(scores)} for a question of {found['input_tokens']} tokens"


def _draw(path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (64, 64), (222, 32, 38)).save(path)


def _request(picture: Path) -> Any:
    frame = Frame(name=picture.name, time=0.0)
    text = "Which colour is it?\n" + "\n".join(f"{letter}: {name}" for letter, name in OPTIONS.items())
    parts = (ImagePart(frame=frame, path=str(picture)), TextPart(text=text))
    prompt = Prompt(messages=(Message(role="user", parts=parts),), style="challenge")
    question = Question(
        id=1,
        key="trial",
        text="Which colour is it?",
        options=OPTIONS,
        frames=(frame,),
    )
    return build_request(question, prompt, GenerationSettings(answer_mode="choose"), split="support", read_frames=False)
