"""The built-in prompt styles as a plugin."""

from __future__ import annotations

from collections.abc import Iterable

from egocross_eval.contracts.hooks import hookimpl
from egocross_eval.contracts.style import PromptStyle
from egocross_eval.prompts.styles import BUILT_IN_STYLES


@hookimpl
def egocross_prompt_styles() -> Iterable[PromptStyle]:
    """Letter, JSON and challenge style."""
    return BUILT_IN_STYLES
