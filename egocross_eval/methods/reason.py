"""`reason`, `roles` and `reflect`: dialogues that end in an option."""

from __future__ import annotations

from egocross_eval.contracts.method import MethodType
from egocross_eval.methods.dialogue import Dialogue, DialogueOptions, ReasonOptions, Stage
from egocross_eval.methods.wording import question_and_options


def reason(argument: str, options: ReasonOptions) -> Dialogue:
    """The model thinks freely, then the letter is asked for behind its own thinking."""
    think = Stage(
        "think",
        lambda question: (
            f"{question_and_options(question)}\n"
            "Think about this step by step: what do the frames show, and what speaks for and against each option? "
            "End with what follows from it."
        ),
    )
    return Dialogue([think], "So which option is right?", options)


def roles(argument: str, options: DialogueOptions) -> Dialogue:
    """One describes, one argues for and against, one decides."""
    describe = Stage(
        "describe",
        lambda question: (
            "You are the observer. Describe what the frames show, in the order of time: who or what is there, where, "
            "and what changes. Report what matters for this question, and do not answer it.\n"
            f"Question: {question.text}"
        ),
    )
    argue = Stage(
        "argue",
        lambda question: (
            "You are the advocate now. For each of these options, say what in the frames and the description speaks "
            f"for it and what against it.\n{question_and_options(question)}"
        ),
    )
    return Dialogue([describe, argue], "You are the judge now. Weigh the arguments and decide.", options)


def reflect(argument: str, options: DialogueOptions) -> Dialogue:
    """The model answers, looks for what speaks against its answer, and answers again."""
    critique = Stage(
        "critique",
        lambda question: (
            "Look at the frames again. What speaks against this answer, and is another option better supported by what "
            "is seen?"
        ),
    )
    return Dialogue([Stage("answer", None), critique], "Now give your final answer.", options)


REASON = MethodType(
    name="reason",
    description="lets the model think in words, then compares the letters behind its own thinking",
    build=reason,
    options=ReasonOptions,
    cost="two, and one more where the thinking is cut off",
    example="reason:tokens=2048",
)
ROLES = MethodType(
    name="roles",
    description="describe, argue for and against each option, decide: three turns of one dialogue",
    build=roles,
    options=DialogueOptions,
    cost="three, and one more for each turn that is cut off",
    example="roles",
)
REFLECT = MethodType(
    name="reflect",
    description="answer, look for what speaks against the answer, answer again",
    build=reflect,
    options=DialogueOptions,
    cost="three, and one more for each turn that is cut off",
    example="reflect",
)
