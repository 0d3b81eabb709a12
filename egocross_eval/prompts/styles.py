"""The built-in prompt styles and the user's own Jinja2 template files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from egocross_eval.contracts.style import PromptStyle, StyledText
from egocross_eval.documents import read_text
from egocross_eval.errors import UsageError
from egocross_eval.prompts.template_limit import limited_rendering, sandbox
from egocross_eval.schema import Question

TEMPLATE_SUFFIXES = (".j2", ".jinja", ".jinja2")

_FRAMES_HERE = "\ue000frames\ue000"
"""Stands where a template wants the frames; private-use characters, so no data file can contain it by chance."""


def listed_labels(question: Question) -> str:
    """The labels of the options in words: `A, B, C or D`."""
    *first, last = question.options
    return f"{', '.join(first)} or {last}" if first else last


def _asked(question: Question, option_block: str) -> str:
    return f"Question: {question.text}\n{option_block}" if option_block else f"Question: {question.text}"


def _introduction(question: Question) -> str:
    count = len(question.frames)
    if count == 0:
        return ""
    if count == 1:
        return "Here is one frame of a first-person video.\n"
    return f"Here are {count} frames of a first-person video, in the order of time.\n"


def _letter(question: Question, option_block: str) -> StyledText:
    return StyledText(
        before=_introduction(question),
        after=f"{_asked(question, option_block)}\n{_closing(question)}",
    )


def _closing(question: Question) -> str:
    if not question.options:
        return "Reply with the answer only, as briefly as possible."
    return f"Reply with one letter only: {listed_labels(question)}."


def _json(question: Question, option_block: str) -> StyledText:
    return StyledText(
        system=_role(question),
        before=_introduction(question),
        after=(
            f'{_asked(question, option_block)}\n{_pick(question)}, and "reason", one short sentence. '
            f"Write nothing outside the JSON object."
        ),
    )


def _json_reply(question: Question, answer: str) -> str:
    return json.dumps({"prediction": answer, "reason": question.options.get(answer, answer)}, ensure_ascii=False)


def _role(question: Question) -> str:
    kind = "multiple-choice questions" if question.options else "questions"
    watching = "You watch first-person video and answer" if question.frames else "You answer"
    return f"{watching} {kind}" + (" about it." if question.frames else ".")


def _pick(question: Question) -> str:
    fields = "Reply with a JSON object that has two fields: "
    if not question.options:
        return f'{fields}"prediction", the answer in a few words'
    return (
        f"Pick the one option that fits what is seen. {fields}"
        f'"prediction", the letter of the option ({listed_labels(question)})'
    )


def _challenge(question: Question, option_block: str) -> StyledText:
    return StyledText(after=f"{question.text}\n{option_block}" if option_block else question.text)


def _open(question: Question, option_block: str) -> StyledText:
    return StyledText(
        before=_introduction(question),
        after=f"{_asked(question, option_block)}\nReply with the answer alone, in a few words.",
    )


def _open_paper(question: Question, option_block: str) -> StyledText:
    about = "what is seen in the frames" if question.frames else "the question alone"
    return StyledText(
        after=f"{_asked(question, option_block)}\nAnswer by {about}. Reply with a JSON object and nothing else: "
        '"prediction" is your answer in free words, "reason" says in a sentence what it rests on.',
    )


BUILT_IN_STYLES = (
    PromptStyle(name="letter", description="asks for one letter (default)", render=_letter),
    PromptStyle(
        name="json",
        description="asks for JSON with a prediction and a reason, in the manner of the paper",
        render=_json,
        reply=_json_reply,
    ),
    PromptStyle(
        name="challenge", description="question and options only, like the support set's examples", render=_challenge
    ),
    PromptStyle(name="open", description="asks for an answer in free words (default of the open tasks)", render=_open),
    PromptStyle(
        name="open-paper",
        description="frames, then the question, and JSON with a free prediction and a reason: the paper's protocol",
        render=_open_paper,
    ),
)


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


def template_style(path: Path) -> tuple[PromptStyle, str]:
    """The style of a user's Jinja2 template file, and the SHA-256 of that file.

    The template sees `question` (text), `options` (text by label), `option_block`, `letters`, `frames` (the place
    where the frames go: write `{{ frames }}` once), `frame_count`, `times` (seconds by frame), and the question's
    labels, each by its name (`domain`, `question_type`, ...) and all of them as `labels`. A top-level
    `{% set system = "..." %}` gives the system message. It runs in Jinja2's sandbox, within bounds.

    Raises `UsageError` for a file that can't be read, a syntax error or an unknown variable, with its line.
    """
    import jinja2

    source = read_text(path, what="prompt template")
    # The output is a prompt for a model, not a page: HTML escaping would change the question.
    environment = sandbox(undefined=jinja2.StrictUndefined, autoescape=False)
    try:
        template = environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise UsageError(f"prompt template {path}, line {error.lineno}: {error.message}") from error

    def render(question: Question, option_block: str) -> StyledText:
        values = _variables(question, option_block)
        # A template may fail in any way that an expression can.
        try:
            with limited_rendering(f"prompt template {path}"):
                module = template.make_module(values)
        except UsageError:
            raise
        except jinja2.UndefinedError as error:
            raise UsageError(f"prompt template {path}: {error.message}; known: {', '.join(values)}") from error
        except Exception as error:
            raise UsageError(f"prompt template {path}: {error} (question {question.key})") from error
        needed = (question.text, *(question.options.values() or [option_block]))
        missing = [text for text in needed if text not in str(module)]
        if missing:
            raise UsageError(
                f"prompt template {path} does not show {missing[0]!r}: "
                f"write {{{{ question }}}} and {{{{ option_block }}}}"
            )
        before, mark, after = str(module).partition(_FRAMES_HERE)
        if not mark and question.frames:
            raise UsageError(f"prompt template {path} does not say where the frames go: write {{{{ frames }}}} once")
        if _FRAMES_HERE in after:
            raise UsageError(f"prompt template {path} has {{{{ frames }}}} more than once")
        return StyledText(system=str(getattr(module, "system", "")), before=before, after=after.rstrip("\n"))

    style = PromptStyle(name=path.name, description=f"template {path}", render=render)
    return style, hashlib.sha256(source.encode()).hexdigest()
