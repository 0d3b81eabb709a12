"""From a prompt to the text that a model reads, by the checkpoint's chat template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egocross_eval.errors import UsageError
from egocross_eval.schema import ImagePart, TextPart

if TYPE_CHECKING:
    from egocross_eval.schema import Prompt

OPEN_THINKING = ("<think>", "<|begin_of_thought|>", "<thinking>", "[THINK]")
"""Tags by which a chat template opens the thinking itself, so that the answer's first token isn't the answer."""


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
    """Raises UsageError where a rendered prompt ends inside a thinking block: its first token can't be an answer."""
    end = text.rstrip()
    for tag in OPEN_THINKING:
        if end.endswith(tag):
            raise UsageError(
                f"the chat template of this checkpoint opens a thinking block ({tag}), so the first token of an answer "
                f"is no label and its chances mean nothing; use --answer generate"
            )
