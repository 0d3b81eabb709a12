"""Words that several methods put to a model; what differs between the asks of a question stands last, so that engines
compute what stands before it once."""

from __future__ import annotations

from egocross_eval.prompts.renderer import option_block
from egocross_eval.prompts.styles import listed_labels
from egocross_eval.reading.text.thinking import without_marks
from egocross_eval.schema import Answer, Question


def question_and_options(question: Question) -> str:
    """The question's text and, if it has any, its options, one a line."""
    block = f"\n{option_block(question.options)}" if question.options else ""
    return f"Question: {question.text}{block}"


def letters_only(question: Question) -> str:
    """Asks for one of the labels and nothing else."""
    return f"Reply with one letter only: {listed_labels(question)}."


def said(answer: Answer) -> str:
    """All that the model said, its thinking included, as plain text that can stand in a later turn."""
    response = answer.response
    pieces = (response.reasoning, response.text)
    return without_marks("\n".join(piece.strip() for piece in pieces if piece and piece.strip()))


def was_cut(answer: Answer) -> bool:
    """Whether the answer ended at the bound of its tokens."""
    return answer.response.finish_reason == "length"
