"""From a prompt to the text a model reads, and the tokens by which its answer can begin with an option letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egocross_eval.errors import UsageError
from egocross_eval.schema import ImagePart, TextPart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egocross_eval.schema import Prompt

OPEN_THINKING = ("<think>", "<|begin_of_thought|>", "<thinking>", "[THINK]")
"""Tags by which a chat template opens the thinking itself, so that the answer's first token isn't the answer."""

TAIL = 64
"""Characters at the end of a rendered prompt that are tokenized together with a letter."""


def conversation(prompt: Prompt) -> list[dict[str, Any]]:
    """The prompt as the messages that chat templates take, with placeholders where frames stand."""
    messages: list[dict[str, Any]] = []
    for message in prompt.messages:
        content: list[dict[str, str]] = []
        for part in message.parts:
            if isinstance(part, TextPart):
                content.append({"type": "text", "text": part.text})
            else:
                content.append({"type": "image" if isinstance(part, ImagePart) else "video"})
        messages.append({"role": message.role, "content": content})
    return messages


def render(processor: Any, prompt: Prompt) -> str:
    """The text of a prompt by the checkpoint's chat template, up to where the answer begins.

    Raises UsageError where the checkpoint has no chat template or its template refuses the messages.
    """
    from jinja2 import TemplateError

    template = getattr(processor, "chat_template", None) or getattr(processor.tokenizer, "chat_template", None)
    if template is None:
        raise UsageError(
            "the checkpoint has no chat template; add its chat_template.jinja (published next to the original weights)"
        )
    try:
        text: str = processor.apply_chat_template(
            conversation(prompt), chat_template=template, add_generation_prompt=True, tokenize=False
        )
    except (TemplateError, TypeError) as error:
        raise UsageError(
            f"the checkpoint's chat template refuses the prompt style {prompt.style!r}: {error}"
        ) from error
    return text


def refuse_open_thinking(text: str) -> None:
    """Raises UsageError where a rendered prompt ends inside a thinking block: its first token can't be a letter."""
    end = text.rstrip()
    for tag in OPEN_THINKING:
        if end.endswith(tag):
            raise UsageError(
                f"the chat template of this checkpoint opens a thinking block ({tag}), so the first token of an answer "
                f"is no option letter and its chances mean nothing; use --answer generate"
            )


def letter_tokens(tokenizer: Any, text: str, letters: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Ids of the tokens by which an answer to the prompt `text` can begin with each letter: `A`, and ` A` with a space.

    A form counts if it's exactly one token there. Raises UsageError where a letter has none, or two letters share one.
    """

    def encode(piece: str) -> list[int]:
        ids: list[int] = tokenizer(piece, add_special_tokens=False)["input_ids"]
        return ids

    tail = text[-TAIL:]
    start = encode(tail)
    tokens: dict[str, tuple[int, ...]] = {}
    for letter in letters:
        found = []
        for form in (letter, f" {letter}"):
            ids = encode(tail + form)
            if len(ids) == len(start) + 1 and ids[:-1] == start and ids[-1] not in found:
                found.append(ids[-1])
        if not found:
            raise UsageError(
                f"the tokenizer has no single token for the option letter {letter!r}; use --answer generate"
            )
        tokens[letter] = tuple(found)
    used = [token for group in tokens.values() for token in group]
    if len(set(used)) != len(used):
        raise UsageError("the tokenizer gives two option letters the same token; use --answer generate")
    return tokens
