"""A method of two rounds: the question with its options in two orders, then a choice between the two answers."""

from collections.abc import Iterable, Sequence
from typing import Any

from egocross_eval import Answer, Ask, Decision, Method, MethodType, Question, hookimpl


class SecondLook(Method):
    """If both orders give the same option, that's it; else the two are asked for by themselves."""

    def step(self, question: Question, answers: Sequence[Answer]) -> Sequence[Ask] | Decision:
        if not answers:
            backwards = dict(zip(question.options, reversed(question.options.values()), strict=True))
            return [Ask(name="as-is"), Ask(name="backwards", options=backwards)]
        options = [answer.ask.options or question.options for answer in answers]
        said = [shown.get(answer.reading.label or "") for answer, shown in zip(answers, options, strict=True)]
        if len(answers) == 2 and None not in said and said[0] != said[1]:
            text = f"Look again. {question.text}"
            return [Ask(name="between", text=text, options=dict(zip("AB", map(str, said), strict=True)))]
        label = next((label for label, option in question.options.items() if option == said[-1]), None)
        return Decision(label=label, rule="second_look", reason=None if label else "no_answer")


def build(argument: str, options: Any) -> Method:
    return SecondLook()


@hookimpl
def egocross_methods() -> Iterable[MethodType]:
    return [
        MethodType(name="second-look", description="asks again where two orders of the options differ", build=build)
    ]
