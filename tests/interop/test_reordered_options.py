"""Letters mean what stood beside them there: options in another order are mapped by their texts, others left out."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from egocross_eval import (
    Answer,
    Ask,
    DataOptions,
    ForeignAnswer,
    Question,
    Reading,
    Response,
    UsageError,
    plain_decision,
)
from egocross_eval.contracts.registry import registry
from egocross_eval.interop.importing.entries import asked_text
from egocross_eval.interop.importing.joining import Joined, join
from egocross_eval.interop.importing.options import listed_options, standing, told_options
from egocross_eval.interop.importing.runs import Import, ImportOptions, import_run
from egocross_eval.interop.predictions_log import predictions_here
from egocross_eval.reading.response import read_response
from egocross_eval.runs.options import options_from
from egocross_eval.runs.plan import plan_run
from egocross_eval.schema import Sent
from egocross_eval.scoring.predictions_file import read_answer

LETTERS = "ABCD"
Order = Sequence[int]
"""Which of the question's options stood at each letter."""
Form = Callable[[dict[str, str]], str]
"""What stands behind the question: its options by letter, and what is asked for."""


def each(form: Callable[[str, str], str]) -> Form:
    """Options that are written one by one."""

    def written(options: dict[str, str]) -> str:
        listed = "".join(form(letter, text) for letter, text in options.items())
        return f"{listed}\nReply with one letter only: A, B, C or D."

    return written


def within(options: dict[str, str], form: str, between: str) -> str:
    return between.join(form.format(letter, text) for letter, text in options.items())


def lines(options: dict[str, str]) -> str:
    return within(options, "{}. {}", "\n")


def chat(options: dict[str, str]) -> str:
    return f"{lines(options)}<|im_end|>\n<|im_start|>assistant\n"


class Asked:
    """A question as another tool asked it, with its options in some order, and what a model chose."""

    def __init__(self, question: Question, order: Order, chosen: int, form: Form) -> None:
        texts = list(question.options.values())
        self.question, self.key = question, question.key
        self.options = {letter: texts[place] for letter, place in zip(LETTERS, order, strict=True)}
        self.letter = LETTERS[chosen]
        accepted = {question.options[label] for label in question.accepted()}
        self.target = next(letter for letter, text in self.options.items() if text in accepted)
        self.right = self.options[self.letter] in accepted
        self.prompt = f"Look at the frames.\n{question.text}\n{form(self.options)}"


