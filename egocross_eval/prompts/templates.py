"""Prompt templates of users: Jinja2 files, and the texts of strategies."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from egocross_eval.contracts.style import PromptStyle, StyledText
from egocross_eval.documents import read_text
from egocross_eval.errors import UsageError
from egocross_eval.prompts.template_limit import limited_rendering, sandbox
from egocross_eval.schema import Question

if TYPE_CHECKING:
    import jinja2

TEMPLATE_SUFFIXES = (".j2", ".jinja", ".jinja2")

_FRAMES_HERE = "\ue000frames\ue000"
"""Stands where a template wants the frames; private-use characters, so no data file can contain it by chance."""


def template_style(path: Path) -> tuple[PromptStyle, str]:
    """The style of a user's Jinja2 template file, and the SHA-256 of that file.

    The template sees `question` (text), `options` (text by label), `option_block`, `letters`, `frames` (the place
    where the frames go: write `{{ frames }}` once), `frame_count`, `times` (seconds by frame), and the question's
    labels, each by its name (`domain`, `question_type`, ...) and all of them as `labels`. A top-level
    `{% set system = "..." %}` gives the system message. It runs in Jinja2's sandbox, within bounds.

    Raises `UsageError` for a file that can't be read, a syntax error or an unknown variable, with its line.
    """
    source = read_text(path, what="prompt template")
    style = style_of(source, f"prompt template {path}", name=path.name)
    return style, template_hash(source)


def template_hash(source: str) -> str:
    """SHA-256 of a template's text."""
    return hashlib.sha256(source.encode()).hexdigest()


def style_of(source: str, where: str, *, name: str, line: int = 1) -> PromptStyle:
    """The style of a template's text, which begins in that line of what `where` names."""
    import jinja2

    # The output is a prompt for a model, not a page: HTML escaping would change the question.
    try:
        template = sandbox(undefined=jinja2.StrictUndefined, autoescape=False).from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise UsageError(f"{where}, line {line + error.lineno - 1}: {error.message}") from error

    def render(question: Question, option_block: str) -> StyledText:
        return _rendered(template, question, option_block, where)

    return PromptStyle(name=name, description=where, render=render)


def _rendered(template: jinja2.Template, question: Question, option_block: str, where: str) -> StyledText:
    import jinja2

    values = _variables(question, option_block)
    # A template may fail in any way that an expression can.
    try:
        with limited_rendering(where):
            module = template.make_module(values)
    except UsageError:
        raise
    except jinja2.UndefinedError as error:
        raise UsageError(f"{where}: {error.message}; known: {', '.join(values)}") from error
    except Exception as error:
        raise UsageError(f"{where}: {error} (question {question.key})") from error
    text = str(module)
    needed = (question.text, *(question.options.values() or [option_block]))
    missing = [said for said in needed if said not in text]
    if missing:
        raise UsageError(f"{where} does not show {missing[0]!r}: write {{{{ question }}}} and {{{{ option_block }}}}")
    before, mark, after = text.partition(_FRAMES_HERE)
    if not mark and question.frames:
        raise UsageError(f"{where} does not say where the frames go: write {{{{ frames }}}} once")
    if _FRAMES_HERE in after:
        raise UsageError(f"{where} has {{{{ frames }}}} more than once")
    return StyledText(system=str(getattr(module, "system", "")), before=before, after=after.rstrip("\n"))


def _variables(question: Question, option_block: str) -> dict[str, object]:
    """What a template sees of a question."""
    return {
        **question.labels,
        "question": question.text,
        "options": question.options,
        "option_block": option_block,
        "letters": list(question.options),
        "frames": _FRAMES_HERE,
        "frame_count": len(question.frames),
        "times": [frame.time for frame in question.frames],
        "labels": question.labels,
    }
