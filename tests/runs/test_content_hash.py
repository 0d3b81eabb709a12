"""The hash that responses are cached and prompts compared by: equal requests have equal ones."""

from __future__ import annotations

from egocross_eval import GenerationSettings, Message, Prompt, Question, TextPart
from egocross_eval.runs.requests import build_request

QUESTION = Question(id=1, key="q", text="?", options={"A": "cat", "B": "dog"})


def content_hash(settings: GenerationSettings, words: str = "?") -> str:
    prompt = Prompt(messages=(Message(role="user", parts=(TextPart(text=words),)),), style="letter")
    return build_request(QUESTION, prompt, settings, split="test", read_frames=False).content_hash


def test_it_is_that_of_the_defaults_where_they_are_given() -> None:
    given = GenerationSettings(max_new_tokens=int("1024"), temperature=float("0"), top_p=float("1"))
    assert content_hash(given) == content_hash(GenerationSettings())


def test_it_changes_with_the_words_and_the_settings() -> None:
    made = [
        content_hash(GenerationSettings()),
        content_hash(GenerationSettings(), words="what?"),
        content_hash(GenerationSettings(seed=1)),
        content_hash(GenerationSettings(max_new_tokens=7)),
        content_hash(GenerationSettings(temperature=1.0)),
    ]
    assert len(set(made)) == len(made)
