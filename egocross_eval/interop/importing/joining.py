"""Joins the answers of a log to questions.

Only what is sure is joined; the rest is listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from egocross_eval.contracts.importer import ForeignAnswer
from egocross_eval.interop.importing.naming import named
from egocross_eval.interop.importing.options import Standing, standing, unescaped
from egocross_eval.schema import Question
from egocross_eval.scoring.predictions_file import name_some


class Joined(msgspec.Struct, frozen=True, kw_only=True):
    """What was joined, by the question's key, and what wasn't."""

    answers: dict[str, ForeignAnswer]
    missing: tuple[str, ...] = ()
    """Questions without an answer."""
    foreign: tuple[str, ...] = ()
    """Names in the log that are no question's."""
    unused: tuple[str, ...] = ()
    """Names of a map that are none of the log's."""
    mismatched: tuple[str, ...] = ()
    """Questions of answers that have the id of another one beside their key; left out."""
    repeated: tuple[str, ...] = ()
    """Questions that are answered twice with the same output; the first counts."""
    contradicted: tuple[str, ...] = ()
    """Questions that are answered twice with different outputs; none counts."""
    reworded: tuple[str, ...] = ()
    """Questions whose text isn't in what the log says was asked; left out."""
    other_options: tuple[str, ...] = ()
    """Questions that had other options there; left out."""
    unsure_options: tuple[str, ...] = ()
    """Questions whose options stood in an order that the log leaves open or tells in two ways; left out."""
    other_target: tuple[str, ...] = ()
    """Questions of which another option is right there; left out."""
    untold_options: tuple[str, ...] = ()
    """Questions in whose prompts no options are made out; taken to have stood as in the question."""
    reordered: dict[str, dict[str, str]] = {}
    """The question's options by label as shown, of answers to the same options in another order."""

    def lines(self) -> list[str]:
        """One line for each kind of trouble, naming the first questions."""
        kinds = {
            "questions without an answer": self.missing,
            "answers to no known question, left out": self.foreign,
            "names of --map that the log doesn't have, of no use; write them as it does": self.unused,
            "answers with the id of another question than their question_id, left out": self.mismatched,
            "questions answered more than once, in the same words": self.repeated,
            "questions answered more than once, differently; none of it counts": self.contradicted,
            "answers to other words than the question's, left out": self.reworded,
            "answers to other options than the question's, left out": self.other_options,
            "answers to options whose order the log doesn't make sure, left out": self.unsure_options,
            "answers to options of which another one is right, left out": self.other_target,
            "answers to prompts in which no options are made out, taken to have stood as here": self.untold_options,
            "answers to the same options in another order, their letters taken for the options that stood there": tuple(
                self.reordered
            ),
        }
        return [f"{kind}: {len(names)} ({name_some(names)})" for kind, names in kinds.items() if names]


def join(
    questions: Sequence[Question],
    answers: Sequence[ForeignAnswer],
    *,
    in_order: bool = False,
    names: Mapping[str, str] | None = None,
) -> Joined:
    """Joins answers to questions.

    Answers that carry no question's name are joined by `names`, from the tool's name to a question's key or id, or with
    `in_order` by the order of the questions' ids. Raises as `named`.
    """
    said = named(answers, questions, in_order=in_order, names=names)
    by_name = {str(question.id): question for question in questions} | {
        question.key: question for question in questions
    }
    groups: dict[str, list[ForeignAnswer]] = {}
    foreign, mismatched = list(said.unknown), []
    for name, answer in said.answers:
        if name not in by_name:
            foreign.append(name)
        elif answer.number not in (None, by_name[name].id):
            mismatched.append(by_name[name].key)
        else:
            groups.setdefault(by_name[name].key, []).append(answer)
    stood = {key: [standing(answer, by_name[key]) for answer in found] for key, found in groups.items()}
    faults = {key: fault for key, found in groups.items() if (fault := _fault(found, stood[key], by_name[key]))}
    kept = {key: found for key, found in groups.items() if key not in faults}
    reordered = {key: shown for key in kept if (shown := stood[key][0].shown) is not None}
    return Joined(
        answers={key: found[0] for key, found in kept.items()},
        missing=tuple(question.key for question in questions if question.key not in {*groups, *mismatched}),
        foreign=tuple(foreign),
        mismatched=tuple(dict.fromkeys(mismatched)),
        unused=said.unused,
        repeated=tuple(key for key, found in kept.items() if len(found) > 1),
        untold_options=tuple(key for key in kept if _is_untold(kept[key][0], stood[key][0], by_name[key])),
        reordered=reordered,
        **{fault: tuple(key for key, found in faults.items() if found == fault) for fault in _FAULTS},
    )


def listed_together(joined: Sequence[Joined]) -> Joined:
    """What wasn't as here in answers that were joined one by one, as one list; their answers are left out."""
    fields = (*_FAULTS, "untold_options")
    return Joined(
        answers={},
        reordered={key: shown for one in joined for key, shown in one.reordered.items()},
        **{field: tuple(dict.fromkeys(key for one in joined for key in getattr(one, field))) for field in fields},
    )


_FAULTS = ("contradicted", "reworded", "other_options", "unsure_options", "other_target")
"""Why none of a question's answers counts, the first that holds; fields of `Joined`."""


def _fault(answers: Sequence[ForeignAnswer], stood: Sequence[Standing], question: Question) -> str:
    """Why none of a question's answers is sure; empty where they are."""
    said = {(answer.text, answer.failure.kind if answer.failure is not None else "") for answer in answers}
    troubles = {one.trouble for one in stood}
    orders = [one.shown for one in stood]
    found = {
        "contradicted": len(said) > 1 or any(order != orders[0] for order in orders),
        "reworded": not all(_asks(answer, question) for answer in answers),
        **{trouble: trouble in troubles for trouble in _FAULTS[2:]},
    }
    return next((fault for fault in _FAULTS if found[fault]), "")


def _asks(answer: ForeignAnswer, question: Question) -> bool:
    """Whether the words that were asked, where they're known, hold the question's."""
    prompts = (answer.prompt, unescaped(answer.prompt))
    return not answer.prompt or any(_words(question.text) in _words(prompt) for prompt in prompts)


def _is_untold(answer: ForeignAnswer, stood: Standing, question: Question) -> bool:
    """Whether the log has the prompt of a closed question, and its options nowhere."""
    return bool(answer.prompt and question.options) and not stood.told


def _words(text: str) -> str:
    return " ".join(text.split()).casefold()
