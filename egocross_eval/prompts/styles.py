"""The built-in prompt styles."""

from __future__ import annotations

import json

from egocross_eval.contracts.style import PromptStyle, StyledText
from egocross_eval.schema import Question


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
