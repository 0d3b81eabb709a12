"""Reads the answers file of the testbed, `egocross_testbed_answers.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from egocross_eval.contracts.task import Target
from egocross_eval.documents import decode_json
from egocross_eval.errors import DataError
from egocross_eval.files import read_bytes
from egocross_eval.tasks.egocross.catalogue import LETTERS

if TYPE_CHECKING:
    from pathlib import Path


class AnswerOfId(msgspec.Struct, frozen=True, kw_only=True):
    """The right answer of the question with a number. Other fields of the file are left alone."""

    id: int
    correct_option_letter: str
    question_id: str | None = None
    answer_text: str | None = None
    """The answer in words, for the open format."""
    detailed_answer: str | None = None
    """A full sentence, for the judge of the open format."""

    def target(self) -> Target:
        """As questions carry it."""
        texts = {"answer_text": self.answer_text, "detailed_answer": self.detailed_answer}
        references = {name: text for name, text in texts.items() if text is not None}
        return Target(target=self.correct_option_letter, references=references)


class AnswerRecord(AnswerOfId, frozen=True, kw_only=True):
    """The right answer of one question. Other fields of the file are left alone."""

    correct_option_letter: Literal["A", "B", "C", "D"]
    question_id: Annotated[str, msgspec.Meta(min_length=1)]
    """Which question of a run it is: numbers alone are those of any file of questions."""


def read_answer_list(path: Path, data: bytes | None = None) -> list[AnswerOfId]:
    """All records, in file order, for the questions file beside them, where numbers suffice; ids are unique, letters
    are A to D. `data` saves reading the file again."""
    records = decode_json(read_bytes(path) if data is None else data, list[AnswerOfId], str(path))
    seen: set[int] = set()
    for record in records:
        if record.correct_option_letter not in LETTERS:
            letter = record.correct_option_letter
            raise DataError(f"{path}: id {record.id}: correct_option_letter is {letter!r}, not one of A, B, C, D")
        if record.id in seen:
            raise DataError(f"{path}: id {record.id} occurs twice")
        seen.add(record.id)
    return records


def read_answers(path: Path) -> dict[str, AnswerRecord]:
    """Records by question_id, which each must have, once: a run may have been made with another file of questions."""
    answers: dict[str, AnswerRecord] = {}
    for record in read_answer_list(path):
        if not record.question_id:
            raise DataError(
                f"{path}: id {record.id} has no question_id, which says of which question of a run it is; the least of "
                f'an answer is {{"id": 1, "question_id": "...", "correct_option_letter": "A"}}'
            )
        if record.question_id in answers:
            raise DataError(f"{path}: the question_id {record.question_id!r} occurs twice")
        answers[record.question_id] = msgspec.convert(msgspec.structs.asdict(record), AnswerRecord)
    return answers