def lmms_eval(folder: Path, asked: Sequence[Asked]) -> Path:
    (folder / "1_results.json").write_text('{"config": {"model": "x"}, "configs": {"mine": {}}, "results": {}}')
    lines = [
        {"doc_id": number, "target": one.target, "filtered_resps": [one.letter], "input": one.prompt}
        | {"micro": {"question_id": one.key, "letter": one.letter, "score": float(one.right)}}
        for number, one in enumerate(asked)
    ]
    (folder / "1_samples_mine.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "1_results.json"


def lm_eval(folder: Path, asked: Sequence[Asked], *, prompts: bool = True) -> Path:
    results = {"lm_eval_version": "0.4.9", "configs": {"mine": {}}, "config": {}, "results": {}}
    (folder / "results_1.json").write_text(json.dumps(results))
    lines = [
        {"doc_id": number, "resps": [[one.letter]], "filtered_resps": [one.letter], "exact_match": float(one.right)}
        | {"doc": {"question_id": one.key, "question": one.question.text, "choices": list(one.options.values())}}
        | {"target": one.target}
        | ({"arguments": {"gen_args_0": {"arg_0": one.prompt, "arg_1": {"until": []}}}} if prompts else {})
        for number, one in enumerate(asked)
    ]
    (folder / "samples_mine_1.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "results_1.json"


def lm_eval_without_prompts(folder: Path, asked: Sequence[Asked]) -> Path:
    return lm_eval(folder, asked, prompts=False)


def inspect(folder: Path, asked: Sequence[Asked], *, shuffled: bool = True) -> Path:
    header = {"version": 2, "status": "success", "eval": {"model": "x/y", "created": "2026"}}
    with zipfile.ZipFile(folder / "log.eval", "w") as archive:
        archive.writestr("header.json", json.dumps(header))
        for number, one in enumerate(asked):
            sample: dict[str, Any] = {"id": one.key, "input": one.question.text, "target": [one.target]}
            sample |= {"choices": list(one.options.values())} if shuffled else {}
            sample |= {"scores": {"letter": {"value": "C" if one.right else "I", "answer": one.letter}}}
            reply = {"role": "assistant", "content": one.letter}
            sample |= {"messages": [{"role": "user", "content": one.prompt}, reply]}
            sample |= {"output": {"choices": [{"message": reply}]}}
            archive.writestr(f"samples/{number}_epoch_1.json", json.dumps(sample))
    return folder / "log.eval"


def inspect_whose_solver_shuffles(folder: Path, asked: Sequence[Asked]) -> Path:
    return inspect(folder, asked, shuffled=False)


def vlmevalkit(folder: Path, asked: Sequence[Asked]) -> Path:
    rows = [
        {"index": number, "question_id": one.key, "question": one.question.text, **one.options, "answer": one.target}
        | {"prediction": one.letter, "hit": int(one.right)}
        for number, one in enumerate(asked)
    ]
    (folder / "model_data.json").write_text(json.dumps(rows))
    return folder / "model_data.json"


def predictions(folder: Path, asked: Sequence[Asked]) -> Path:
    entries = [
        {"question_id": one.key, "question_text": one.question.text, "answer": one.letter}
        | {"options": [f"{letter}: {text}" for letter, text in one.options.items()]}
        for one in asked
    ]
    (folder / "predictions.json").write_text(json.dumps(entries))
    return folder / "predictions.json"


Writer = Callable[[Path, Sequence[Asked]], Path]
TOOLS: dict[str, tuple[str, Writer]] = {
    "lmms-eval": ("lmms-eval", lmms_eval),
    "lm-eval": ("lm-eval", lm_eval),
    "lm-eval without prompts": ("lm-eval", lm_eval_without_prompts),
    "inspect": ("inspect", inspect),
    "inspect whose solver shuffles": ("inspect", inspect_whose_solver_shuffles),
    "vlmevalkit": ("vlmevalkit", vlmevalkit),
    "predictions": ("predictions", predictions),
}

FORMS: dict[str, Form] = {
    "A: x": each(lambda letter, text: f"{letter}: {text}\n"),
    "A. x": each(lambda letter, text: f"{letter}. {text}\n"),
    "(A) x": each(lambda letter, text: f"({letter}) {text}\n"),
    "A) x, each its own paragraph": each(lambda letter, text: f"{letter}) {text}\n\n"),
    "**A**: x": each(lambda letter, text: f"- **{letter}**: {text}\n"),
    "Option A: x": each(lambda letter, text: f"Option {letter}: {text}.\n"),
    "A - x": each(lambda letter, text: f"{letter} - {text}\n"),
    "A, a line below": each(lambda letter, text: f"{letter}\n{text}\n"),
    "within a line": each(lambda letter, text: f"({letter}) {text} "),
    "within a line, A. x": each(lambda letter, text: f"{letter}. {text}; "),
    "JSON": each(lambda letter, text: f'"{letter}": {json.dumps(text)},\n'),
    "before a chat's next turn": chat,
    "within instruction marks": lambda options: f"{lines(options)} [/INST]",
    "within a line, before a sentence": lambda options: f"{within(options, '({}) {}', ' ')} Answer with the letter.",
    "within a line, before a word": lambda options: f"{within(options, '{}. {}', ' ')} Answer:",
    "before a turn of another template": lambda options: f"{within(options, '({}) {}', ' ')}. ### ASSISTANT:",
    "after a word": lambda options: f"Options: {within(options, '{}. {}', ', ')}. Please answer with the letter.",
    "list of Python": lambda options: f"{[f'{letter}. {text}' for letter, text in options.items()]}",
    "XML": lambda options: within(options, "<{0}>{1}</{0}>", "\n") + "\nAnswer:",
    "between slashes": lambda options: within(options, "{}: {}", " / ") + "\nAnswer:",
    "table": lambda options: within(options, "| {} | {} |", "\n") + "\nAnswer:",
}
TEXTS = (
    *("1", "6", "5", "3", "top-left", "bottom right", "-5 degrees", "(left) hand", "A dog: brown", "B", "a", "I"),
    *("3.5 s to 7.0 s", 'a sign "stop"', "left, then right", "Option C", "the knife.", "Knife", "knife", "2. step"),
)


def chosen_here(asked: Asked, joined: Joined) -> str | None:
    """What the run's decision is, by text."""
    shown = joined.reordered.get(asked.key)
    response = Response(key=asked.key, text=joined.answers[asked.key].text)
    reading = read_response(response, shown or asked.question.options, tuple(LETTERS))
    decision = plain_decision(
        asked.question, Answer(ask=Ask(options=shown), sent=Sent(), response=response, reading=reading)
    )
    return asked.question.options[decision.label] if decision.label is not None else None


@st.composite
def questions_asked(draw: st.DrawFn) -> list[Asked]:
    form = draw(st.sampled_from(sorted(FORMS)))
    asked = []
    for number in range(draw(st.integers(1, 3))):
        texts = draw(st.lists(st.sampled_from(TEXTS), min_size=4, max_size=4))
        options = dict(zip(LETTERS, texts, strict=True))
        question = Question(
            id=number,
            key=f"clip_{number}",
            text=f"Which is {number}?",
            options=options,
            target=draw(st.sampled_from(LETTERS)),
        )
        order = draw(st.permutations(range(4)))
        asked.append(Asked(question, order, draw(st.integers(0, 3)), FORMS[form]))
    return asked


@pytest.mark.hypothesis
@pytest.mark.parametrize("tool", TOOLS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(asked=questions_asked())
def test_an_answer_to_options_in_any_order_is_that_option_or_left_out(
    tool: str, asked: list[Asked], tmp_path: Path
) -> None:
    name, write = TOOLS[tool]
    joined = join([one.question for one in asked], registry().importer(name).read(write(tmp_path, asked)).answers)
    left_out = {*joined.other_options, *joined.unsure_options, *joined.other_target}
    for one in asked:
        assert one.key in left_out or chosen_here(one, joined) == one.options[one.letter]
    assert len(joined.answers) + len(left_out) == len(asked)


PLAIN = [
    Question(id=number, key=f"clip_{number}", text=f"Which is {number}?", options=options, target="ABCD"[number % 4])
    for number, options in enumerate(
        [
            {"A": "1", "B": "6", "C": "5", "D": "3"},
            {"A": "top-left", "B": "top right", "C": "bottom left", "D": "bottom-right"},
            {"A": "a knife, held by the left hand", "B": "scissors", "C": "scissors", "D": "none of these"},
            {"A": "3.5 s to 7.0 s", "B": "0.0 s to 3.5 s", "C": "7.0 s to 9.0 s", "D": "9.0 s to 10.0 s"},
        ]
    )
]


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("form", FORMS)
def test_whatever_the_form_of_labels_all_options_in_another_order_are_mapped(
    tool: str, form: str, tmp_path: Path
) -> None:
    name, write = TOOLS[tool]
    orders = [(3, 2, 1, 0), (1, 2, 3, 0), (2, 0, 3, 1), (0, 1, 2, 3)]
    asked = [Asked(question, order, 1, FORMS[form]) for question, order in zip(PLAIN, orders, strict=True)]
    joined = join(PLAIN, registry().importer(name).read(write(tmp_path, asked)).answers)
    assert set(joined.answers) == {question.key for question in PLAIN}
    assert list(joined.reordered) == ["clip_0", "clip_1", "clip_2"]
    assert [chosen_here(one, joined) for one in asked] == [one.options[one.letter] for one in asked]


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("form", FORMS)
def test_an_answer_to_other_options_is_left_out(tool: str, form: str, tmp_path: Path) -> None:
    name, write = TOOLS[tool]
    others = [
        Question(**{**{field: getattr(question, field) for field in ("id", "key", "text", "target")}},
                 options={**question.options, "D": "something else"})
        for question in PLAIN
    ]  # fmt: skip
    asked = [Asked(question, (0, 1, 2, 3), 1, FORMS[form]) for question in others]
    joined = join(PLAIN, registry().importer(name).read(write(tmp_path, asked)).answers)
    assert not joined.answers
    assert joined.other_options == tuple(question.key for question in PLAIN)
    assert any("answers to other options than the question's, left out: 4" in line for line in joined.lines())


def answered(question: Question = PLAIN[0], **fields: Any) -> ForeignAnswer:
    return ForeignAnswer(place="log, line 1", question=question.key, text="A", **fields)


def test_a_log_that_tells_two_orders_is_not_sure() -> None:
    prompt = "Which is 0?\nA: 1\nB: 6\nC: 5\nD: 3"
    told = answered(prompt=prompt, options={"A": "3", "B": "5", "C": "6", "D": "1"})
    assert standing(told, PLAIN[0]).trouble == "unsure_options"
    joined = join(PLAIN[:1], [told])
    assert joined.unsure_options == ("clip_0",)
    assert not joined.answers


def test_a_prompt_of_other_options_than_the_log_s_own_fields_is_left_out() -> None:
    told = answered(prompt="Which is 0?\nA: dog\nB: cat", options=PLAIN[0].options)
    assert standing(told, PLAIN[0]).trouble == "other_options"


def test_labels_that_are_not_the_question_s_are_not_sure() -> None:
    for labels in ("1234", "abcd"):
        listed = "\n".join(f"{label}. {text}" for label, text in zip(labels, ("1", "6", "5", "3"), strict=True))
        assert standing(answered(prompt=f"Which is 0?\n{listed}"), PLAIN[0]).trouble == "unsure_options"


def test_the_options_are_those_of_the_question_and_not_of_an_example() -> None:
    example = "Which is 0?\nA: 3\nB: 5\nC: 6\nD: 1\nAnswer: B\n\n"
    own = "Which is 0?\nA: 6\nB: 1\nC: 5\nD: 3\nReply with (A), (B), (C) or (D)."
    assert standing(answered(prompt=example + own), PLAIN[0]).shown == {"A": "6", "B": "1", "C": "5", "D": "3"}


def test_options_before_the_question_count_where_no_example_has_a_list_of_its_own() -> None:
    own = "A: 6\nB: 1\nC: 5\nD: 3\nWhich is 0?"
    assert standing(answered(prompt=own), PLAIN[0]).shown == {"A": "6", "B": "1", "C": "5", "D": "3"}
    other = "A: dog\nB: cat\nWhich is it?\n"
    assert standing(answered(prompt=other + own), PLAIN[0]).trouble == "unsure_options"


def test_another_right_answer_tells_another_order() -> None:
    assert standing(answered(target="A"), PLAIN[0]).trouble == ""
    assert standing(answered(target="(A) 1"), PLAIN[0]).trouble == ""
    assert standing(answered(target="1"), PLAIN[0]).trouble == ""
    for target in ("D", "3", "a text that is no option"):
        assert standing(answered(target=target), PLAIN[0]).trouble == "other_target"
    assert join(PLAIN[:1], [answered(target="D")]).other_target == ("clip_0",)


def test_a_right_answer_in_digits_is_an_option_s_text_or_its_place() -> None:
    question = Question(id=1, key="clip_0", text="?", options={"A": "1", "B": "6", "C": "5", "D": "3"}, target="B")
    assert standing(answered(question, target="6"), question).trouble == ""
    assert standing(answered(question, target="1"), question).trouble == ""
    for target in ("3", "5", "A"):
        assert standing(answered(question, target=target), question).trouble == "other_target"


def test_options_of_the_same_text_are_alike() -> None:
    question = PLAIN[2]
    swapped = {"A": "scissors", "B": "scissors", "C": "a knife, held by the left hand", "D": "none of these"}
    assert standing(answered(question, options=swapped, target="B"), question).shown == swapped


def test_options_that_look_like_labels_are_not_sure() -> None:
    question = Question(id=1, key="q", text="Which?", options={"A": "1", "B": "2", "C": "B", "D": "3"}, target="A")
    assert standing(answered(question, prompt="Which?\nA\nB\nB\n1\nC\n2\nD\n3"), question).trouble == "other_options"


def test_a_log_that_does_not_tell_the_order_is_read_as_ever() -> None:
    for prompt in ("", "Which is 0?", "Which is 0? Say 1, 6, 5 or 3.", "1. Look.\n2. Answer.\nWhich is 0?"):
        found = standing(answered(prompt=prompt), PLAIN[0])
        assert (found.shown, found.trouble) == (None, "")


def test_a_prompt_within_json_has_characters_as_they_were() -> None:
    options = {"A": "café", "B": "thé", "C": "\U0001f375", "D": "l'eau"}
    question = Question(id=0, key="clip_0", text="Où est 0?", options=options, target="A")
    turned = dict(zip(LETTERS, reversed(options.values()), strict=True))
    request = json.dumps({"messages": json.dumps({"role": "user", "content": f"Où est 0?\n{lines(turned)}"})})
    told = answered(question, prompt=json.loads(request)["messages"])
    assert standing(told, question).shown == turned
    assert list(join([question], [told]).reordered) == ["clip_0"]


@pytest.mark.parametrize("behind", [" or more", " House", ", then 5", "-4", " (left)", " / 4", ". step"])
def test_an_option_that_goes_on_is_another_one(behind: str) -> None:
    options = lines({"A": "1", "B": "6", "C": "5", "D": f"3{behind}"})
    assert standing(answered(prompt=f"Which is 0?\n{options}"), PLAIN[0]).trouble == "other_options"


def test_options_without_labels_in_another_order_leave_it_open() -> None:
    assert standing(answered(prompt="Which is 0? Say 3, 5, 6 or 1."), PLAIN[0]).trouble == "unsure_options"
    assert standing(answered(prompt="3; 5; 6; 1. Which is 0?"), PLAIN[0]).trouble == "unsure_options"


def test_prompts_without_options_are_taken_at_their_word_and_listed() -> None:
    joined = join(PLAIN[:1], [answered(prompt="Which is 0?")])
    assert list(joined.answers) == ["clip_0"]
    assert any("no options are made out, taken to have stood as here: 1 (clip_0)" in line for line in joined.lines())
    for told in (answered(), answered(prompt="Which is 0?", options=PLAIN[0].options)):
        assert not join(PLAIN[:1], [told]).untold_options


def test_a_closed_question_is_none_that_is_answered_in_words() -> None:
    question = Question(id=1, key="clip_0", text="Which is 0?", hidden_options=PLAIN[0].options)
    assert standing(answered(prompt="Which is 0?\nA: 1\nB: 6\nC: 5\nD: 3"), question).trouble == "other_options"
    assert standing(answered(prompt="Which is 0? Choose among: 1; 6; 5; 3."), question).trouble == ""


def test_the_same_letter_to_two_orders_contradicts_itself() -> None:
    one, other = answered(options=PLAIN[0].options), answered(options={"A": "3", "B": "5", "C": "6", "D": "1"})
    assert join(PLAIN[:1], [one, other]).contradicted == ("clip_0",)


@pytest.mark.parametrize(
    "value",
    [
        ["x", "y"],
        ["A: x", "B. y"],
        ["(A) x", "(B) y"],
        {"A": "x", "B": "y"},
        {"text": ["x", "y"], "label": ["A", "B"]},
        "['x', 'y']",
        '{"A": "x", "B": "y"}',
    ],
)
def test_lists_of_options_have_many_forms(value: Any) -> None:
    assert listed_options(value) == told_options({"choices": value}) == {"A": "x", "B": "y"}


ASKED = "Which is 0?\nA: 6\nB: 1\nC: 5\nD: 3"


@pytest.mark.parametrize(
    "request_",
    [
        ASKED,
        [[ASKED, {"until": []}]],
        {"gen_args_0": {"arg_0": ASKED, "arg_1": {}}},
        {"gen_args_0": {"arg_0": [json.dumps([{"role": "system", "content": "Look."}, {"content": ASKED}])]}},
        [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": ASKED}]}],
        json.dumps({"prompt": ASKED}),
    ],
)
def test_the_prompt_is_found_in_every_form_of_a_request(request_: Any) -> None:
    told = standing(answered(prompt=asked_text(request_)), PLAIN[0])
    assert told.shown == {"A": "6", "B": "1", "C": "5", "D": "3"}


@pytest.mark.parametrize("nothing", [None, 5, [], {}, [[]], [None], {"a": {}}, [{"content": None}]])
def test_what_holds_no_words_is_no_prompt(nothing: Any) -> None:
    assert asked_text(nothing) == ""
    assert asked_text("[1, 2") == "[1, 2"
    assert asked_text("[image] What?") == "[image] What?"


@pytest.mark.parametrize(
    "cell", ["['x'", "{['x', 'y']}", "{[]: 1}", "[" * 9000, "{1:" * 3000, "x" * 20_000, "{1: }", "", "1"]
)
def test_a_cell_that_is_no_list_holds_no_options(cell: str) -> None:
    assert listed_options(cell) == {}


def test_columns_of_a_table_are_options_and_empty_ones_none() -> None:
    assert told_options({"A": 3.0, "B": "y", "C": float("nan"), "D": None}) == {"A": "3", "B": "y"}
    assert told_options({"options": "no list", "A": True}) == {}


@pytest.fixture
def imported(demo: Path, tmp_path: Path) -> Callable[..., Import]:
    def imported(log: Path, name: str = "imported") -> Import:
        return import_run(log, tmp_path / name, ImportOptions(data=DataOptions(data=demo, split="demo")))

    return imported


@pytest.mark.parametrize("tool", TOOLS)
def test_a_whole_log_with_reversed_options_has_the_tool_s_own_counts(
    tool: str, demo: Path, tmp_path: Path, imported: Callable[..., Import]
) -> None:
    questions = plan_run(options_from(data=demo, split="demo"), registry()).questions
    asked = [Asked(question, (3, 2, 1, 0), place % 4, FORMS["A: x"]) for place, question in enumerate(questions)]
    done = imported(TOOLS[tool][1](tmp_path, asked))
    assert done.run.results.counts["right"] == sum(one.right for one in asked)
    assert done.run.results.complete
    assert len(done.joined.reordered) == len(questions)
    assert done.comparison.other == done.comparison.scored_otherwise == ()
    sample = done.run.samples[0]
    shown, read = sample.answers[0].ask.options, sample.answers[0].reading.label
    assert shown is not None
    assert shown == asked[0].options
    assert sample.decision.label is not None
    assert shown[read or ""] == sample.question.options[sample.decision.label]
    if tool not in ("predictions", "vlmevalkit"):
        assert sample.answers[0].theirs == Reading(label=read, rule=done.tool)


def test_scoring_it_again_changes_nothing(demo: Path, tmp_path: Path, imported: Callable[..., Import]) -> None:
    from calling import call

    questions = plan_run(options_from(data=demo, split="demo"), registry()).questions
    asked = [Asked(question, (3, 2, 1, 0), place % 4, FORMS["A: x"]) for place, question in enumerate(questions)]
    done = imported(vlmevalkit(tmp_path, asked))
    before = (done.run.path / "samples.jsonl").read_bytes()
    assert call("score", done.run.path) == 0
    assert (done.run.path / "samples.jsonl").read_bytes() == before


def test_a_log_of_other_options_alone_is_refused_by_name(tmp_path: Path, imported: Callable[..., Import]) -> None:
    other = Question(id=1, key=PLAIN[0].key, text="?", options=dict.fromkeys(LETTERS, "x"), target="A")
    with pytest.raises(UsageError, match="none of its answers"):
        imported(vlmevalkit(tmp_path, [Asked(other, (0, 1, 2, 3), 0, FORMS["A: x"])]))


@pytest.mark.hypothesis
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(asked=questions_asked())
def test_a_scored_file_leaves_out_what_import_does_and_counts_the_same_options(
    asked: list[Asked], tmp_path: Path
) -> None:
    file, questions = predictions(tmp_path, asked), [one.question for one in asked]
    joined = join(questions, registry().importer("predictions").read(file).answers)
    entries, told = predictions_here(file, questions)
    assert told == msgspec.structs.replace(joined, answers={}, missing=())
    answers = {entry.name: entry.answer for entry in entries}
    assert set(answers) == set(joined.answers)
    for one in asked:
        if one.key in answers:
            label = read_answer(answers[one.key], one.question)
            assert one.question.options[label or ""] == one.options[one.letter]


def test_a_file_with_options_in_another_order_scores_as_it_imports(
    demo: Path, tmp_path: Path, imported: Callable[..., Import], capsys: pytest.CaptureFixture[str]
) -> None:
    from calling import call

    questions = plan_run(options_from(data=demo, split="demo"), registry()).questions
    asked = [Asked(question, (3, 2, 1, 0), place % 4, FORMS["A: x"]) for place, question in enumerate(questions)]
    file = predictions(tmp_path, asked)
    entries = json.loads(file.read_text())
    entries[0]["options"] = ["A: w", "B: x", "C: y", "D: z"]
    entries[1]["question_text"] = "Which other one?"
    file.write_text(json.dumps(entries))
    done = imported(file)
    assert call("score", file, "--data", demo, "--split", "demo", "--format", "json") == 1
    printed = capsys.readouterr()
    scored = json.loads(printed.out)
    assert scored["counts"] == done.run.results.counts
    assert scored["counts"]["right"] == sum(one.right for one in asked[2:])
    assert f"other options than the question's, left out: 1 ({questions[0].key})" in printed.err
    assert f"other words than the question's, left out: 1 ({questions[1].key})" in printed.err
    assert f"in another order, their letters taken for the options that stood there: {len(asked) - 2} (" in printed.err


def test_a_scored_file_goes_by_its_question_ids_whatever_ids_stand_beside(tmp_path: Path) -> None:
    asked = [Asked(question, (3, 2, 1, 0), 0, FORMS["A: x"]) for question in PLAIN[:2]]
    entries = json.loads(predictions(tmp_path, asked).read_text())
    entries[0]["id"] = 1
    (tmp_path / "predictions.json").write_text(json.dumps([*entries, {"question_id": "clip_9", "answer": "A"}]))
    kept, told = predictions_here(tmp_path / "predictions.json", PLAIN[:2])
    assert [(entry.question_id, entry.id, entry.answer) for entry in kept] == [
        ("clip_0", 1, "D"),
        ("clip_1", None, "D"),
        ("clip_9", None, "A"),
    ]
    assert set(told.reordered) == {"clip_0", "clip_1"}
