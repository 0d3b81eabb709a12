"""Special tokens of chat templates that a server left in an output: who speaks from here on, and where a turn ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from egocross_eval.reading.patterns import Pattern
from egocross_eval.reading.text.offsets import View

_WORDS = (
    r"s|eos|bos|pad|unk|eo[tdaehm]|sep|cls|mask|w|start_of_turn|end_of_turn|end_of_(?:sentence|utterance|text)"
    r"|endofchunk|endoftext|image\d*|video|extra_id_\d+|reserved_\d+"
)
# Marks of boxed answers, thinking and channels are read elsewhere.
SPECIAL = Pattern(
    rf"(?:<\|(?!(?:begin|end)_of_box)[^<>|\n]{{1,40}}\|>|<\|turn>|<turn\|>|</?(?:{_WORDS})>|\[(?P<closing>/?)INST\]"
    r"|<</?SYS>>|\[\|[a-z]{2,20}\|\]|\[(?:EOS|SEP|PAD|UNK|CLS|BOS|UNUSED_TOKEN_\d+)\])"
    r"(?:\s{0,2}(?:system|user|human|assistant|model|tool|chatbot)\b:?(?=\s|<|\Z))?"
)
_PROMPT = Pattern(r"user|human|sys|tool|prompt|observation|inst")
_REPLY = Pattern(r"assistant|model|bot\b|bot_|\bai\b")
_NEUTRAL = Pattern(r"header|image|img|vision|video|audio|fim_|pad|unk|mask|bos|begin|start|cls|eoe|<s>|</?w>|unused")


class Turn(NamedTuple):
    """A stretch of text between special tokens; `prompt` when it is the user's or the system's."""

    start: int
    end: int
    prompt: bool


def first_reply(view: View) -> View:
    """The first turn that is not the prompt's, without its special tokens."""
    turns = [turn for turn in _turns(view.text) if SPECIAL.sub("", view.text[turn.start : turn.end]).strip()]
    reply = next((turn for turn in turns if not turn.prompt), None)
    return (view if reply is None else view.slice(reply.start, reply.end)).sub(SPECIAL, "\n")


def _turns(text: str) -> Iterator[Turn]:
    at, prompt, opened = 0, False, False
    for token in SPECIAL.finditer(text):
        closing = bool(token["closing"])
        said = _PROMPT.search(token[0]) or _REPLY.search(token[0])
        if said is None and _NEUTRAL.search(token[0]):
            continue
        # Behind a lone closing mark the prompt's own opening mark was not repeated.
        yield Turn(at, token.start(), prompt or (closing and not opened))
        at, opened = token.end(), True
        prompt = not closing and bool(_PROMPT.search(token[0]))
    yield Turn(at, len(text), prompt)
