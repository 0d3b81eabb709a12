"""From a prompt to the text that a model reads, by the checkpoint's chat template."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from egocross_eval.errors import UsageError
from egocross_eval.prompts.template_limit import limited_rendering
from egocross_eval.schema import ImagePart, TextPart, VideoPart
from egocross_eval.settings import GenerationSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egocross_eval.schema import Prompt

OPEN_THINKING = ("<think>", "<|begin_of_thought|>", "<thinking>", "[THINK]")
"""Tags by which a chat template opens the thinking itself, so that the answer's first token isn't the answer."""


THINKING_TOKENS = 16_384
"""A limit that thoughts rarely reach."""


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


def render(processor: Any, prompt: Prompt, variables: Mapping[str, Any] = MappingProxyType({})) -> str:
    """The text of a prompt by the checkpoint's chat template, up to where the answer begins.

    `variables`: what else the template is told, e.g. whether the model is to think.

    Raises UsageError where the checkpoint has no chat template, or its template refuses the messages or has no place
    for a video.
    """
    from jinja2 import TemplateError

    template = getattr(processor, "chat_template", None) or getattr(processor.tokenizer, "chat_template", None)
    if template is None:
        raise UsageError(
            "the checkpoint has no chat template; add its chat_template.jinja (published next to the original weights)"
        )
    try:
        with limited_rendering("the checkpoint's chat template"):
            text: str = processor.apply_chat_template(
                conversation(prompt), chat_template=template, add_generation_prompt=True, tokenize=False, **variables
            )
    except (TemplateError, TypeError, OverflowError, MemoryError, RecursionError) as error:
        raise UsageError(
            f"the checkpoint's chat template refuses the prompt style {prompt.style!r}: {error}"
        ) from error
    mark = getattr(processor, "video_token", None)
    if mark and mark not in text and any(isinstance(part, VideoPart) for one in prompt.messages for part in one.parts):
        raise UsageError(f"the checkpoint's chat template has no place for a video ({mark}); use --media images")
    return text


def opened_thinking(text: str) -> str:
    """The tag of the thinking block that a rendered prompt ends in; empty where it ends in none."""
    end = text.rstrip()
    return next((tag for tag in OPEN_THINKING if end.endswith(tag)), "")


def refuse_open_thinking(text: str) -> None:
    """Raises UsageError where a rendered prompt ends inside a thinking block: its first token can't be an answer."""
    tag = opened_thinking(text)
    if tag:
        raise UsageError(
            f"the chat template of this checkpoint opens a thinking block ({tag}), so the first token of an answer "
            f"is no label and its chances mean nothing; use --answer generate, or template_kwargs= where the template "
            f"has a switch (enable_thinking)"
        )


def check_thinking(text: str, settings: GenerationSettings) -> None:
    """Refuses what a prompt that ends inside a thinking block can't be asked for.

    Raises UsageError in the modes that compare labels, and where the limit of tokens is the default one, which was made
    for answers and not for thoughts.
    """
    if settings.answer_mode != "generate":
        refuse_open_thinking(text)
    elif settings.max_new_tokens == GenerationSettings().max_new_tokens and (tag := opened_thinking(text)):
        raise UsageError(
            f"the chat template of this checkpoint opens a thinking block ({tag}), and {settings.max_new_tokens} "
            f"tokens cut most thoughts off before there is an answer; give a limit, e.g. "
            f"--max-new-tokens {THINKING_TOKENS}"
        )
